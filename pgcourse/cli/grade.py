"""`pgcourse grade`: submissions in, marks out."""

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from ..grading.settings import Settings
from .parsing import parse


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
    settings = Settings(**vars(parse(Grade, arguments, program="pgcourse grade")))
    from ..grading.grader import grade as grade_class

    def show(done: int, total: int) -> None:
        print(f"\r{done} of {total} notebooks", end="" if done < total else "\n", file=sys.stderr, flush=True)

    result = grade_class(settings, on_progress=show if sys.stderr.isatty() else None)
    for remark in result.remarks:
        print(remark)
    for student in result.students:
        late = f"  (late: {student.late:.0%} lost)" if student.late else ""
        split = f"  {student.split}" if student.open or student.by_hand.max_points else ""
        note = f"  ({student.note})" if student.note else ""
        print(f"{student.name:30} {student.score:7g} of {student.decided:g}{split}{late}{note}")
    waiting = sum(len(student.open) for student in result.students)
    print(f"{len(result.students)} students; {result.ran} notebooks run; tables and feedback are in {settings.out}")
    if waiting:
        print(f"{waiting} marks wait for a person: the column `open` of class.csv, and look_at.csv, say which")
    return 0
