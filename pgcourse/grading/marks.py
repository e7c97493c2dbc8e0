"""Marks of the students: judgements, overrides, marks by hand and lateness put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pgcourse.grading.judge import Judgement
from pgcourse.grading.release.manifest import Release
from pgcourse.grading.tables import Given


@dataclass(frozen=True)
class Row:
    """One exercise, or one cell marked by hand, of one student."""

    id: str
    status: str
    points: float
    max_points: float
    message: str
    misconception: str | None = None
    given: Given | None = None


@dataclass(frozen=True)
class Part:
    """One notebook of one student. Fields: look_at: for the teacher, what a person should look at."""

    name: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    look_at: tuple[str, ...] = ()


@dataclass(frozen=True)
class Student:
    """All of one student. `late`: the share of the score that is lost."""

    name: str
    parts: tuple[Part, ...]
    late: float = 0.0
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> list[Row]:
        """Every exercise and every cell marked by hand."""
        return [row for part in self.parts for row in part.rows]

    @property
    def score(self) -> float:
        """Points of all rows, less what lateness costs; two decimals."""
        return round(sum(row.points for row in self.rows) * (1 - self.late), 2)

    @property
    def max_score(self) -> float:
        """What a faultless student has."""
        return round(sum(row.max_points for row in self.rows), 2)

    def as_json(self) -> dict[str, Any]:
        """What stands in the student's JSON file."""
        return {
            "student": self.name,
            "score": self.score,
            "max_score": self.max_score,
            "late": self.late,
            "exercises": {row.id: _row_json(row) for row in self.rows},
            "notes": {part.name: list(part.notes) for part in self.parts if part.notes},
        }


def _row_json(row: Row) -> dict[str, Any]:
    data = {
        "status": row.status, "points": row.points, "max_points": row.max_points, "message": row.message,
        "misconception": row.misconception,
    }  # fmt: skip
    return data | ({"changed_by_hand": row.given.reason} if row.given else {})


def student(
    name: str,
    release: Release,
    judged: Mapping[str, Mapping[str, Judgement]],
    notes: Mapping[str, Sequence[str]],
    look_at: Mapping[str, Sequence[str]],
    overrides: Mapping[tuple[str, str], Given],
    manual: Mapping[tuple[str, str], Given],
    late: float,
) -> Student:
    """Put one student's marks together. Args: judged, notes, look_at: assignment -> what belongs to it."""
    parts = []
    for assignment in release.assignments:
        rows = []
        for exercise in assignment.exercises:
            judgement, most = judged[assignment.name][exercise.id], exercise.points * exercise.weight
            given = overrides.get((name, exercise.id))
            points = round(most * judgement.share, 2) if given is None else given.points
            message = judgement.message
            rows.append(Row(exercise.id, judgement.status, points, most, message, judgement.misconception, given))
        for cell in assignment.manual:
            given = manual.get((name, cell.id))
            status = "marked by hand" if given else "not marked yet"
            text = cell.title + (f"\n{given.reason}" if given and given.reason else "")
            rows.append(Row(cell.id, status, given.points if given else 0.0, cell.points, text))
        parts.append(Part(assignment.name, tuple(rows), tuple(notes[assignment.name]), tuple(look_at[assignment.name])))
    return Student(name, tuple(parts), late)
