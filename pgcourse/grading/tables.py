"""The tables that people write beside the grades: when work was handed in, overrides, marks given by hand."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pgcourse.errors import InvalidInput
from pgcourse.grading.release.manifest import Release, parse_time
from pgcourse.storage import atomic_write

OVERRIDES = ("student", "exercise", "points", "reason")
MANUAL = ("student", "id", "points", "comment")
TIMES = ("student", "handed_in")


@dataclass(frozen=True)
class Given:
    """Points that a person gave, and why."""

    points: float
    reason: str


def rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV with these columns. Raises: InvalidInput, one line, where it lacks one."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read {path} ({error}); save it as CSV in UTF-8") from None
    dialect = "excel" if text.partition("\n")[0].count(",") else "semicolon"
    reader = csv.DictReader(io.StringIO(text), delimiter="," if dialect == "excel" else ";")
    if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
        raise InvalidInput(f"{path} has no column {missing[0]!r}; its first line must be {','.join(columns)}")
    try:
        return [{name: (row[name] or "").strip() for name in columns} for row in reader]
    except csv.Error as error:
        raise InvalidInput(f"cannot read {path} ({error}); save it as CSV in UTF-8") from None


def write_rows(path: Path, columns: Sequence[str], table: Iterable[Sequence[object]]) -> None:
    """Write a CSV, atomically. A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in table:
        writer.writerow(
            [f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+@\t" and cell else cell for cell in row]
        )
    atomic_write(path, file.getvalue())


def overrides(path: Path, release: Release) -> dict[tuple[str, str], Given]:
    """(student, exercise) -> what it counts instead. An empty table is made where there is none."""
    if not path.exists():
        write_rows(path, OVERRIDES, [])
    known = {each.id: each.points * each.weight for a in release.assignments for each in a.exercises}
    found = {}
    for row in rows(path, OVERRIDES):
        if row["exercise"] not in known:
            raise InvalidInput(f"{path}: no exercise of this release is called {row['exercise']!r}")
        found[row["student"], row["exercise"]] = Given(
            _at_most(known[row["exercise"]], row["points"], row["exercise"], path), row["reason"]
        )
    return found


def manual(path: Path, release: Release, students: Sequence[str]) -> dict[tuple[str, str], Given]:
    """(student, cell) -> marks given so far. The table gets a row for each student and cell; what stands in it stays."""
    known = {cell.id: cell.points for assignment in release.assignments for cell in assignment.manual}
    if not known:
        return {}
    standing = rows(path, MANUAL) if path.exists() else []
    present = {(row["student"], row["id"]) for row in standing}
    added = [(student, id, "", "") for student in students for id in known if (student, id) not in present]
    if added or not path.exists():
        write_rows(path, MANUAL, [*(tuple(row[name] for name in MANUAL) for row in standing), *added])
    found = {}
    for row in standing:
        if row["points"] and row["id"] not in known:
            raise InvalidInput(
                f"{path}: nothing marked by a person is called {row['id']!r} in this release; it has {', '.join(known)}"
            )
        if row["points"]:
            points = _at_most(known[row["id"]], row["points"], row["id"], path)
            found[row["student"], row["id"]] = Given(points, row["comment"])
    return found


def late_shares(path: Path | None, release: Release) -> dict[str, float]:
    """Student -> share of the score that is lost. Without a table nothing is late: the time of a file proves nothing."""
    if path is None or release.due_time is None:
        return {}
    shares = {}
    for row in rows(path, TIMES):
        handed_in: datetime = parse_time(row["handed_in"], f"{path}: handed_in of {row['student']}")
        shares[row["student"]] = release.late.lost((handed_in - release.due_time).total_seconds() / 60)
    return shares


def without_time(path: Path | None, release: Release, students: Sequence[str]) -> list[str]:
    """A remark for each student who has handed in, and whose time nobody wrote down."""
    if path is None or release.due_time is None:
        return []
    timed = {row["student"] for row in rows(path, TIMES)}
    return [f"{path.name} has no time of {name!r}: counted as in time." for name in students if name not in timed]


def unknown_students(folder: Path, students: Sequence[str]) -> list[str]:
    """A remark for each student whom the teacher's tables name, and who has handed in nothing."""
    tables = [path for name in ("overrides.csv", "manual.csv") if (path := folder / name).exists()]
    named = [(path, row["student"]) for path in tables for row in rows(path, ("student", "points")) if row["points"]]
    return [
        f"{path.name} gives points to {student!r}, of whom there is no submission: they count for nobody."
        for path, student in dict.fromkeys(named)
        if student not in students
    ]


def _at_most(most: float, text: str, id: str, path: Path) -> float:
    points = _points(text, path)
    if points > most:
        raise InvalidInput(f"{path}: {points:g} points for {id}; it has at most {most:g}")
    return points


def _points(text: str, path: Path) -> float:
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        points = -1.0
    if not 0 <= points < 1e6:
        raise InvalidInput(f"{path}: {text!r} is no number of points; use one of at least 0")
    return points
