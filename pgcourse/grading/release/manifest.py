"""What a teacher hands out, as data: `release.json` in the folder that `pgcourse assignment make` writes.

The grader reads this file and nothing else to know which exercises count, for how much, and until when. A release that
names a teacher's own exercises keeps their files beside it; `exercises.exercises_of` finds the exercise of every id.
"""

import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

from pgcourse.errors import InvalidInput, require_integers, require_numbers
from pgcourse.storage import write_json

FORMAT = 2
FILE = "release.json"
NAME = re.compile(r"\d\d_[a-z0-9_]+")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LIBRARY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LIBRARIES = ("numpy", "scipy", "torch")  # that answers may use, besides Python's own
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class GradedExercise:
    """An exercise that counts: points are those of this class, which may differ from the course's.

    Fields: weight: of the exercise among the others, for a teacher who edits the file; a mark is points x weight.
    source: a teacher's own exercise: its file in the release folder. None: the package's exercise of this id.
    """

    id: str
    points: float
    weight: float = 1.0
    source: str | None = None

    def __post_init__(self) -> None:
        _require_match(IDENTIFIER, "the id of an exercise", self.id, "gae")
        require_numbers(self, "points", "weight", above=True)
        if self.source is not None:
            _require_inside(self.source)


@dataclass(frozen=True)
class RubricItem:
    """One line of a rubric: what an answer must hold to earn these points."""

    points: float
    text: str

    def __post_init__(self) -> None:
        require_numbers(self, "points", above=True)
        if not isinstance(self.text, str) or not self.text.strip():
            raise InvalidInput(f"a rubric line of {self.points:g} points has no text; say what earns them")


@dataclass(frozen=True)
class ManualCell:
    """A cell that a person marks. The rubric's points add up to those of the cell."""

    id: str
    points: float
    title: str
    rubric: tuple[RubricItem, ...]

    def __post_init__(self) -> None:
        _require_match(CELL_ID, "the id of a manual cell", self.id, "experiment-01")
        require_numbers(self, "points", above=True)
        total = sum(item.points for item in self.rubric)
        if abs(total - self.points) > 1e-9:
            raise InvalidInput(f"{self.id}: the rubric adds up to {total:g}, the cell has {self.points:g} points")


@dataclass(frozen=True)
class Late:
    """Share of the score that is lost per started day after the due time, and the most that can be lost."""

    per_day: float = 0.0
    at_most: float = 1.0
    grace_minutes: int = 0

    def __post_init__(self) -> None:
        require_numbers(self, "per_day", "at_most", high=1.0)
        require_integers(self, "grace_minutes", at_least=0)

    def lost(self, minutes_late: float) -> float:
        """The share of the score, 0 to 1, that a submission loses this many minutes after the due time."""
        if minutes_late <= self.grace_minutes:
            return 0.0
        started_days = -(-minutes_late // (24 * 60))
        return min(self.at_most, self.per_day * started_days)


@dataclass(frozen=True)
class Assignment:
    """One notebook: `notebook` is its path in the release folder, with forward slashes.

    Fields: may_use: names of pgcourse that answers may use, dotted: what the notebook itself gives them for it.
    """

    name: str
    notebook: str
    exercises: tuple[GradedExercise, ...]
    manual: tuple[ManualCell, ...] = ()
    may_use: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _require_match(NAME, "the name of an assignment", self.name, "01_reinforce")
        _require_inside(self.notebook)

    @property
    def max_score(self) -> float:
        """What a faultless submission of this notebook earns."""
        return sum(e.points * e.weight for e in self.exercises) + sum(cell.points for cell in self.manual)


@dataclass(frozen=True)
class Release:
    """All settings of one hand-out. Times are ISO 8601 with their offset from UTC.

    Fields: checks: sha256 of the checks of these exercises, see `checks_digest`. due: None where nothing is late.
    libraries: distributions that answers may use, with what those need; nothing else can be imported while they are graded.
    """

    version: str
    checks: str
    made: str
    due: str | None
    late: Late
    assignments: tuple[Assignment, ...]
    libraries: tuple[str, ...] = LIBRARIES
    course: str = "pgcourse"
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise InvalidInput(f"format {self.format!r} is not {FORMAT}; use the pgcourse that made this release")
        parse_time(self.made, "made")
        if self.due is not None:
            parse_time(self.due, "due")
        for library in self.libraries:
            _require_match(LIBRARY, "a library that answers may use", library, "einops")
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
    if Path(folder).is_file():
        raise InvalidInput(f"{folder} is a file; give the folder that `pgcourse assignment make` wrote, such as class/")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InvalidInput(f"there is no {path}; give the folder that `pgcourse assignment make` wrote") from None
    except (OSError, ValueError) as error:
        why = error.strerror or error if isinstance(error, OSError) else error
        raise InvalidInput(
            f"cannot read {path} ({why}); give the folder that `pgcourse assignment make` wrote, or make it again"
        ) from None
    try:
        return from_json(data)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from None
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise InvalidInput(f"{path} is no release: {what}; make it again with `pgcourse assignment make`") from None


def from_json(data: dict[str, Any]) -> Release:
    """The release that `Release.as_json` described. Raises: InvalidInput, KeyError or TypeError where it is none."""
    assignments = []
    for each in data["assignments"]:
        exercises = tuple(GradedExercise(**exercise) for exercise in each["exercises"])
        rubrics = [(cell, tuple(RubricItem(**item) for item in cell["rubric"])) for cell in each.get("manual", ())]
        manual = tuple(ManualCell(**{**cell, "rubric": rubric}) for cell, rubric in rubrics)
        assignments.append(Assignment(each["name"], each["notebook"], exercises, manual, tuple(each["may_use"])))
    libraries = tuple(data["libraries"])
    return Release(**{**data, "libraries": libraries, "late": Late(**data["late"]), "assignments": tuple(assignments)})


def parse_time(text: str, name: str) -> datetime:
    """A time with its offset, such as 2026-12-01T23:59:00+01:00. Raises: InvalidInput for anything else."""
    try:
        time = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise InvalidInput(f"{name}={text!r} is no time; write it like 2026-12-01T23:59:00+01:00") from None
    if time.tzinfo is None:
        raise InvalidInput(f"{name}={text!r} has no offset from UTC; write it like 2026-12-01T23:59:00+01:00")
    return time


def _require_match(pattern: re.Pattern[str], what: str, given: Any, example: str) -> None:
    if not isinstance(given, str) or not pattern.fullmatch(given):
        raise InvalidInput(f"{what} is {given!r}; write it like {example}")


def _require_inside(path: Any) -> None:
    """The grader opens these paths, and a release folder may come from elsewhere."""
    parts = PurePosixPath(path).parts if isinstance(path, str) else ()
    if not parts or "\\" in path or ":" in path or path.startswith("/") or ".." in parts:
        raise InvalidInput(f"the path {path!r} leaves the release folder; use one like student/01_reinforce.ipynb")


def require_different(what: str, names: Iterable[str]) -> None:
    """Raises: InvalidInput when a name comes twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidInput(f"two {what}s are called {name!r}; give each its own name")
        seen.add(name)
