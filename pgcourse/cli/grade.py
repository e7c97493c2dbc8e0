"""`pgcourse grade`: submissions in, marks out."""

import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import tyro

from ..grading.settings import Settings
from .parsing import as_typed, parse

NAME = 30  # columns of a name in the printed table


@dataclass(frozen=True)
class Grade(Settings):
    """Grade a class: run every notebook apart from the rest of the machine, then work out the marks.

    Example: pgcourse grade submissions/ --release class/ --out grades/ --jobs 2
    """

    submissions: tyro.conf.Positional[Path]
    only: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    namespaces: tyro.conf.Suppress[tyro.conf.Fixed[bool]] = True

    def __post_init__(self) -> None:
        """Nothing yet: tyro would put words of its own around a complaint of `Settings`."""


def grade(arguments: list[str]) -> int:
    """Run `pgcourse grade`."""
    options = vars(parse(Grade, arguments, program="pgcourse grade"))
    with as_typed():
        settings = Settings(**options)
    from ..grading.grader import grade as grade_class
    from ..grading.release.assignment import number

    def show(done: int, total: int) -> None:
        print(f"\r{done} of {total} notebooks", end="" if done < total else "\n", file=sys.stderr, flush=True)

    try:
        result = grade_class(settings, on_progress=show if sys.stderr.isatty() else None)
    except KeyboardInterrupt:
        print("\npgcourse: interrupted; what is done is kept, the same command goes on", file=sys.stderr)
        return 130
    for remark in result.remarks:
        print(remark)
    for student in result.students:
        late = f"  (late: {student.late:.0%} lost)" if student.late else ""
        split = f"  {student.split}" if student.open or student.by_hand.max_points else ""
        note = f"  ({student.note})" if student.note else ""
        print(f"{fitted(student.name, NAME)} {student.score:7g} of {student.decided:g}{split}{late}{note}")
    ran = f"{number(result.ran, 'notebook')} run"
    print(f"{number(len(result.students), 'student')}; {ran}; tables and feedback are in {settings.out}")
    if waiting := [row for student in result.students for row in student.open]:
        where = "the column `open` of class.csv says which"
        if any(row.status == "withheld" for row in waiting):
            where += ", look_at.csv why code was withheld"
        marks = f"{number(len(waiting), 'mark')} wait{'s' * (len(waiting) == 1)} for a person"
        print(f"{marks} ({where}); next: pgcourse mark {settings.out} --release {settings.release}")
    return 0


def fitted(text: str, width: int) -> str:
    """The text in so many columns of a terminal: filled up with blanks, or cut with an ellipsis. Wide letters take two."""
    if _columns(text) > width:
        while _columns(text) > width - 1:
            text = text[:-1]
        text += "…"
    return text + " " * (width - _columns(text))


def _columns(text: str) -> int:
    """How many columns a terminal gives to the text."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )
