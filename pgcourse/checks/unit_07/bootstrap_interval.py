"""bootstrap_interval(x, *, statistic, confidence, num_resamples, generator): how far a statistic can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from pgcourse.checks.cases import generator as seeded
from pgcourse.checks.cases import integers, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.record import Case
from pgcourse.checks.observe.statistics import Resampling
from pgcourse.checks.unit_07.bootstrap_interval_judge import judge
from pgcourse.checks.unit_07.bootstrap_interval_wrong import MISCONCEPTIONS
from pgcourse.checks.wording import number, value

Statistic = Callable[[Tensor], Any]


def bootstrap_interval(
    x: Tensor, *, statistic: Statistic, confidence: float, num_resamples: int, generator: Generator
) -> tuple[float, float]:
    """Percentile bootstrap: how far the statistic moves when the runs had been other ones.

    Args: x: [R]. statistic: [R] -> number. confidence: in (0, 1). Returns: (low, high).
    """
    picks = torch.randint(len(x), (num_resamples, len(x)), generator=generator)  # [K, R], with replacement
    values = torch.tensor([float(statistic(x[pick])) for pick in picks], dtype=torch.float64)  # [K]
    tail = (1 - confidence) / 2
    return float(values.quantile(tail)), float(values.quantile(1 - tail))


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. With two runs few statistics are possible, and the ends can be told in advance."""
    source = seeded(seed)
    pair = torch.tensor([0.0, 10.0])
    yield _case(source, pair, "mean", 0.9, 200)
    yield _case(source, pair, "mean", 0.1, 200)
    yield _case(source, torch.tensor([1.0, 4.0]), "largest", 0.9, 200)
    yield _case(source, torch.tensor([1.0, 4.0]), "largest", 0.1, 200)
    yield _case(source, normal(source, 12).exp() * 50, "mean", 0.8, 500, repeat=True)
    yield _case(source, normal(source, 9, dtype=torch.float64) * 30 - 200, "median", 0.5, 300)


def _case(
    source: Generator, x: Tensor, statistic: str, confidence: float, num_resamples: int, *, repeat: bool = False
) -> Case:
    settings = {"statistic": statistic, "confidence": confidence, "num_resamples": num_resamples}
    return {"x": x, **settings, "seed": int(integers(source, 2**31)), "repeat": repeat}


def _show(case: Case) -> str:
    settings = f"confidence={number(case['confidence'])}, num_resamples={case['num_resamples']}, generator=..."
    return f"bootstrap_interval({value(case['x'])}, statistic={case['statistic']}, {settings})"


def _one_by_one(
    x: Tensor, *, statistic: Statistic, confidence: float, num_resamples: int, generator: Generator
) -> list[float]:
    """A loop, a sorted list, and the ends by their places in it."""
    values = []
    for _ in range(num_resamples):
        pick = torch.randint(0, len(x), (len(x),), generator=generator)
        values.append(float(statistic(x[pick])))
    values.sort()
    cut = int((1 - confidence) / 2 * num_resamples)
    return [values[cut], values[num_resamples - 1 - cut]]


def _mapped(x: Tensor, *, statistic: Statistic, confidence: float, num_resamples: int, generator: Generator) -> Tensor:
    """All at once with torch.vmap; the draws from uniform numbers."""
    draws = torch.rand(num_resamples, len(x), generator=generator, dtype=torch.float64)
    values = torch.vmap(statistic)(x[(draws * len(x)).long()])
    return values.quantile(torch.tensor([0.5 - confidence / 2, 0.5 + confidence / 2], dtype=x.dtype))


def _with_multinomial(
    x: Tensor, *, statistic: Statistic, confidence: float, num_resamples: int, generator: Generator
) -> tuple[Tensor, Tensor]:
    weights = torch.ones(num_resamples, len(x))
    rows = x[torch.multinomial(weights, len(x), replacement=True, generator=generator)]
    values = torch.stack([statistic(row) for row in rows])
    statistic(x)  # the statistic of x itself, as many also show
    alpha = 1 - confidence
    return torch.quantile(values, alpha / 2), torch.quantile(values, 1 - alpha / 2)


def _with_numpy(
    x: Tensor, *, statistic: Statistic, confidence: float, num_resamples: int, generator: Generator
) -> tuple[Any, Any]:
    rng = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
    values = [statistic(x[torch.from_numpy(rng.choice(len(x), len(x)))]).item() for _ in range(num_resamples)]
    low, high = np.percentile(values, [50 * (1 - confidence), 50 * (1 + confidence)])
    return low, high


EXERCISE = Exercise(
    id="bootstrap_interval",
    unit="07",
    title="Bootstrap interval",
    points=3,
    minutes=15,
    difficulty=2,
    cases=cases,
    observe=Resampling(),
    judge=judge,
    show_case=_show,
    reference=bootstrap_interval,
    alternatives=(_one_by_one, _mapped, _with_multinomial, _with_numpy),
    hints=(
        "You cannot repeat the experiment, but you can pretend: the R runs you have stand for all runs there could be. Which "
        "four resamples of [0, 10] are equally likely, and what are their means?",
        "num_resamples times: draw R indices with torch.randint(len(x), (len(x),), generator=generator), some of them twice, "
        "and take statistic(x[indices]). Then the quantiles of these statistics at (1 - confidence) / 2 and at 1 minus that.",
        "values = torch.stack([statistic(x[torch.randint(len(x), (len(x),), generator=generator)]) for _ in "
        "range(num_resamples)]); tail = (1 - confidence) / 2; return values.quantile(tail), values.quantile(1 - tail)",
    ),
    misconceptions=MISCONCEPTIONS,
)
