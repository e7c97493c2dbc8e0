"""How far the learner is: units, exercises, states, points, minutes left."""

import html
from dataclasses import dataclass

from ...checks import progress
from ...checks.catalogue import EXERCISES, UNITS
from .. import page

MARKS = {"correct": "✓", "not yet": "✗", "not attempted": "·"}


@dataclass(frozen=True)
class Standing:
    """One exercise as the learner stands with it."""

    unit: str
    id: str
    title: str
    status: str
    points: int
    earned: int
    minutes_left: int
    tries: int
    hints: int
    solution_seen: bool


def standings() -> list[Standing]:
    """All exercises, in course order."""
    entries = progress.load()["exercises"]
    found = []
    for exercise in EXERCISES:
        entry = entries.get(exercise.id, {})
        status = str(entry.get("status", "not attempted"))
        solved = status == "correct"
        found.append(
            Standing(
                exercise.unit, exercise.id, exercise.title, status, exercise.points, exercise.points * solved,
                exercise.minutes * (not solved), int(entry.get("attempts", 0)), int(entry.get("hints", 0)),
                bool(entry.get("solution_shown")),
            )
        )  # fmt: skip
    return found


def progress_page() -> None:
    """Show it as it is now; run the cell again to renew it."""
    rows = standings()
    answers = progress.load()["answers"].values()
    marked = [answer["correct"] for answer in answers if answer.get("correct") is not None]
    units = "".join(
        _unit(unit, [row for row in rows if row.unit == unit]) for unit in sorted({row.unit for row in rows})
    )
    total = _sums(rows)
    right = f" Questions answered: {len(marked)}, {sum(marked)} of them right the last time." if marked else ""
    content = (
        f"<p><strong>{total}</strong>.{right}</p>{units}"
        "<p style='font-size: 90%'>✓ correct, ✗ not yet, · not attempted. "
        f"Kept in <code>{html.escape(str(progress.path()))}</code></p>"
    )
    lines = [f"{row.unit} {MARKS[row.status]} {row.id}: {row.earned} of {row.points} points" for row in rows]
    page.display({"text/html": content, "text/plain": "\n".join([*lines, total])}, raw=True)


def _unit(unit: str, rows: list[Standing]) -> str:
    """A unit to unfold, open where something is begun and not yet done."""
    earned, points = sum(row.earned for row in rows), sum(row.points for row in rows)
    begun = any(row.tries for row in rows) and earned < points
    body = "".join(
        f"<tr><td style='text-align: left'>{MARKS.get(row.status, '·')} <code>{row.id}</code></td>"
        f"<td style='text-align: left'>{html.escape(row.title)}</td>"
        f"<td style='text-align: left'>{row.status}{' (solution seen)' if row.solution_seen else ''}</td>"
        f"<td>{row.tries}</td><td>{row.hints}</td><td>{row.earned} of {row.points}</td><td>{row.minutes_left}</td></tr>"
        for row in rows
    )
    head = "".join(
        f"<th scope='col'>{word}</th>" for word in ("exercise", "", "state", "tries", "hints", "points", "minutes left")
    )
    meter = f"<meter min='0' max='{points}' value='{earned}' aria-label='points of unit {unit}'></meter>"
    return (
        f"<details{' open' if begun else ''}><summary>{unit} {html.escape(UNITS[unit].title)} {meter} {_sums(rows)}</summary>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></details>"
    )


def _sums(rows: list[Standing]) -> str:
    solved, left = sum(row.status == "correct" for row in rows), sum(row.minutes_left for row in rows)
    earned, points = sum(row.earned for row in rows), sum(row.points for row in rows)
    return f"{solved} of {len(rows)} exercises, {earned} of {points} points, about {left} minutes left"
