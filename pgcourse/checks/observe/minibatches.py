"""Observer for functions that cut a batch into shuffled minibatches: what they draw, and what it depends on."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.observe import call
from pgcourse.checks.observe.record import Arrays, Case


@dataclass(frozen=True)
class Minibatches:
    """Iterate over the attempt's result for several epochs in a row, and again from the same and from another seed.

    The case holds `batch_size`, `minibatch_size`, `seed` of the generator and `epochs`. Recorded are facts, which
    `unit_04/minibatches.py` judges: for each epoch e, `sizes e` [M] and `rows e` [sum of sizes] in order of appearance;
    `entry.kind` of the first entry that is no 1-D index tensor; `endless`; and whether a second run drew the same
    minibatches, whatever the order inside of them (`repeated with the same seed`, with other global random states;
    `repeated with another seed`; `repeated after other draws` from a generator with the same seed).
    """

    signature: str = "batch_size, minibatch_size, *, generator"

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        arrays: Arrays = {}
        first = self._draw(attempt, case, case["seed"], arrays)
        if first is None:
            return arrays
        torch.default_generator.manual_seed(1)
        np.random.seed(1)  # noqa: NPY002 - the learner may use the global generator
        random.seed(1)
        for name, extra, draws in (
            ("with the same seed", 0, 0),
            ("with another seed", 1, 0),
            ("after other draws", 0, 999),
        ):
            arrays[f"repeated {name}"] = np.array(first == self._draw(attempt, case, case["seed"] + extra, {}, draws))
        return arrays

    def _draw(
        self, attempt: Any, case: Case, seed: int, arrays: Arrays, draws: int = 0
    ) -> list[list[list[int]]] | None:
        """The rows of each minibatch of each epoch, sorted; None for what is no index tensor, which `arrays` says then."""
        generator = torch.Generator().manual_seed(seed)
        torch.rand(draws, generator=generator)
        epochs = []
        for epoch in range(case["epochs"]):
            result = call(attempt, self.signature, {**case, "generator": generator})
            arrays["result.kind"] = np.array(type(result).__name__)
            if result is None or result is Ellipsis or isinstance(result, int | float | str) or callable(result):
                return None
            if (isinstance(result, Tensor) and result.ndim == 0) or not hasattr(result, "__iter__"):
                return None
            most = 2 * case["batch_size"] + 2
            parts = list(itertools.islice(iter(result), most))
            if len(parts) == most:
                arrays["endless"] = np.array(True)
                return None
            for part in parts:
                kind = self._kind(part)
                if kind != "index tensor":
                    arrays["entry.kind"] = np.array(kind)
                    return None
            arrays[f"sizes {epoch}"] = np.array([len(part) for part in parts], dtype=np.int64)
            arrays[f"rows {epoch}"] = np.array([row for part in parts for row in part.tolist()], dtype=np.int64)
            epochs.append([sorted(part.tolist()) for part in parts])
        return epochs

    @staticmethod
    def _kind(part: Any) -> str:
        if type(part) is not Tensor:
            return type(part).__name__
        if part.dtype != torch.int64:
            return f"{str(part.dtype).removeprefix('torch.')} tensor"
        return "index tensor" if part.ndim == 1 else f"tensor of shape {list(part.shape)}"
