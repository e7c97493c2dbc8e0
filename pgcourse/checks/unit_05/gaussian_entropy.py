"""gaussian_entropy(log_std): how widely a Gaussian policy explores."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, Normal

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_05.gaussian_entropy_wrong import MISCONCEPTIONS


def gaussian_entropy(log_std: Tensor) -> Tensor:
    """Sum over D of log_std + log(2 pi e) / 2, in nats. log_std [D] -> scalar, [B, D] -> [B]."""
    return (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(dim=-1)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"log_std": torch.tensor([0.0])}
    yield {"log_std": torch.tensor([math.log(2), 0.0])}
    yield {"log_std": torch.tensor([[0.5, -1.0], [0.25, 1.0]])}
    yield {"log_std": torch.tensor([-3.0, -2.0])}  # narrow: the entropy of a density may be negative
    source = generator(seed)
    yield {"log_std": normal(source, 5, 3)}
    yield {"log_std": normal(source, 4, 1)}
    yield {"log_std": normal(source, 1, 3)}
    yield {"log_std": normal(source, 6, dtype=torch.float64) * 0.5}


def _with_independent(log_std: Tensor) -> Tensor:
    return Independent(Normal(torch.zeros_like(log_std), log_std.exp()), 1).entropy()


def _with_normal_and_sum(log_std: Tensor) -> Tensor:
    return Normal(0.0, log_std.exp()).entropy().sum(-1)


def _with_determinant(log_std: Tensor) -> Tensor:
    covariance = torch.diag_embed((2 * log_std).exp())
    return 0.5 * torch.logdet(2 * math.pi * math.e * covariance)


def _with_covariance_matrix(log_std: Tensor) -> Tensor:
    return MultivariateNormal(torch.zeros_like(log_std), scale_tril=torch.diag_embed(log_std.exp())).entropy()


def _with_loop(log_std: Tensor) -> Tensor:
    if log_std.ndim == 2:
        return torch.stack([_with_loop(row) for row in log_std])
    total: Tensor | float = 0.0
    for entry in log_std.unbind():
        total = total + 0.5 + 0.5 * math.log(2 * math.pi) + entry
    assert isinstance(total, Tensor)
    return total


def _in_double_precision(log_std: Tensor) -> Tensor:
    variance = log_std.double().exp() ** 2
    return (0.5 * torch.log(2 * math.pi * math.e * variance)).sum(-1).to(log_std.dtype)


EXERCISE = Exercise(
    id="gaussian_entropy",
    unit="05",
    title="Entropy of a Gaussian policy",
    points=1,
    minutes=10,
    difficulty=1,
    cases=cases,
    observe=Call("log_std", differentiable=("log_std",)),
    reference=gaussian_entropy,
    alternatives=(
        _with_independent,
        _with_normal_and_sum,
        _with_determinant,
        _with_covariance_matrix,
        _with_loop,
        _in_double_precision,
    ),
    hints=(
        "Entropy is the mean of minus the log-density. You have the log-density from exercise 1: which of its terms is "
        "random, and what is the mean of z^2 when z is a unit Gaussian?",
        "One dimension has log_std + log(2 pi) / 2 + 1/2, because the mean of z^2 is 1. Written together the constant "
        "is log(2 pi e) / 2 = 1.419. Add it in every dimension, then sum over the last axis.",
        "return (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1). Check with [0, 0]: 2.838.",
    ),
    misconceptions=MISCONCEPTIONS,
)
