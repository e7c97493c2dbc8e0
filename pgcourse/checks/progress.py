"""What the learner has done so far, in `$PGCOURSE_HOME/progress.json` (else `~/.pgcourse/progress.json`).

Two kernels may write at once (a lock beside the file), a damaged file is set aside and never deleted, and trouble with
the disk costs one printed line, never the answer of a check. What could not be written is kept in memory until the
kernel ends.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pgcourse.checks.catalogue import EXERCISES
from pgcourse.errors import InvalidInput
from pgcourse.storage import atomic_write

Progress = dict[str, Any]
Change = Callable[[Progress], object]

_LOCK_SECONDS = 10.0
_MARKS = {"correct": "✓", "not yet": "✗", "not attempted": " "}
_pending: list[Change] = []
_complained: set[str] = set()


def path() -> Path:
    """Where the progress is kept."""
    home = os.environ.get("PGCOURSE_HOME")
    return (Path(home) if home else Path.home() / ".pgcourse") / "progress.json"


def load() -> Progress:
    """`{"version": 1, "exercises": {id: entry}, "answers": {id: entry}}`. Never raises; a damaged file is set aside."""
    try:
        progress = _read()
    except OSError as error:
        _complain(f"Progress cannot be read from {path()}: {error.strerror or error}. This check is not affected.")
        progress = _empty()
    for change in _pending:
        change(progress)
    return progress


def record_check(exercise_id: str, status: str) -> None:
    """Count one check. Correct stays correct, whatever is checked later; a stub does not count as an attempt."""

    def change(progress: Progress) -> None:
        entry = _entry(progress, exercise_id)
        entry["last_check"] = _now()
        if status == "not attempted":
            return
        entry["attempts"] += 1
        entry.setdefault("first_attempt", _now())
        if entry["status"] != "correct":
            entry["status"] = status
            if status == "correct":
                entry["solved"] = _now()

    _update(change)


def record_hint(exercise_id: str, number: int) -> None:
    """Note that hint `number` (from 1) was given."""

    def change(progress: Progress) -> None:
        entry = _entry(progress, exercise_id)
        entry["hints"] = max(entry["hints"], number)

    _update(change)


def record_solution(exercise_id: str) -> None:
    """Note that the solution was shown."""
    _update(lambda progress: _entry(progress, exercise_id).update(solution_shown=True))


def record_answer(question_id: str, answer: Any, confidence: float | None, correct: bool | None) -> None:
    """Keep the answer to a quiz question or a prediction.

    Args: answer: anything JSON can hold. confidence: in [0, 1], or None where it was not asked. correct: None where the
    answer is not marked.
    """

    def change(progress: Progress) -> None:
        before = progress["answers"].get(question_id, {})
        progress["answers"][question_id] = {
            "answer": answer,
            "confidence": confidence,
            "correct": correct,
            "first_answer": before.get("first_answer", answer),
            "tries": before.get("tries", 0) + 1,
            "time": _now(),
        }

    _update(change)


def hints_taken(exercise_id: str) -> int:
    """How many hints the learner has read."""
    entry = load()["exercises"].get(exercise_id, {})
    return int(entry.get("hints", 0))


def table() -> str:
    """Plain text: unit, exercise, state, points and minutes left for each, then the totals and where it is kept."""
    entries = load()["exercises"]
    head = ("unit", "exercise", "state", "tries", "hints", "points", "minutes left")
    rows: list[tuple[str, ...]] = []
    earned = total = minutes_left = solved = 0
    for exercise in EXERCISES:
        entry = entries.get(exercise.id, {})
        status = entry.get("status", "not attempted")
        done = status == "correct"
        points, left = exercise.points * done, exercise.minutes * (not done)
        earned, total, minutes_left, solved = (
            earned + points,
            total + exercise.points,
            minutes_left + left,
            solved + done,
        )
        state = f"{_MARKS.get(status, ' ')} {status}" + (" (solution seen)" if entry.get("solution_shown") else "")
        tries, hints = str(entry.get("attempts", 0)), str(entry.get("hints", 0))
        rows.append((exercise.unit, exercise.id, state, tries, hints, f"{points}/{exercise.points}", str(left)))
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(row: tuple[str, ...]) -> str:
        cells = [
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    totals = f"{solved} of {len(rows)} exercises, {earned} of {total} points, about {minutes_left} minutes left"
    return "\n".join([line(head), rule, *map(line, rows), rule, totals, f"Kept in {path()}"])


def _read() -> Progress:
    try:
        return _checked(json.loads(path().read_text(encoding="utf-8")))
    except FileNotFoundError:
        return _empty()
    except ValueError:
        _set_aside()
        return _empty()


def _update(change: Change) -> None:
    # Changes wait as changes, not as a copy of the file: another kernel may write it in between.
    _pending.append(change)
    file = path()
    try:
        with _locked(file):
            progress = _read()
            for waiting in _pending:
                waiting(progress)
            atomic_write(file, json.dumps(progress, indent=1, ensure_ascii=False) + "\n")
        _pending.clear()
    except (OSError, Timeout, InvalidInput) as error:
        reason = "another program holds the lock" if isinstance(error, Timeout) else str(error)
        _complain(f"Progress could not be saved in {file}: {reason}. Your answer counts until the kernel ends.")


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{file}.lock", timeout=_LOCK_SECONDS, poll_interval=0.01):
        yield


def _entry(progress: Progress, exercise_id: str) -> dict[str, Any]:
    entry: dict[str, Any] = progress["exercises"].setdefault(exercise_id, {})
    for name, default in (("status", "not attempted"), ("attempts", 0), ("hints", 0)):
        entry.setdefault(name, default)
    return entry


def _empty() -> Progress:
    return {"version": 1, "exercises": {}, "answers": {}}


def _checked(progress: Any) -> Progress:
    sections = [progress.get(name) if isinstance(progress, dict) else None for name in ("exercises", "answers")]
    if not all(isinstance(part, dict) and all(isinstance(entry, dict) for entry in part.values()) for part in sections):
        raise ValueError("not a progress file")
    for entry in progress["exercises"].values():
        if not all(isinstance(entry.get(name, 0), int) for name in ("hints", "attempts")):
            raise ValueError("not a progress file")
    return dict(progress)


def _set_aside() -> None:
    file = path()
    count = 1
    while (aside := file.with_name(f"{file.name}.damaged-{count}")).exists():
        count += 1
    try:
        file.rename(aside)
    except OSError:
        _complain(f"{file} is damaged and cannot be moved; progress starts anew in memory.")
        return
    _complain(f"{file} was damaged; it is kept as {aside.name}, and progress starts anew.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _complain(line: str) -> None:
    if line not in _complained:
        _complained.add(line)
        print(line)
