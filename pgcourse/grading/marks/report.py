"""What is written: for each student JSON and a page to learn from; for the class one table, statistics, what to look at."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment

from pgcourse.grading.marks.gradebook import Row, Student, write_rows
from pgcourse.grading.marks.similarity import Pair
from pgcourse.storage import atomic_write, write_json

STATES = ("correct", "not yet", "not attempted", "withheld")
# No links within the page: JupyterLab shows it in a frame, where one leads to the server and a JupyterHub refuses it.
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
<h1>{{ student.name }}: {{ number(student.score) }} of {{ number(student.max_score) }} points</h1>
{% if student.late %}<p>Handed in late: {{ "%.0f" | format(100 * student.late) }} % of the score is lost.</p>{% endif %}
<table><tr><th>exercise</th><th>state</th><th>points</th></tr>
{% for row in student.rows %}<tr><td>{{ row.id }}</td><td>{{ row.status }}</td>
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
