"""Observers for statistics of runs: one number from a few, and intervals from resampling (no answers in here)."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.observe import KEPT, OPPOSITE, call, seed_everything
from pgcourse.checks.observe.asking import Ask, Asking
from pgcourse.checks.observe.record import Arrays, Case, fresh, record_mutations

STATISTICS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda x: x.mean(),
    "median": lambda x: x.median(),
    "largest": lambda x: x.amax(),
}
_MOST_VALUES = 10_000  # of a statistic that are written down
VARIED = 9  # so many different numbers of x make hardly any two resamples hold the same
FEW = 500  # so many resamples are drawn once more


def as_number(value: Any) -> float | None:
    """A Python (fractions and decimals too) or NumPy number or a tensor without dimensions as a float; else None, of bool too."""
    if type(value) is Tensor or type(value) is np.ndarray:
        plain = value.ndim == 0 and not isinstance(value.item(), bool | complex)
        return float(value) if plain else None
    if isinstance(value, bool) or not isinstance(value, numbers.Real | Decimal):
        return None
    try:
        return float(value)
    except OverflowError:  # a Python int beyond every float
        return float("inf")
    except ValueError:  # a Decimal that signals
        return float("nan")


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
    """Call the attempt; a number of any kind (Python, NumPy, tensor without dimensions) is written down alike.

    Then turn the sign of all inputs where they lie and call again: `OPPOSITE`; then look at the first result: `KEPT`. In
    reverse order, most statistics are what they were.

    Fields:
      signature: names of the case's entries as the attempt takes them, keyword-only ones after `*`.
    """

    signature: str

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        arrays: Arrays = {}
        inputs = fresh(case)
        result = call(attempt, self.signature, inputs)
        _record_number(arrays, "result", result)
        record_mutations(arrays, case, inputs)
        if not arrays["mutated"].size and not arrays["left"].size:
            with torch.no_grad():
                for name, value in case.items():
                    if isinstance(value, Tensor):
                        inputs[name].copy_(-value)
            _record_number(arrays, OPPOSITE, call(attempt, self.signature, inputs))
            _record_number(arrays, KEPT, result)
        return arrays


def _record_number(arrays: Arrays, name: str, value: Any) -> None:
    arrays[f"{name}.kind"] = np.array(kind_of(value))
    if (number := as_number(value)) is not None:
        arrays[name] = np.array(number)


class _Traced:
    """A statistic that remembers what it was given and what it gave."""

    def __init__(self, statistic: Callable[[Tensor], Tensor], x: Tensor) -> None:
        self.statistic, self.x = statistic, x
        self.samples: list[Tensor] = []  # [R] each
        self.values: list[Tensor] = []
        self.shapes: set[str] = set()

    def __call__(self, sample: Any) -> Any:
        if not isinstance(sample, Tensor):
            self.shapes.add(kind_of(sample))
            sample = torch.as_tensor(sample)
        result = self.statistic(sample)
        if sample.ndim != 1:
            self.shapes.add(kind_of(sample))
        elif len(self.samples) >= _MOST_VALUES:
            pass
        elif torch._C._functorch.is_batchedtensor(sample):  # called by torch.vmap, for many at once
            rows = _unmapped(sample).clone().reshape(-1, len(sample))
            self.samples += rows.unbind()
            self.values += _unmapped(result).reshape(-1).expand(len(rows)).unbind()
        else:
            self.samples.append(sample.clone())
            self.values.append(result)
        return result

    def facts(self) -> Arrays:
        """See `Resampling`."""
        none, foreign = torch.zeros(0, dtype=torch.float64), False
        sizes, ordered, marks = sorted({len(sample) for sample in self.samples}), self.x.sort().values, [none]
        weights = torch.sin(7.0 * torch.arange(len(self.x), dtype=torch.float64) + 1)
        for size in sizes:
            rows = torch.stack([sample for sample in self.samples if len(sample) == size]).detach().to(self.x.dtype)
            foreign = foreign or not bool(torch.isin(rows, self.x).all())
            marks.append(weights[torch.searchsorted(ordered, rows).clamp(max=len(ordered) - 1)].sum(-1))
        values = torch.stack(self.values).detach().double() if self.values else none
        return {
            "values": values.numpy(),
            "resamples": torch.cat(marks).numpy(),
            "sizes": np.array(sizes, dtype=np.int64),
            "odd inputs": np.array(sorted(self.shapes), dtype=str),
            "foreign": np.array(foreign),
        }


def _unmapped(value: Tensor) -> Tensor:
    """What torch.vmap shows a part of, the whole of it: mapped axes first."""
    if not torch._C._functorch.is_batchedtensor(value):
        return value
    axis = torch._C._functorch.maybe_get_bdim(value)
    return _unmapped(torch._C._functorch.get_unwrapped(value).movedim(axis, 0))


@dataclass(frozen=True)
class Resampling(Asking):
    """Call the attempt with a statistic that is watched, and with other generators; with `repeat` three times more.

    The case holds `x` [R], `statistic` (a key of STATISTICS), `confidence`, `num_resamples`, `seed` of the generator and
    `repeat`.
    Recorded are facts, which `unit_07/bootstrap_interval.py` judges: `result.kind`, with `low` and `high` where the
    result is two numbers; of the statistic's calls, those of torch.vmap one by one, their `values` in order, the `sizes`
    of what it was given, `odd inputs` that were no 1-D tensor and `foreign` (it was given numbers that are not in x);
    whether another run gave the same (`repeated with the same seed`, with other global random states; `repeated with
    another seed`; `repeated after other draws` from a generator with the same seed); whether the generator has `moved`;
    and, where x has so many values that hardly two resamples hold the same, which share of them is `alike` in a run and
    `shared` with one of another seed.
    """

    signature: str = "x, *, statistic, confidence, num_resamples, generator"

    sets: ClassVar[int] = 1  # of hidden inputs: each takes ten thousand calls of the statistic

    @property
    def answerer(self) -> partial[Intervals]:
        return partial(Intervals, signature=self.signature)

    def drive(self, ask: Ask, case: Case) -> Arrays:
        given = {name: case[name] for name in ("x", "statistic", "confidence", "num_resamples")}

        def run(extra: int = 0, draws: int = 0, world: int = 1) -> Arrays:
            return ask("interval", **given, seed=case["seed"] + extra, draws=draws, world=world)

        arrays = run(world=0)
        if "low" not in arrays or "high" not in arrays:
            return arrays
        arrays["moved"] = np.array(not np.array_equal(arrays.pop("state"), _generator(case["seed"], 0).get_state()))
        repeats = {"with the same seed": (0, 0), "with another seed": (1, 0), "after other draws": (0, 999)}
        if not case["repeat"]:
            repeats = {}
        varied = len(case["x"].unique()) >= VARIED
        if varied:
            kinds, counts = np.unique(arrays["resamples"].round(9), return_counts=True)
            arrays["alike"] = np.array(1 - len(kinds) / max(counts.sum(), 1))
            if case["num_resamples"] <= FEW:
                repeats |= {"with another seed": (1, 0)}
        for name, (extra, draws) in repeats.items():
            again = run(extra, draws)
            alike = all(
                end in again and np.array_equal(arrays[end], again[end], equal_nan=True) for end in ("low", "high")
            )
            arrays[f"repeated {name}"] = np.array(alike)
            if varied and extra:
                arrays["shared"] = np.array(np.isin(again["resamples"].round(9), kinds).sum() / max(counts.sum(), 1))
        return arrays


def _generator(seed: int, draws: int) -> torch.Generator:
    generator = torch.Generator().manual_seed(seed)
    torch.rand(draws, generator=generator)
    return generator


class Intervals:
    """Beside the attempt: intervals of one generator."""

    def __init__(self, attempt: Any, signature: str) -> None:
        self._attempt, self._signature = attempt, signature

    def interval(
        self, x: Tensor, statistic: str, confidence: float, num_resamples: int, seed: int, draws: int, world: int
    ) -> Arrays:
        """One call. Args: draws: taken from the generator before. world: seed of all other random states."""
        generator = _generator(seed, draws)
        seed_everything(world)
        case = {"x": x, "confidence": confidence, "num_resamples": num_resamples}
        inputs, traced = fresh(case), _Traced(STATISTICS[statistic], x.clone())
        result = call(self._attempt, self._signature, {**inputs, "statistic": traced, "generator": generator})
        arrays = _interval(result)
        record_mutations(arrays, case, inputs)
        return arrays | traced.facts() | {"state": generator.get_state().numpy()}


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
