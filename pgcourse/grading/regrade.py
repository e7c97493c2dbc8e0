"""Grading some students once more (`--only`): their notebooks run afresh, and everybody else stays as the last run left them."""

import json
from collections.abc import Sequence

from pgcourse.errors import InvalidInput
from pgcourse.grading.marks.gradebook import Student
from pgcourse.grading.marks.kept import read_students, require_same_release
from pgcourse.grading.release.manifest import Release
from pgcourse.grading.settings import Settings


def others(settings: Settings, release: Release, names: Sequence[str]) -> list[Student]:
    """All students of the last run but these. Raises: InvalidInput where that run's marks cannot stand beside new ones."""
    left = [student for student in read_students(settings.out) if student.name not in names]
    require_same_release(left, release, settings.out)
    if settings.hidden_seed is not None and settings.hidden_seed != _kept_seed(settings):
        raise InvalidInput("--hidden-seed with --only: another seed is for the whole class; leave one of the two away")
    return left


def forget(settings: Settings, names: Sequence[str]) -> None:
    """Leave nothing of what the notebooks of these students did, so that they run again."""
    for name in names:
        for path in (settings.out / "observations" / name).glob("*.json"):
            path.unlink(missing_ok=True)


def _kept_seed(settings: Settings) -> object:
    try:
        return json.loads((settings.out / "grading.json").read_text(encoding="utf-8"))["hidden_seed"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
