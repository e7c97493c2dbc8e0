"""gaussian_log_prob(mean, log_std, action): log-density of continuous actions."""

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
from pgcourse.checks.unit_05.gaussian_log_prob_wrong import MISCONCEPTIONS


def gaussian_log_prob(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    """Sum over D of -z^2 / 2 - log_std - log(2 pi) / 2, z = (action - mean) / exp(log_std). [B, D] -> [B]."""
    z = (action - mean) / log_std.exp()  # [B, D]
    return (-0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"mean": torch.tensor([[0.0]]), "log_std": torch.tensor([0.0]), "action": torch.tensor([[1.0]])}
    yield {
        "mean": torch.tensor([[1.0, -1.0]]),
        "log_std": torch.tensor([0.0, math.log(2)]),
        "action": torch.tensor([[2.0, 0.0]]),
    }
    yield {
        "mean": torch.tensor([[1.0, -1.0], [0.0, 0.5]]),
        "log_std": torch.tensor([[-0.5, 1.0], [0.5, -1.0]]),
        "action": torch.tensor([[2.0, 3.0], [-1.0, 0.5]]),
    }
    # 60 standard deviations from the mean: the density underflows to 0 even in float64, its logarithm is -1814.
    yield {"mean": torch.tensor([[0.0, 0.5]]), "log_std": torch.tensor([-3.0, 1.5]), "action": torch.tensor([[3.0, 4]])}
    source = generator(seed)
    yield {"mean": normal(source, 5, 3), "log_std": 0.5 * normal(source, 3), "action": normal(source, 5, 3) * 2}
    yield {"mean": normal(source, 4, 1), "log_std": 0.5 * normal(source, 4, 1), "action": normal(source, 4, 1)}
    yield {
        "mean": normal(source, 3, 2, dtype=torch.float64),
        "log_std": 0.5 * normal(source, 2, dtype=torch.float64),
        "action": normal(source, 3, 2, dtype=torch.float64),
    }


def _with_independent(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    return Independent(Normal(mean, log_std.exp()), 1).log_prob(action)


def _with_normal_and_sum(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    return Normal(mean, torch.exp(log_std)).log_prob(action).sum(-1)


def _with_covariance_matrix(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    scale = log_std.exp().expand(mean.shape)
    return MultivariateNormal(mean, scale_tril=torch.diag_embed(scale)).log_prob(action)


def _with_gaussian_nll(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    variance = (2 * log_std).exp().expand(mean.shape)
    loss = torch.nn.functional.gaussian_nll_loss(mean, action, variance, full=True, reduction="none", eps=1e-12)
    return -loss.sum(1)


def _with_loop(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    rows = []
    for b in range(len(mean)):
        total = mean.new_zeros(())
        for d in range(mean.shape[1]):
            std = math.e ** (log_std[b, d] if log_std.ndim == 2 else log_std[d])
            total = total - ((action[b, d] - mean[b, d]) / std) ** 2 / 2 - std.log() - math.log(math.tau) / 2
        rows.append(total)
    return torch.stack(rows)


def _in_double_precision(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    mean, wide, action = mean.double(), log_std.double(), action.double()
    distance = torch.einsum("bd,bd->b", (action - mean) ** 2, torch.exp(-2 * wide).expand(mean.shape))
    constant = wide.expand(mean.shape).sum(1) + mean.shape[1] * math.log(2 * math.pi) / 2
    return (-distance / 2 - constant).to(log_std.dtype)


EXERCISE = Exercise(
    id="gaussian_log_prob",
    unit="05",
    title="Log-density of a Gaussian action",
    points=2,
    minutes=12,
    difficulty=2,
    cases=cases,
    observe=Call("mean, log_std, action", differentiable=("mean", "log_std")),
    reference=gaussian_log_prob,
    alternatives=(
        _with_independent,
        _with_normal_and_sum,
        _with_covariance_matrix,
        _with_gaussian_nll,
        _with_loop,
        _in_double_precision,
    ),
    hints=(
        "Write down the density of one number under a Gaussian and take its logarithm on paper: the product becomes a "
        "sum of three terms, and exp disappears. Independent dimensions multiply their densities. What happens to "
        "their logarithms?",
        "With z = (action - mean) / exp(log_std), one dimension gives -z^2 / 2 - log_std - log(2 pi) / 2. Compute that "
        "as a table [B, D] and sum over the last axis. A log_std of shape [D] broadcasts by itself.",
        "z = (action - mean) / log_std.exp(); return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(-1). "
        "The constant stands inside the sum, because each dimension has it.",
    ),
    misconceptions=MISCONCEPTIONS,
)
