"""What is written: for each student JSON and a page to learn from; for the class one table, statistics, what to look at."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from pgcourse.grading.marks.gradebook import Row, Student, write_rows
from pgcourse.grading.marks.look import look
from pgcourse.grading.marks.similarity import Pair
from pgcourse.storage import atomic_write, write_json

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
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        TEMPLATE.read_text(encoding="utf-8")
    )
    return str(
        template.render(student=student, look=Markup(look()), looks=LOOKS, number=lambda value: f"{value:g}") + "\n"
    )


def write_student(folder: Path, student: Student) -> None:
    """JSON and page of one student."""
    write_json(folder / f"{student.name}.json", student.as_json())
    atomic_write(folder / f"{student.name}.html", page(student))


def write_class(folder: Path, students: Sequence[Student], pairs: Sequence[Pair]) -> None:
    """`class.csv`, `statistics.csv`, `similarity.csv` and `look_at.csv`."""
    ids = [row.id for row in students[0].rows]
    table: list[list[object]] = []
    for s in students:
        table.append([s.name, s.score, s.max_score, s.late, *(row.points for row in s.rows), " ".join(_open(s.rows))])
    write_rows(folder / "class.csv", ["student", "score", "max_score", "late", *ids, "open"], table)
    columns = ["exercise", "students", *STATES, "mean points", "max points", "misconceptions"]
    by_exercise = [_statistics([row for s in students for row in s.rows if row.id == id]) for id in ids]
    write_rows(folder / "statistics.csv", columns, by_exercise)
    columns = ["exercise", "student", "other", "similarity", "others with the same form"]
    alike = [[p.exercise, p.first, p.second, p.similarity, p.common] for p in pairs]
    write_rows(folder / "similarity.csv", columns, alike)
    looks = [[s.name, part.name, text] for s in students for part in s.parts for text in part.look_at]
    write_rows(folder / "look_at.csv", ["student", "notebook", "what"], looks)


def _open(rows: Sequence[Row]) -> list[str]:
    """What still waits for a person."""
    return [row.id for row in rows if row.status == "not marked yet" or (row.status == "withheld" and not row.given)]


def _statistics(rows: Sequence[Row]) -> list[object]:
    states = Counter(row.status for row in rows)
    named = Counter(row.misconception for row in rows if row.misconception).most_common()
    mean = round(sum(row.points for row in rows) / len(rows), 2)
    counts = [states[state] for state in STATES]
    return [rows[0].id, len(rows), *counts, mean, rows[0].max_points, "; ".join(f"{name} {n}" for name, n in named)]
