"""Observers for statistics of runs: one number from a few, and intervals from resampling (no answers in here)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.observe import call, seed_everything
from pgcourse.checks.observe.asking import Ask, Asking
from pgcourse.checks.observe.record import Arrays, Case, fresh, record_mutations

STATISTICS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda x: x.mean(),
    "median": lambda x: x.median(),
    "largest": lambda x: x.amax(),
}
_MOST_VALUES = 10_000  # of a statistic that are written down


def as_number(value: Any) -> float | None:
    """A Python or NumPy number or a tensor without dimensions as a float; None for everything else, bool included."""
    if type(value) is Tensor or type(value) is np.ndarray:
        plain = value.ndim == 0 and not isinstance(value.item(), bool | complex)
        return float(value) if plain else None
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    try:
        return float(value)
    except OverflowError:  # a Python int beyond every float
        return float("inf")


def kind_of(value: Any) -> str:
    """What a result is, in words: `number`, `None`, `tensor of shape [2]`, else the type's name."""
    if value is None or value is Ellipsis:
        return type(value).__name__
    if as_number(value) is not None:
        return "number"
    if isinstance(value, Tensor | np.ndarray) and value.ndim:
        return f"{'tensor' if isinstance(value, Tensor) else 'numpy array'} of shape {list(value.shape)}"
    return type(value).__name__


@dataclass(frozen=True)
class Number:
    """Call the attempt once; a number of any kind (Python, NumPy, tensor without dimensions) is written down alike.

    Fields:
      signature: names of the case's entries as the attempt takes them, keyword-only ones after `*`.
    """

    signature: str

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        inputs = fresh(case)
        result = call(attempt, self.signature, inputs)
        arrays: Arrays = {"result.kind": np.array(kind_of(result))}
        if (number := as_number(result)) is not None:
            arrays["result"] = np.array(number)
        record_mutations(arrays, case, inputs)
        return arrays


class _Traced:
    """A statistic that remembers what it was given and what it gave."""

    def __init__(self, statistic: Callable[[Tensor], Tensor], x: Tensor) -> None:
        self.statistic, self.x = statistic, x
        self.values: list[float] = []
        self.sizes: set[int] = set()
        self.shapes: set[str] = set()
        self.foreign = self.mapped = False

    def __call__(self, sample: Any) -> Any:
        if not isinstance(sample, Tensor):
            self.shapes.add(kind_of(sample))
            sample = torch.as_tensor(sample)
        if torch._C._functorch.is_batchedtensor(sample):  # called by torch.vmap: numbers cannot be read here
            self.mapped = True
            return self.statistic(sample)
        if sample.ndim != 1:
            self.shapes.add(kind_of(sample))
        result = self.statistic(sample)
        self.sizes.add(sample.shape[0] if sample.ndim else 0)
        if len(self.values) < 20 and not bool(torch.isin(sample.to(self.x.dtype), self.x).all()):
            self.foreign = True
        if len(self.values) < _MOST_VALUES:
            self.values.append(float(result))
        return result


@dataclass(frozen=True)
class Resampling(Asking):
    """Call the attempt with a statistic that is watched; with `repeat` three times more, with other generators.

    The case holds `x` [R], `statistic` (a key of STATISTICS), `confidence`, `num_resamples`, `seed` of the generator and
    `repeat`.
    Recorded are facts, which `unit_07/bootstrap_interval.py` judges: `result.kind`, with `low` and `high` where the
    result is two numbers; of the statistic's calls their `values` in order, the `sizes` of what it was given, `odd
    inputs` that were no 1-D tensor, `mapped` (it was called through torch.vmap) and `foreign` (it was given numbers that
    are not in x); and whether another run gave the same (`repeated with the same seed`, with other global random states;
    `repeated with another seed`; `repeated after other draws` from a generator with the same seed).
    """

    signature: str = "x, *, statistic, confidence, num_resamples, generator"

    def answerer(self, attempt: Any) -> Intervals:
        return Intervals(attempt, self.signature)

    def drive(self, ask: Ask, case: Case) -> Arrays:
        given = {name: case[name] for name in ("x", "statistic", "confidence", "num_resamples")}
        arrays = ask("interval", **given, seed=case["seed"], draws=0, watched=True)
        if "low" not in arrays or "high" not in arrays or not case["repeat"]:
            return arrays
        for name, extra, draws in (
            ("with the same seed", 0, 0),
            ("with another seed", 1, 0),
            ("after other draws", 0, 999),
        ):
            again = ask("interval", **given, seed=case["seed"] + extra, draws=draws, watched=False)
            alike = all(
                end in again and np.array_equal(arrays[end], again[end], equal_nan=True) for end in ("low", "high")
            )
            arrays[f"repeated {name}"] = np.array(alike)
        return arrays


class Intervals:
    """Beside the attempt: intervals of one generator."""

    def __init__(self, attempt: Any, signature: str) -> None:
        self._attempt, self._signature = attempt, signature

    def interval(
        self, x: Tensor, statistic: str, confidence: float, num_resamples: int, seed: int, draws: int, watched: bool
    ) -> Arrays:
        """One call. Args: draws: taken from the generator before. watched: say how the statistic was called."""
        generator = torch.Generator().manual_seed(seed)
        torch.rand(draws, generator=generator)
        if not watched:  # another world, in which only the generator is the same
            seed_everything(1)
        case = {"x": x, "confidence": confidence, "num_resamples": num_resamples}
        inputs, traced = fresh(case), _Traced(STATISTICS[statistic], x.clone())
        called = traced if watched else STATISTICS[statistic]
        result = call(self._attempt, self._signature, {**inputs, "statistic": called, "generator": generator})
        arrays = _interval(result)
        record_mutations(arrays, case, inputs)
        if watched:
            arrays["values"] = np.array(traced.values, dtype=np.float64)
            arrays["sizes"] = np.array(sorted(traced.sizes), dtype=np.int64)
            arrays["odd inputs"] = np.array(sorted(traced.shapes), dtype=str)
            arrays["mapped"], arrays["foreign"] = np.array(traced.mapped), np.array(traced.foreign)
        return arrays


def _interval(result: Any) -> Arrays:
    """The kind of a result, and its two ends where it is two numbers."""
    arrays: Arrays = {"result.kind": np.array(kind_of(result))}
    if isinstance(result, Tensor | np.ndarray):
        pair = list(result) if result.ndim == 1 and len(result) == 2 else []
    else:
        pair = list(result) if isinstance(result, tuple | list) else []
        if isinstance(result, tuple | list):
            parts = " and a ".join(kind_of(part) for part in pair[:3]) + ", ..." * (len(pair) > 3)
            arrays["result.kind"] = np.array(f"{type(result).__name__} of a {parts}" if pair else "empty tuple or list")
    low, high = (as_number(pair[0]), as_number(pair[1])) if len(pair) == 2 else (None, None)
    if low is not None and high is not None:
        arrays["low"], arrays["high"] = np.array(low), np.array(high)
    return arrays
