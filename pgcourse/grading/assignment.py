"""Make the hand-out of a class: student notebooks, the teacher's key, nbgrader's source version, `release.json`."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pgcourse.errors import InvalidInput
from pgcourse.grading import assignment_folder, assignment_text
from pgcourse.grading.assignment_parts import Part, private_part, unit_part
from pgcourse.grading.assignment_private import PrivateFile, read_folder
from pgcourse.grading.assignment_source import units
from pgcourse.grading.assignment_stub import require_nbgrader
from pgcourse.grading.experiments import EXPERIMENTS
from pgcourse.grading.private import checks_digest
from pgcourse.grading.release import Late, Release


@dataclass(frozen=True)
class Settings:
    """What a teacher decides.

    Fields: units: their numbers. points: id of an exercise -> its points in this class; 0 leaves it in the notebook as
    practice. exercises: folder of own exercises. experiments: whether each unit asks for one. version: of the package.
    """

    out: Path
    units: tuple[int, ...]
    version: str
    due: datetime | None = None
    late: Late = field(default_factory=Late)
    points: Mapping[str, float] = field(default_factory=dict)
    exercises: Path | None = None
    experiments: bool = True


@dataclass(frozen=True)
class Made:
    """The release, the files written, and those kept because somebody changed them."""

    release: Release
    written: Sequence[str]
    kept: Sequence[str]


def make(settings: Settings, *, force: bool = False) -> Made:
    """Write the release folder. The same settings again restore what is missing, and change nothing else.

    Args: force: write over another release, and over files that somebody changed.
    Raises: InvalidInput, one line, for a setting, a private exercise or a folder that will not do.
    """
    require_nbgrader()
    known = units()
    if missing := [number for number in settings.units if number not in known]:
        raise InvalidInput(f"unit {missing[0]} has no exercises; there are units {', '.join(map(str, known))}")
    private = read_folder(settings.exercises, set(known.values())) if settings.exercises else []
    parts = [
        unit_part(known[number], settings.points, EXPERIMENTS.get(number) if settings.experiments else None)
        for number in sorted(set(settings.units))
    ]
    parts += [private_part(file, settings.points) for file in private]
    parts.sort(key=lambda part: part.assignment.name)
    _refuse_unknown(settings.points, parts)
    release = Release(
        version=settings.version,
        checks=checks_digest(exercise for part in parts for exercise in part.graded),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        due=settings.due.isoformat() if settings.due else None,
        late=settings.late,
        assignments=tuple(part.assignment for part in parts),
    )
    old = assignment_folder.standing(settings.out, release, force=force)
    if old is not None and not assignment_folder.differing(old, release):
        release = replace(release, made=old.made)
    written, kept = assignment_folder.write(settings.out, release, _files(release, parts, private), old, force=force)
    return Made(release, written, kept)


def stamp(release: Release) -> str:
    """Eight hexadecimal digits that stand in each notebook and change when anything that decides a mark does."""
    data = {key: value for key, value in release.as_json().items() if key != "made"}
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode("utf-8")).hexdigest()[:8]


def _files(release: Release, parts: Sequence[Part], private: Sequence[PrivateFile]) -> dict[str, str]:
    files: dict[str, str] = {}
    for part in parts:
        files |= part.files(release, stamp(release))
    files |= {f"teacher/exercises/{file.name}.py": file.source for file in private}
    files["teacher/nbgrader_config.py"] = assignment_text.NBGRADER_CONFIG
    files["README.md"] = assignment_text.readme(release, private=bool(private))
    return files


def _refuse_unknown(points: Mapping[str, float], parts: Sequence[Part]) -> None:
    here = [exercise.id for part in parts for exercise in part.exercises]
    for id in points:
        if id not in here:
            close = difflib.get_close_matches(id, here, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(here)}"
            raise InvalidInput(f"--points: no exercise of these units is called {id!r}; {hint}")
