"""Observer for functions that cut a batch into shuffled minibatches: what they draw, and what it depends on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.observe import call, seed_everything
from pgcourse.checks.observe.asking import Ask, Asking
from pgcourse.checks.observe.record import Arrays, Case

REPEATED = 2  # epochs that are drawn once more to be compared
TOGETHER = 25  # epochs of one question: an answer takes longer on its way than an epoch


@dataclass(frozen=True)
class Minibatches(Asking):
    """Iterate over the attempt's result for several epochs in a row, and again from the same and from another seed.

    Each epoch begins with the state in which the one before left the generator; it is handed over as a state, not a seed.

    The case holds `batch_size`, `minibatch_size`, `seed` of the generator and `epochs`. Recorded are facts, which
    `unit_04/minibatches.py` judges: for each epoch e, `sizes e` [M] and `rows e` [sum of sizes] in order of appearance;
    `entry.kind` of the first entry that is no 1-D index tensor; `endless`; and whether a second run drew the same
    minibatches, whatever the order inside of them (`repeated with the same seed`, with other global random states;
    `repeated with another seed`; `repeated after other draws` from a generator with the same seed).
    """

    signature: str = "batch_size, minibatch_size, *, generator"

    @property
    def answerer(self) -> partial[Draws]:
        return partial(Draws, signature=self.signature)

    def drive(self, ask: Ask, case: Case) -> Arrays:
        arrays = _epochs(ask, case, case["epochs"], case["seed"], world=0)
        first = _minibatches(arrays, case["batch_size"], case["epochs"])
        if first is None:
            return arrays
        for name, extra, draws in (
            ("with the same seed", 0, 0),
            ("with another seed", 1, 0),
            ("after other draws", 0, 999),
        ):
            again = _epochs(ask, case, REPEATED, case["seed"] + extra, draws, world=1)
            alike = first[:REPEATED] == _minibatches(again, case["batch_size"], REPEATED)
            arrays[f"repeated {name}"] = np.array(alike)
        return arrays


def _epochs(ask: Ask, case: Case, epochs: int, seed: int, draws: int = 0, *, world: int) -> Arrays:
    """So many epochs in a row. Args: draws: taken from the generator before. world: seed of all global states."""
    generator = torch.Generator().manual_seed(seed)
    torch.rand(draws, generator=generator)
    sizes = {name: case[name] for name in ("batch_size", "minibatch_size")}
    arrays: Arrays = {}
    state = generator.get_state()
    for first in range(0, epochs, TOGETHER):
        count = min(TOGETHER, epochs - first)
        answer = ask("draw", **sizes, state=state, epochs=count, world=world + first)
        if "state" not in answer:
            return arrays | answer
        arrays |= {"result.kind": answer["result.kind"]}
        arrays |= {f"{name} {first + n}": answer[f"{name} {n}"] for name in ("sizes", "rows") for n in range(count)}
        state = torch.from_numpy(answer["state"].copy())
    return arrays


def _minibatches(arrays: Arrays, batch_size: int, epochs: int) -> list[list[list[int]]] | None:
    """The rows of each minibatch of each epoch, sorted; None where there was one that is no index tensor."""
    found = []
    most = 2 * batch_size + 2
    for epoch in range(epochs):
        if f"rows {epoch}" not in arrays or f"sizes {epoch}" not in arrays:
            return None
        rows, sizes = arrays[f"rows {epoch}"], arrays[f"sizes {epoch}"]
        whole = rows.ndim == sizes.ndim == 1 and rows.dtype == sizes.dtype == np.int64 and (sizes >= 0).all()
        if not whole or len(sizes) > most or len(rows) > 2 * most or sizes.sum() != len(rows):
            raise ValueError("minibatches that no loop gives")
        parts = np.split(arrays[f"rows {epoch}"], np.cumsum(arrays[f"sizes {epoch}"])[:-1])
        found.append([sorted(part.tolist()) for part in parts])
    return found


class Draws:
    """Beside the attempt: the minibatches of epochs in a row."""

    def __init__(self, attempt: Any, signature: str) -> None:
        self._attempt, self._signature = attempt, signature

    def draw(self, batch_size: int, minibatch_size: int, state: Tensor, epochs: int, world: int) -> Arrays:
        """So many epochs. Args: state: of the generator; comes back as it is then. world: seed of all global states."""
        seed_everything(world)
        generator = torch.Generator()
        generator.set_state(state)
        given = {"batch_size": batch_size, "minibatch_size": minibatch_size, "generator": generator}
        arrays: Arrays = {}
        for epoch in range(epochs):
            found = self._epoch(given)
            arrays |= {f"{name} {epoch}" if name in ("sizes", "rows") else name: found[name] for name in found}
            if "rows" not in found:
                return arrays
        return arrays | {"state": generator.get_state().numpy()}

    def _epoch(self, given: Case) -> Arrays:
        result = call(self._attempt, self._signature, given)
        arrays: Arrays = {"result.kind": np.array(type(result).__name__)}
        if result is None or result is Ellipsis or isinstance(result, int | float | str) or callable(result):
            return arrays
        if (isinstance(result, Tensor) and result.ndim == 0) or not hasattr(result, "__iter__"):
            return arrays
        most = 2 * given["batch_size"] + 2
        parts = list(itertools.islice(iter(result), most))
        for part in parts:
            if (kind := _kind(part)) != "index tensor":
                return arrays | {"entry.kind": np.array(kind)}
        if len(parts) == most or sum(map(len, parts)) > 2 * most:
            return arrays | {"endless": np.array(True)}
        arrays["sizes"] = np.array([len(part) for part in parts], dtype=np.int64)
        arrays["rows"] = np.array([row for part in parts for row in part.tolist()], dtype=np.int64)
        return arrays


def _kind(part: Any) -> str:
    if type(part) is not Tensor:
        return type(part).__name__
    if part.dtype != torch.int64:
        return f"{str(part.dtype).removeprefix('torch.')} tensor"
    return "index tensor" if part.ndim == 1 else f"tensor of shape {list(part.shape)}"
