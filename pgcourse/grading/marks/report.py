"""What is written: for each student JSON and a page to learn from; for the class one table, statistics, what to look at."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment

from pgcourse.grading.marks.gradebook import Row, Student
from pgcourse.grading.marks.similarity import Pair
from pgcourse.grading.tables import write_rows
from pgcourse.storage import atomic_write, write_json

CLASS = (
    "student", "score", "max_score", "late", "automatic", "automatic_max", "by_hand", "by_hand_max", "open_points",
)  # fmt: skip
LOOK_AT = ("student", "notebook", "what")
STATES = ("correct", "not yet", "not attempted", "withheld")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ student.name }}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body { font: 16px/1.5 sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #bbb; } h3 { margin-bottom: .3rem; }
pre { white-space: pre-wrap; background: #f5f5f5; border-left: 4px solid #777; padding: .6rem .9rem; margin: .3rem 0 1rem; }
.correct pre { border-color: #0072b2; } .not-yet pre, .withheld pre { border-color: #d55e00; }
table { border-collapse: collapse; } td, th { padding: .2rem .8rem .2rem 0; text-align: left; } .note { color: #555; }
</style></head><body>
<h1>{{ student.name }}: {{ number(student.score) }} of {{ number(student.decided) }} points</h1>
{% if student.open or student.by_hand.max_points %}<p>{{ student.split[0] | upper }}{{ student.split[1:] }}.\
{% if student.open %} What is open is not marked yet: it is neither earned nor lost.{% endif %}</p>{% endif %}
{% if student.late %}<p>Handed in late: {{ "%.0f" | format(100 * student.late) }} % of the score is lost.</p>{% endif %}
<table><tr><th>exercise</th><th>state</th><th>points</th></tr>
{% for row in student.rows %}<tr><td><a href="#{{ row.id }}">{{ row.id }}</a></td><td>{{ row.status }}</td>
<td>{{ number(row.points) }} of {{ number(row.max_points) }}</td></tr>
{% endfor %}</table>
{% for part in student.parts %}<h2>{{ part.name }}</h2>
{% for note in part.notes %}<p class="note">{{ note }}</p>
{% endfor %}{% for row in part.rows %}<section class="{{ row.status.replace(" ", "-") }}">
<h3 id="{{ row.id }}">{{ row.id }}: {{ number(row.points) }} of {{ number(row.max_points) }}</h3>
{% if row.given %}<p>Set by your teacher: {{ row.given.reason or "no reason given" }}</p>{% endif %}
<pre>{{ row.message }}</pre></section>
{% endfor %}{% endfor %}</body></html>
"""


def page(student: Student) -> str:
    """The student's feedback as one HTML page without scripts; whatever a student wrote is shown as text."""
    template = Environment(autoescape=True).from_string(_PAGE)
    return str(template.render(student=student, number=lambda value: f"{value:g}"))


def write_student(folder: Path, student: Student) -> None:
    """JSON and page of one student."""
    write_json(folder / f"{student.name}.json", student.as_json())
    atomic_write(folder / f"{student.name}.html", page(student))


def write_class(folder: Path, students: Sequence[Student], pairs: Sequence[Pair] | None) -> None:
    """`class.csv`, `statistics.csv`, `look_at.csv`, and `similarity.csv` unless there is None to write."""
    ids = [row.id for row in students[0].rows]
    write_rows(folder / "class.csv", [*CLASS, *ids, "open", "note"], map(_of_class, students))
    columns = ["exercise", "students", *STATES, "mean points", "max points", "misconceptions"]
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
    counts = [states[state] for state in STATES]
    return [rows[0].id, len(rows), *counts, mean, rows[0].max_points, "; ".join(f"{name} {n}" for name, n in named)]
