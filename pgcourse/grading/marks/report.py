"""What is written: for each student JSON and a page to learn from; for the class one table, statistics, what to look at."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, Template
from markupsafe import Markup

from pgcourse.grading.marks import history
from pgcourse.grading.marks.gradebook import Row, Student
from pgcourse.grading.marks.look import look
from pgcourse.grading.marks.similarity import Pair
from pgcourse.grading.tables import write_rows
from pgcourse.storage import atomic_write, write_json

CLASS = (
    "student", "score", "max_score", "late", "automatic", "automatic_max", "by_hand", "by_hand_max", "open_points",
)  # fmt: skip
TABLE = "class.csv"  # whoever writes what follows from the marks holds its lock
LOOK_AT = ("student", "notebook", "what")
STATES = ("correct", "not yet", "not attempted", "withheld")
TEMPLATE = Path(__file__).with_name("feedback.html")
# Status -> class and mark, as on the cards of the course. The words say it; mark and colour repeat it.
LOOKS = {
    "correct": ("right", "✓"),
    "not yet": ("wrong", "✗"),
    "not attempted": ("open", "○"),
    "withheld": ("open", "○"),
    "marked by hand": ("hand", "✎"),
    "not marked yet": ("open", "○"),
}


def page(student: Student) -> str:
    """The student's feedback as one HTML page without scripts; whatever a student wrote is shown as text."""
    page = _template().render(student=student, look=Markup(look()), looks=LOOKS, earned=_earned, number=_number)
    return f"{page}\n"


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))


def _number(points: float) -> str:
    return f"{points:g}"


def _earned(row: Row) -> str:
    """`2 of 3`; of what is open, `open, of 3`: it is not lost."""
    return f"open, of {row.max_points:g}" if row.open else f"{row.points:g} of {row.max_points:g}"


def write(
    folder: Path,
    students: Sequence[Student],
    run: history.Run | None,
    *,
    pairs: Sequence[Pair] | None = None,
    others: Sequence[Student] = (),
) -> list[Student]:
    """Everything that follows from the marks. Args: others: further students of the class, whose own files stay.

    Returns: the class, in order.
    """
    students = history.note(folder / "history.csv", students, run)
    for each in students:
        write_student(folder / "students", each)
    everybody = sorted([*students, *others], key=lambda student: student.name)
    write_class(folder, everybody, pairs)
    return everybody


def write_student(folder: Path, student: Student) -> None:
    """JSON and page of one student."""
    write_json(folder / f"{student.name}.json", student.as_json())
    atomic_write(folder / f"{student.name}.html", page(student))


def strangers(folder: Path, students: Sequence[Student]) -> list[str]:
    """Names whose file or page lies in the folder, and who are none of the students."""
    present = {path.stem for ending in ("json", "html") for path in folder.glob(f"*.{ending}")}
    return sorted(present - {student.name for student in students})


def write_class(folder: Path, students: Sequence[Student], pairs: Sequence[Pair] | None) -> None:
    """`class.csv`, `statistics.csv`, `look_at.csv`, and `similarity.csv` unless there is None to write."""
    ids = [row.id for row in students[0].rows]
    write_rows(folder / TABLE, [*CLASS, *ids, "open", "note"], map(_of_class, students))
    columns = ["exercise", "students", *STATES, "open", "mean points", "max points", "misconceptions"]
    by_exercise = [_statistics([row for s in students for row in s.rows if row.id == id]) for id in ids]
    write_rows(folder / "statistics.csv", columns, by_exercise)
    if pairs is not None:
        columns = ["exercise", "student", "other", "similarity", "others with the same form"]
        alike = [[p.exercise, p.first, p.second, p.similarity, p.common] for p in pairs]
        write_rows(folder / "similarity.csv", columns, alike)
    looks = [[s.name, part.name, text] for s in students for part in s.parts for text in part.look_at]
    write_rows(folder / "look_at.csv", LOOK_AT, looks)


def _of_class(student: Student) -> list[object]:
    """The student's row of `class.csv`. What is open has no number: 0 would look lost."""
    automatic, by_hand = student.automatic, student.by_hand
    head = [student.name, student.score, student.max_score, student.late, automatic.points, automatic.max_points]
    head += [by_hand.points, by_hand.max_points, student.open_points]
    points = ["" if row.open else row.points for row in student.rows]
    return [*head, *points, " ".join(row.id for row in student.open), student.note]


def _statistics(rows: Sequence[Row]) -> list[object]:
    """One exercise's row of `statistics.csv`; the mean is of those whose points are decided."""
    states = Counter(row.status for row in rows)
    named = Counter(row.misconception for row in rows if row.misconception).most_common()
    decided = [row.points for row in rows if not row.open]
    mean = round(sum(decided) / len(decided), 2) if decided else ""
    counts = [*(states[state] for state in STATES), len(rows) - len(decided)]
    return [rows[0].id, len(rows), *counts, mean, rows[0].max_points, "; ".join(f"{name} {n}" for name, n in named)]
