"""A small graded class with experiments, made without a child process: readings, students' files, a release, a key."""

import base64
import json
import struct
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pgcourse.grading import tables
from pgcourse.grading.marking.desk import Desk
from pgcourse.grading.marks import gradebook, history, report
from pgcourse.grading.marks.judge import Judged, Judgement
from pgcourse.grading.release.experiments import EXPERIMENTS
from pgcourse.grading.release.manifest import Assignment, GradedExercise, Late, ManualCell, Release, RubricItem
from pgcourse.grading.release.notebooks import TEXT_STUB as STUB

SECRET = "s" * 43
LONG = ManualCell("report-2", 4.5, "A longer report", (RubricItem(3, "The method."), RubricItem(1.5, "Its limits.")))
RELEASE = Release(
    version="0.1.0",
    checks="ab" * 32,
    made="2026-11-22T03:00:00+00:00",
    due=None,
    late=Late(),
    assignments=(
        Assignment(
            "01_reinforce",
            "student/01_reinforce.ipynb",
            (GradedExercise("reinforce_loss", 2),),
            (EXPERIMENTS[1].cell(),),
        ),
        Assignment("02_baselines", "student/02_baselines.ipynb", (GradedExercise("policy_network", 2),), (LONG,)),
    ),
)
EXPECTED = {
    EXPERIMENTS[1].cell().id: EXPERIMENTS[1].expected,
    "report-2": "A method, and **why**.",
    "policy_network": "def",
}
ANSWER = """**Prediction.** With γ = 0.5 I expect *slow* learning, since only the last steps count.

| setting | seed 417 | seed 418 | seed 419 |
|---|---|---|---|
| γ = 0.5 | 61 | 48 | 55 |
| γ = 0.99 | 180 | 171 | 203 |

The seeds of γ = 0.9 and γ = 0.99 overlap, so I name no winner."""
CODE = 'settings = {\n    "γ = 0.5": replace(reinforce.CARTPOLE_NO_BASELINE, gamma=0.5, num_episodes=150),\n}\n'
PRINTED = "γ = 0.5\n  seed 417: last 50 episodes 61\n  seed 418: last 50 episodes 48\n"


def png(width: int = 2, height: int = 2) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x99" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def answer(id: str, text: str = ANSWER, *figures: str) -> dict[str, Any]:
    """An entry of `written`."""
    cell = {"source": CODE, "printed": PRINTED, "figures": list(figures or [in_base64(png(320, 200))])}
    return {"id": id, "text": text, "cells": [cell]}


def mark_command(grades: Path, release: Path, *options: str) -> list[str]:
    """What starts the page without opening a browser."""
    python = [sys.executable, "-m", "pgcourse", "mark"]
    return [*python, str(grades), "--release", str(release), "--no-browser", *options]


def make_class(
    root: Path, answers: Mapping[str, str | None], withheld: Mapping[str, str] | None = None
) -> tuple[Path, Path]:
    """Args: answers: student -> answer to each experiment; None: nothing handed in. withheld: student -> exercise.

    Returns: the folders of the grades and of the release.
    """
    grades, release = root / "grades", root / "class"
    RELEASE.write(release)
    for each in RELEASE.assignments:
        cells = [{"id": id, "source": EXPECTED[id]} for id in EXPECTED]
        key = release / "teacher" / "key" / f"{each.name}.ipynb"
        key.parent.mkdir(parents=True, exist_ok=True)
        key.write_text(json.dumps({"cells": cells}))
        handed_out = release / each.notebook
        handed_out.parent.mkdir(parents=True, exist_ok=True)
        handed_out.write_text(json.dumps({"cells": [{"id": id, "source": [STUB]} for id in EXPECTED]}))
    for name, text in answers.items():
        for each in RELEASE.assignments if text is not None else ():
            data = {"written": [answer(cell.id, str(text)) for cell in each.manual]}
            data["solutions"] = {e.id: [e.id] for e in each.exercises}  # type: ignore[assignment]
            source = "def {}():\n    return sys._getframe()"
            data["cells"] = [{"id": e.id, "source": source.format(e.id)} for e in each.exercises]
            path = grades / "readings" / name / f"{each.name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(data))
    students = [
        gradebook.student(
            name,
            RELEASE,
            {each.name: judged(each, (withheld or {}).get(name)) for each in RELEASE.assignments},
            gradebook.Tables({}, {}, {}),
            missing=[each.name for each in RELEASE.assignments if text is None],
        )
        for name, text in answers.items()
    ]
    report.write(grades, students, history.Run({}, seed=2024))
    gradebook.manual(grades / "manual.csv", RELEASE, [name for name, text in answers.items() if text is not None])
    gradebook.overrides(grades / "overrides.csv", RELEASE)
    return grades, release


def judged(assignment: Assignment, withheld: str | None) -> Judged:
    """Every exercise is right, but for the one that is withheld."""
    found = {each.id: Judgement("correct", 1.0, f"✓ {each.id}") for each in assignment.exercises}
    if withheld in found:
        found[withheld] = Judgement("withheld", 0.0, f"○ {withheld}: withheld\nIt uses sys._getframe.")
    return Judged(found)


def desk(root: Path, answers: Mapping[str, str | None], withheld: Mapping[str, str] | None = None) -> Desk:
    return Desk(*make_class(root, answers, withheld), SECRET)


def id_of(desk: Desk, name: str) -> str:
    return next(person.id for person in desk.people.values() if person.name == name)


def table(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """(student, id) -> row of a table."""
    rows = tables.whole_table(path, ("student", "points"))[1]
    return {(row["student"], row.get("id") or row["exercise"]): row for row in rows}
