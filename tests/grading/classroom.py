"""A class made up for tests: a release, notebooks filled in with known answers, and the marks that they must get."""

import base64
import contextlib
import copy
import json
import random
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cloudpickle
import nbformat

import pgcourse
from pgcourse.checks.exercise import Exercise, get
from pgcourse.checks.observe import observe
from pgcourse.checks.sandbox import preserved_state
from pgcourse.grading.marks.judge import Answers
from pgcourse.grading.quarantine.prepare import inputs
from pgcourse.grading.release.make import Settings, make
from tests.checks.answers import right
from tests.grading.export import Unexportable, export

SEED = 2024  # of the hidden inputs
KINDS = ("alternatives", "misconceptions", "partly", "published", "empty", "broken")  # of what is handed in


def make_release(folder: Path, *units: int, **settings: Any) -> Path:
    """Answers that travel as bytes need cloudpickle there."""
    libraries = ("cloudpickle",)
    make(Settings(out=folder, units=units, version="0.1.0", experiments=False, libraries=libraries, **settings))
    return folder


def cells(path: Path) -> dict[str, Any]:
    """Id -> cell of a notebook."""
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


def notebook(release: Path, name: str) -> dict[str, Any]:
    """The notebook as handed out."""
    return json.loads((release / "student" / f"{name}.ipynb").read_text(encoding="utf-8"))


def fill(handed_out: Mapping[str, Any], answers: Mapping[str, str]) -> dict[str, Any]:
    """The notebook with these sources in its solution cells."""
    filled = copy.deepcopy(dict(handed_out))
    for cell in filled["cells"]:
        if (id := grade_id(cell)) in answers:
            cell["source"] = answers[id]
    return filled


def grade_id(cell: Mapping[str, Any]) -> str:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def solutions(release: Path, name: str) -> dict[str, str]:
    """exercise -> the published solution's cell."""
    key = json.loads((release / "teacher" / "key" / f"{name}.ipynb").read_text(encoding="utf-8"))
    cells = {grade_id(cell): cell["source"] for cell in key["cells"] if cell["cell_type"] == "code"}
    texts = {id: source if isinstance(source, str) else "".join(source) for id, source in cells.items()}
    return {id: text for id, text in texts.items() if f"check-{id}" in cells}


def hand_in(folder: Path, student: str, name: str, content: Mapping[str, Any] | str | bytes) -> Path:
    path = folder / student / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Mapping):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def by_value(function: Any) -> bytes:
    """The function with all of our code that it uses. Later pickles of this process are as before."""
    cloudpickle.register_pickle_by_value(pgcourse)
    try:
        return cloudpickle.dumps(function)
    finally:
        cloudpickle.unregister_pickle_by_value(pgcourse)


def as_cell(function: Any, id: str) -> str:
    """A cell that defines the function and leaves nothing else behind. Raises: Unexportable."""
    try:
        body = export(function, f"answer_to_{id}").replace("from __future__ import annotations\n", "")
    except (Unexportable, SyntaxError):
        # Made in a way that has no source of its own: its code travels as bytes, which the grader never reads.
        data = base64.b64encode(by_value(function)).decode()
        return f"import base64\nimport cloudpickle\n{id} = cloudpickle.loads(base64.b64decode({data!r}))\n"
    return f"def make_{id}():\n{textwrap.indent(body, '    ')}    return answer_to_{id}\n\n{id} = make_{id}()\n"


@cache
def answers(id: str) -> Answers:
    exercise = get(id)
    return Answers(exercise, inputs(exercise, SEED))


@cache
def share_here(id: str, function: Any) -> float:
    """The share of the points, worked out without any child: what the grader must give too."""
    known = answers(id)
    with preserved_state():
        seen = [observe(known.exercise.observe, function, case) for case in known.inputs.cases]
    verdicts = known.verdicts(seen)
    groups = known.groups(verdicts)
    return 1.0 if all(groups.values()) else known.share(verdicts, groups)


@dataclass
class Work:
    """What one student hands in, with a word on its kind, and exercise -> (status, share, misconception) to be given."""

    kind: str
    assignment: str
    content: Any
    expected: dict[str, tuple[str, float, str | None]]


def generated(release: Path, units: Mapping[str, list[str]], count: int, seed: int = 0) -> dict[str, Work]:
    """student -> work: published solutions, alternatives, misconceptions, partly filled, empty and broken notebooks.

    Args: units: assignment -> its exercises. Alternatives and misconceptions are dealt out in turn, so that all of them
    come up before one comes up again.
    """
    source = random.Random(seed)
    decks = {id: Deck(get(id), source) for ids in units.values() for id in ids}
    kinds = (*KINDS, "misconceptions", "misconceptions")
    names = list(units)
    made = {}
    for number in range(count):
        name, kind = names[number % len(names)], kinds[number // len(names) % len(kinds)]
        handed_out = notebook(release, name)
        cells: dict[str, str] = {}
        nothing = ("not attempted", 0.0, None)
        expected: dict[str, tuple[str, float, str | None]] = dict.fromkeys(units[name], nothing)
        if kind == "published":
            cells = {id: text for id, text in solutions(release, name).items() if id in units[name]}
            expected = dict.fromkeys(cells, ("correct", 1.0, None))
        elif kind in ("alternatives", "misconceptions", "partly"):
            for id in units[name][:: 2 if kind == "partly" else 1]:
                named, function, cells[id] = decks[id].deal(kind == "alternatives")
                expected[id] = "not yet" if named else "correct", share_here(id, function), named
        content: Any = fill(handed_out, cells)
        if kind == "broken":
            content = ("", "{", "[1, 2]", '{"cells": 3}', "\x00\x01")[number % 5]
        made[f"student{number:03}"] = Work(kind, name, content, expected)
    return made


class Deck:
    """Answers to one exercise in shuffled order, again and again."""

    def __init__(self, exercise: Exercise, source: random.Random) -> None:
        self.exercise, self.source = exercise, source
        # The package's own classes are alternatives too; no student can hand them in as theirs.
        own = [
            f
            for f in right(exercise.id)
            if getattr(f, "__module__", "").startswith(("pgcourse.checks", "tests.checks"))
        ]
        self.full: dict[bool, list[tuple[str | None, Any]]] = {
            True: [(None, function) for function in own],
            False: [(each.id, each.wrong) for each in exercise.misconceptions],
        }
        self.piles: dict[bool, list[tuple[str | None, Any]]] = {True: [], False: []}

    def deal(self, right: bool) -> tuple[str | None, Any, str]:
        """(misconception or None, function, its cell)."""
        for _ in range(200):
            if not self.piles[right]:
                self.piles[right] = list(self.full[right])
                self.source.shuffle(self.piles[right])
            named, function = self.piles[right].pop()
            with contextlib.suppress(Unexportable):
                return named, function, as_cell(function, self.exercise.id)
        raise Unexportable(self.exercise.id)
