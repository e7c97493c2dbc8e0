"""A bootstrap interval in exchangeable parts, from which its wrong answers are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Generator, Tensor

Statistic = Callable[[Tensor], Tensor]
Attempt = Callable[..., Any]


def resampled(x: Tensor, count: int, generator: Generator | None) -> Tensor:
    """Right: [count, R], each row as many draws from x as x has runs, with replacement."""
    return x[torch.randint(len(x), (count, len(x)), generator=generator)]


def row_by_row(statistic: Statistic, rows: Any) -> Tensor:
    """Right: one number for each resample, [count]."""
    return torch.stack([statistic(row) for row in rows])


def percentiles(values: Tensor, confidence: float, x: Tensor, statistic: Statistic) -> Any:
    """Right: half of what is left out on either side."""
    tail = (1 - confidence) / 2
    return float(values.quantile(tail)), float(values.quantile(1 - tail))


def build(
    *,
    resample: Callable[[Tensor, int, Any], Any] = resampled,
    measure: Callable[[Statistic, Any], Tensor] = row_by_row,
    ends: Callable[[Tensor, float, Tensor, Statistic], Any] = percentiles,
    count: Callable[[int], int] = lambda num_resamples: num_resamples,
    source: Callable[[Generator], Any] = lambda generator: generator,
) -> Attempt:
    """The right function with some of its parts exchanged."""

    def attempt(x: Tensor, *, statistic: Statistic, confidence: float, num_resamples: int, generator: Generator) -> Any:
        values = measure(statistic, resample(x, count(num_resamples), source(generator)))
        return ends(values, confidence, x, statistic)

    return attempt


def between(low: Callable[[float], float], high: Callable[[float], float]) -> Attempt:
    """Other shares for the two ends, as functions of the confidence."""
    return build(ends=lambda v, c, x, statistic: (float(v.quantile(low(c))), float(v.quantile(high(c)))))


def normal_quantile(confidence: float) -> float:
    """How many standard deviations to each side hold this share of a normal distribution."""
    return float(torch.special.ndtri(torch.tensor((1 + confidence) / 2)))


def around(width: Callable[[Tensor, Tensor, float], Tensor], centre: bool = True) -> Attempt:
    """Statistic of x (or the mean of the resampled ones) plus and minus a width."""

    def ends(values: Tensor, confidence: float, x: Tensor, statistic: Statistic) -> tuple[float, float]:
        middle, half = statistic(x) if centre else values.mean(), width(values, x, confidence)
        return float(middle - half), float(middle + half)

    return build(ends=ends)


def basic(values: Tensor, confidence: float, x: Tensor, statistic: Statistic) -> tuple[float, float]:
    """The percentiles mirrored at the statistic of x."""
    low, high = percentiles(values, confidence, x, statistic)
    original = float(statistic(x))
    return 2 * original - high, 2 * original - low


def shuffled(x: Tensor, count: int, generator: Generator) -> Tensor:
    """x in another order, [count, R]."""
    return torch.stack([x[torch.randperm(len(x), generator=generator)] for _ in range(count)])


def drawn_from_a_normal(x: Tensor, count: int, generator: Generator) -> Tensor:
    """New numbers with the mean and standard deviation of x."""
    return x.mean() + x.std() * torch.randn(count, len(x), generator=generator, dtype=x.dtype)


def data_band(correction: int) -> Attempt:
    """The mean and so many standard deviations of the data to both sides."""
    return around(lambda v, x, c: normal_quantile(c) * x.std(correction=correction))


def standard_error_band(correction: int) -> Attempt:
    """The statistic and so many standard errors of the mean to both sides."""
    return around(lambda v, x, c: normal_quantile(c) * x.std(correction=correction) / len(x) ** 0.5)


def sized(size: Callable[[int, int], int]) -> Attempt:
    """Resamples of another size, a function of R and num_resamples."""
    return build(
        resample=lambda x, count, generator: x[torch.randint(len(x), (count, size(len(x), count)), generator=generator)]
    )


def minus(values: Tensor, confidence: float, x: Tensor, statistic: Statistic) -> tuple[float, float]:
    """The ends as distances from the statistic of x."""
    low, high = percentiles(values, confidence, x, statistic)
    return low - float(statistic(x)), high - float(statistic(x))


def width(values: Tensor, confidence: float, x: Tensor, statistic: Statistic) -> float:
    """The distance between the two ends."""
    low, high = percentiles(values, confidence, x, statistic)
    return high - low
