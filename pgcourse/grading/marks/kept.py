"""The marks of an earlier run, read back from its folder: `class.csv` says who is in it, `students/` the rest."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pgcourse.errors import InvalidInput
from pgcourse.grading.marks.gradebook import Given, NotebookMarks, Row, Student
from pgcourse.grading.marks.judge import Judged, Judgement
from pgcourse.grading.marks.report import LOOK_AT, TABLE
from pgcourse.grading.release.manifest import Release
from pgcourse.grading.tables import rows


def read_students(folder: Path) -> list[Student]:
    """The students of a graded class, in order. Raises: InvalidInput, one line, where the folder holds no marks."""
    table = folder / TABLE
    if not table.is_file():
        raise InvalidInput(f"there is no {table}; grade the class first: pgcourse grade SUBMISSIONS --out {folder}")
    look_at: dict[tuple[str, str], list[str]] = {}
    if (path := folder / "look_at.csv").is_file():
        for row in rows(path, LOOK_AT):
            look_at.setdefault((row["student"], row["notebook"]), []).append(row["what"])
    names = [row["student"] for row in rows(table, ("student",))]
    return [_student(folder / "students" / f"{name}.json", name, look_at) for name in names]


def require_same_release(students: Iterable[Student], release: Release, folder: Path) -> None:
    """Raises: InvalidInput where marks of this folder are of other exercises than the release has."""
    ids = [id for part in release.assignments for id in [e.id for e in part.exercises] + [m.id for m in part.manual]]
    for student in students:
        if [row.id for row in student.rows] != ids:
            raise InvalidInput(f"{folder} holds marks of another release ({student.name}); grade the whole class again")


def judged(student: Student) -> dict[str, Judged]:
    """What the grader said of each notebook, without what people have changed since."""
    return {
        part.name: Judged({row.id: _judgement(row) for row in part.rows if not row.by_hand}, part.notes, part.look_at)
        for part in student.parts
    }


def _judgement(row: Row) -> Judgement:
    points = row.points if row.automatic is None else row.automatic
    share = points / row.max_points if row.max_points else 0.0
    return Judgement(row.status, share, row.message, row.misconception)


def _student(path: Path, name: str, look_at: dict[tuple[str, str], list[str]]) -> Student:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        exercises, notes = data["exercises"], data["notes"]
        parts = []
        for part, what in data["notebooks"].items():
            own = tuple(_row(id, exercises[id]) for id in what["exercises"])
            looks = tuple(look_at.get((name, part), ()))
            parts.append(NotebookMarks(part, own, tuple(notes.get(part, ())), looks, what["handed_in"]))
        return Student(name, tuple(parts), data["late"], data["note"], tuple(data["attempts"]), data["full_name"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise InvalidInput(f"cannot read {path} ({said}); grade the whole class again") from None


def _row(id: str, data: dict[str, Any]) -> Row:
    given = Given(data["points"], data["changed_by_hand"]) if "changed_by_hand" in data else None
    fields = {name: data[name] for name in ("status", "points", "max_points", "message", "misconception", "by_hand")}
    automatic = data["automatic"] if given and not data["by_hand"] else None
    return Row(id, given=given, automatic=automatic, **fields)
