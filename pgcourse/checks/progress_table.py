"""The table of `pgcourse progress`."""

from __future__ import annotations

from pgcourse.checks import progress
from pgcourse.checks.exercise import exercises

_MARKS = {"correct": "✓", "not yet": "✗", "not attempted": " "}


def table() -> str:
    """Plain text: unit, exercise, state, points and minutes left for each, then the totals and where it is kept."""
    entries = progress.load()["exercises"]
    head = ("unit", "exercise", "state", "tries", "hints", "points", "minutes left")
    rows: list[tuple[str, ...]] = []
    earned = total = minutes_left = solved = 0
    for exercise in exercises():
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
    return "\n".join([line(head), rule, *map(line, rows), rule, totals, f"Kept in {progress.path()}"])
