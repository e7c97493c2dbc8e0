"""What a teacher hands out, as data: `release.json` in the folder that `pgcourse assignment make` writes.

The grader reads this file and nothing else to know which exercises count, for how much, and until when. A release that
names a teacher's own exercises keeps their files beside it; `private.exercises_of` finds the exercise of every id.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pgcourse.errors import InvalidInput
from pgcourse.grading.release_parts import (
    Assignment,
    GradedExercise,
    Late,
    ManualCell,
    RubricItem,
    parse_time,
    require_different,
)
from pgcourse.storage import write_json

__all__ = ["Assignment", "GradedExercise", "Late", "ManualCell", "Release", "RubricItem", "parse_time", "read"]

FORMAT = 1
FILE = "release.json"


@dataclass(frozen=True)
class Release:
    """All settings of one hand-out. Times are ISO 8601 with their offset from UTC.

    Fields: checks: sha256 of the checks of these exercises, see `checks_digest`. due: None where nothing is late.
    """

    version: str
    checks: str
    made: str
    due: str | None
    late: Late
    assignments: tuple[Assignment, ...]
    course: str = "pgcourse"
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise InvalidInput(f"format {self.format!r} is not {FORMAT}; use the pgcourse that made this release")
        parse_time(self.made, "made")
        if self.due is not None:
            parse_time(self.due, "due")
        if not self.assignments:
            raise InvalidInput("a release without assignments; name at least one unit")
        require_different("assignment", [assignment.name for assignment in self.assignments])
        ids = [e.id for a in self.assignments for e in a.exercises] + [m.id for a in self.assignments for m in a.manual]
        require_different("graded cell", ids)

    @property
    def due_time(self) -> datetime | None:
        """The due time, with its offset from UTC."""
        return None if self.due is None else parse_time(self.due, "due")

    @property
    def max_score(self) -> float:
        """What a student can earn in all."""
        return sum(assignment.max_score for assignment in self.assignments)

    def as_json(self) -> dict[str, Any]:
        """The content of `release.json`; weights of 1 and sources of the package's exercises are left out."""
        data: dict[str, Any] = {"format": self.format, "course": self.course}
        data |= {key: value for key, value in asdict(self).items() if key not in data}
        for assignment in data["assignments"]:
            for exercise in assignment["exercises"]:
                if exercise["weight"] == 1:
                    del exercise["weight"]
                if exercise["source"] is None:
                    del exercise["source"]
        return data

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write `release.json` into the folder, atomically. Returns: its path."""
        return write_json(Path(folder) / FILE, self.as_json())


def read(folder: str | os.PathLike[str]) -> Release:
    """The release in this folder. Raises: InvalidInput, one line, for a folder without one and for a damaged file."""
    path = Path(folder) / FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidInput(f"there is no {path}; give the folder that `pgcourse assignment make` wrote") from None
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read {path} ({error}); make the release again") from None
    try:
        return from_json(data)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise InvalidInput(f"{path} is no release: {what}; make it again with `pgcourse assignment make`") from None


def from_json(data: dict[str, Any]) -> Release:
    """The release that `Release.as_json` described. Raises: InvalidInput, KeyError or TypeError where it is none."""
    assignments = tuple(
        Assignment(
            name=each["name"],
            notebook=each["notebook"],
            exercises=tuple(GradedExercise(**exercise) for exercise in each["exercises"]),
            manual=tuple(
                ManualCell(**{**cell, "rubric": tuple(RubricItem(**item) for item in cell["rubric"])})
                for cell in each.get("manual", ())
            ),
        )
        for each in data["assignments"]
    )
    return Release(**{**data, "late": Late(**data["late"]), "assignments": assignments})
