"""The submissions of a class, student by student; `found` says which files these are, `reading` what is in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pgcourse.grading.quarantine.found import Place, Stamps, discover
from pgcourse.grading.roster import Roster


@dataclass(frozen=True)
class Submission:
    """One student's notebook for one assignment; without a path, none was handed in. `notes`: for the table of the class."""

    student: str
    assignment: str
    path: str = ""
    notes: tuple[str, ...] = ()


def find(
    folder: Path,
    assignments: Sequence[str],
    roster: Roster | None = None,
    only: Sequence[str] = (),
    stamps: Stamps = lambda files: [()] * len(files),
) -> tuple[list[Submission], list[str]]:
    """All submissions, student by student, and what was left out, in words; see `found.discover`.

    Args: roster: the class; each student of it has submissions, if only missing ones. only: those of these students alone.
    stamps: tells of notebooks for which release and assignment they were made.
    Raises: InvalidInput where there is nothing, and for a name in `only` that nobody has.
    """
    place = discover(folder, assignments, roster)
    if only:
        place.keep(only, roster)
    place.heed(assignments, stamps)
    place.take_unnamed(assignments, stamps)
    keys = [(student, name) for student in place.students for name in assignments]
    return [Submission(*key, str(place.files.get(key, "")), _notes(place, *key)) for key in keys], place.remarks


def _notes(place: Place, student: str, assignment: str) -> tuple[str, ...]:
    """What the table says beside marks. A file that was left out matters where a notebook is missing."""
    own = [place.notes.get((student, name), "") for name in ("", assignment)]
    missing = student in place.left_out and (student, assignment) not in place.files
    return tuple(note for note in [*own, "files left out: see remarks.txt" * missing] if note)
