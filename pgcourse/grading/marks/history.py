"""`history.csv`: each attempt of each student, as it was marked. The last one counts."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pgcourse.grading.marks.gradebook import Student, Sum
from pgcourse.grading.quarantine.reading import MAX_BYTES
from pgcourse.grading.tables import rows, write_rows

MARKS = ("digest", "automatic", "automatic_max", "by_hand", "by_hand_max", "open_points")
COLUMNS = ("time", "student", "assignment", *MARKS, "seed")
SHOWN = 5  # attempts at each notebook in a student's JSON


@dataclass(frozen=True)
class Run:
    """A run of the grader.

    Fields: files: (student, assignment) -> path of what was handed in, "" where nothing was. seed: the hidden one, of which
    a fingerprint is kept.
    """

    files: Mapping[tuple[str, str], str]
    seed: int


def note(path: Path, students: Sequence[Student], run: Run | None) -> list[Student]:
    """Add a row for each notebook that is another one than last time, or has other marks; and show each student the last.

    Args: run: None where nothing was graded, and people have marked what the last attempt is. Points are those before
    lateness. The same run again adds nothing.
    Raises: InvalidInput where the table cannot be read.
    """
    standing = rows(path, COLUMNS) if path.exists() else []
    attempts: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in standing:
        attempts[row["student"], row["assignment"]].append(row)
    time, kept = datetime.now(UTC).isoformat(timespec="seconds"), len(standing)
    for student in students:
        for part in student.parts:
            automatic = Sum.of(row for row in part.rows if not row.by_hand)
            by_hand = Sum.of(row for row in part.rows if row.by_hand)
            waiting = sum(row.max_points for row in part.rows if row.open)
            points = (automatic.points, automatic.max_points, by_hand.points, by_hand.max_points, waiting)
            before = attempts[student.name, part.name]
            last = before[-1] if before else {"digest": "", "seed": ""}
            digest = _digest(run.files.get((student.name, part.name), "")) if run else last["digest"]
            row = dict(zip(MARKS, (digest, *(f"{each:g}" for each in points)), strict=True))
            untouched = not before and not digest and not automatic.points and not by_hand.points
            if not untouched and (not before or any(last[name] != row[name] for name in MARKS)):
                head = {"time": time, "student": student.name, "assignment": part.name}
                before.append({**head, **row, "seed": fingerprint(run.seed) if run else last["seed"]})
                standing.append(before[-1])
    if len(standing) != kept or not path.exists():
        write_rows(path, COLUMNS, [[row[name] for name in COLUMNS] for row in standing])
    return [replace(each, attempts=tuple(_shown(attempts, each))) for each in students]


def fingerprint(seed: int) -> str:
    """Eight hexadecimal digits that tell two hidden seeds apart. Small seeds can be guessed from it: it is no student's."""
    return hashlib.sha256(f"hidden seed {seed}".encode()).hexdigest()[:8]


def _shown(attempts: Mapping[tuple[str, str], Sequence[Mapping[str, str]]], student: Student) -> list[dict[str, str]]:
    """The student's last attempts at each notebook, without the seed."""
    own = [row for part in student.parts for row in attempts.get((student.name, part.name), [])[-SHOWN:]]
    return [{name: row[name] for name in ("time", "assignment", *MARKS)} for row in own]


def _digest(path: str) -> str:
    """sha256 of the file's bytes; "" where there is none, "too large" or "unreadable" where it is not read."""
    if not path:
        return ""
    try:
        # Not through a link, and not from a pipe that never ends.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            if os.fstat(descriptor).st_size > MAX_BYTES:
                return "too large"
            return hashlib.sha256(file.read(MAX_BYTES)).hexdigest()
    except OSError:
        return "unreadable"
