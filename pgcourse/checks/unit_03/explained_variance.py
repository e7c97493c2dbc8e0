"""explained_variance(values, returns): how much of the returns' variance the critic accounts for."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_03.explained_variance_wrong import MISCONCEPTIONS
from pgcourse.diagnostics import explained_variance


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. None has constant returns, for which there is no right answer."""
    yield {"values": torch.tensor([1.0, 2.0]), "returns": torch.tensor([1.0, 3.0])}
    yield {"values": torch.tensor([11.0, 13.0, 19.0]), "returns": torch.tensor([1.0, 3.0, 9.0])}
    yield {"values": torch.tensor([4.0, 4.0, 4.0, 4.0]), "returns": torch.tensor([1.0, 3.0, 2.0, 6.0])}
    yield {"values": torch.tensor([3.0, 2.0, 1.0]), "returns": torch.tensor([1.0, 2.0, 3.0])}
    source = generator(seed)
    returns = normal(source, 12) * 20 + 50
    yield {"values": 0.7 * returns + 5 * normal(source, 12), "returns": returns}
    double = normal(source, 7, dtype=torch.float64) * 3 - 4
    yield {"values": normal(source, 7, dtype=torch.float64) * 4, "returns": double}


def _with_population_variance(values: Tensor, returns: Tensor) -> Tensor:
    return 1 - torch.var(returns - values, correction=0) / torch.var(returns, correction=0)


def _with_sample_variance(values: Tensor, returns: Tensor) -> Tensor:
    return 1.0 - (values - returns).std() ** 2 / returns.var()


def _with_sums(values: Tensor, returns: Tensor) -> Tensor:
    residual = returns - values
    unexplained = (residual - residual.mean()).square().sum()
    return 1 - unexplained / (returns - returns.mean()).square().sum()


def _with_statistics_library(values: Tensor, returns: Tensor) -> float:
    residual = [g - v for g, v in zip(returns.tolist(), values.tolist(), strict=True)]
    return 1 - statistics.pvariance(residual) / statistics.pvariance(returns.tolist())


def _with_numpy(values: Tensor, returns: Tensor) -> float:
    v, g = values.double().numpy(), returns.double().numpy()
    return float(1 - (g - v).var() / g.var())


def _with_covariance(values: Tensor, returns: Tensor) -> Tensor:
    covariance = torch.cov(torch.stack([values, returns]).double())
    residual = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    return (1 - residual / covariance[1, 1]).to(values.dtype)


EXERCISE = Exercise(
    id="explained_variance",
    unit="03",
    title="How much the critic explains",
    points=1,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=Call("values, returns"),
    reference=explained_variance,
    tolerance=Tolerance(number_for_scalar=True),
    alternatives=(
        _with_population_variance,
        _with_sample_variance,
        _with_sums,
        _with_statistics_library,
        _with_numpy,
        _with_covariance,
    ),
    hints=(
        "Two variances: that of the returns, and that of what is left of them once the critic's prediction is taken "
        "away. How do they compare for a perfect critic, and for one that always says the same?",
        "The residual is returns - values. Divide its variance by the variance of the returns, and take the quotient "
        "away from 1. Use the same kind of variance, biased or unbiased, above and below.",
        "return 1 - (returns - values).var() / returns.var()",
    ),
    misconceptions=MISCONCEPTIONS,
)
