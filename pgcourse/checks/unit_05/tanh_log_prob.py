"""tanh_log_prob(mean, log_std, pre_tanh_action): log-density of a squashed Gaussian action."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform
from torch.nn.functional import logsigmoid, softplus

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_05.tanh_log_prob_wrong import MISCONCEPTIONS


def tanh_log_prob(mean: Tensor, log_std: Tensor, pre_tanh_action: Tensor) -> Tensor:
    """Log-density of a = tanh(u): log N(u) - sum of log(1 - tanh(u)^2). [B, D] -> [B]."""
    u = pre_tanh_action
    z = (u - mean) / log_std.exp()
    log_prob = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)  # [B, D], of u
    # 1 - tanh(u)^2 = 4 / (e^u + e^-u)^2, whose logarithm needs no tanh: in float32 tanh(10) is exactly 1.
    log_slope = 2 * (math.log(2) - u - softplus(-2 * u))  # [B, D], log of da/du
    return (log_prob - log_slope).sum(dim=-1)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. log 2 is squashed to 0.6, where the slope of tanh is 0.64."""
    zero = torch.tensor([0.0])
    yield {"mean": torch.tensor([[0.0]]), "log_std": zero, "pre_tanh_action": torch.tensor([[math.log(2)]])}
    yield {
        "mean": torch.tensor([[1.0, -1.0]]),
        "log_std": torch.tensor([0.0, math.log(2)]),
        "pre_tanh_action": torch.tensor([[2.0, 0.5]]),
    }
    yield {
        "mean": torch.tensor([[0.5, -1.0], [0.0, 0.5]]),
        "log_std": torch.tensor([[-0.5, 1.0], [0.5, -1.0]]),
        "pre_tanh_action": torch.tensor([[-0.5, 1.5], [0.25, -1.0]]),
    }
    yield {
        "mean": torch.tensor([[9.0, -8.0]]),
        "log_std": torch.tensor([0.0, 0.5]),
        "pre_tanh_action": torch.tensor([[10.0, -10.0]]),
    }
    source = generator(seed)
    yield {"mean": normal(source, 5, 3), "log_std": 0.5 * normal(source, 3), "pre_tanh_action": normal(source, 5, 3)}
    yield {
        "mean": normal(source, 4, 1),
        "log_std": 0.5 * normal(source, 4, 1),
        "pre_tanh_action": normal(source, 4, 1),
    }
    yield {
        "mean": normal(source, 3, 2, dtype=torch.float64),
        "log_std": 0.5 * normal(source, 2, dtype=torch.float64),
        "pre_tanh_action": 2 * normal(source, 3, 2, dtype=torch.float64),
    }


def _gaussian(mean: Tensor, log_std: Tensor, u: Tensor) -> Tensor:
    return Normal(mean, log_std.exp()).log_prob(u)


def _with_transformed_distribution(mean: Tensor, log_std: Tensor, pre_tanh_action: Tensor) -> Tensor:
    # The cache keeps which u an action came from; without it, atanh of a rounded tanh would have to find u again.
    squash = TanhTransform(cache_size=1)
    distribution = TransformedDistribution(Independent(Normal(mean, log_std.exp()), 1), [squash])
    return distribution.log_prob(squash(pre_tanh_action))


def _with_transform_slope(mean: Tensor, log_std: Tensor, pre_tanh_action: Tensor) -> Tensor:
    slope = TanhTransform().log_abs_det_jacobian(pre_tanh_action, pre_tanh_action.tanh())
    return _gaussian(mean, log_std, pre_tanh_action).sum(-1) - slope.sum(-1)


def _with_sigmoids(mean: Tensor, log_std: Tensor, pre_tanh_action: Tensor) -> Tensor:
    u = pre_tanh_action
    log_slope = math.log(4) + logsigmoid(2 * u) + logsigmoid(-2 * u)
    return (_gaussian(mean, log_std, u) - log_slope).sum(1)


def _with_cosh(mean: Tensor, log_std: Tensor, pre_tanh_action: Tensor) -> Tensor:
    return (_gaussian(mean, log_std, pre_tanh_action) + 2 * torch.log(torch.cosh(pre_tanh_action))).sum(-1)


def _with_logaddexp(mean: Tensor, log_std: Tensor, pre_tanh_action: Tensor) -> Tensor:
    log_cosh = torch.logaddexp(pre_tanh_action, -pre_tanh_action) - math.log(2)
    return torch.einsum("bd->b", _gaussian(mean, log_std, pre_tanh_action) + 2 * log_cosh)


def _in_double_precision(mean: Tensor, log_std: Tensor, pre_tanh_action: Tensor) -> Tensor:
    u = pre_tanh_action.double()
    log_prob = _gaussian(mean.double(), log_std.double(), u) - torch.log(1 - torch.tanh(u) ** 2)
    return log_prob.sum(-1).to(mean.dtype)


def _with_loop(mean: Tensor, log_std: Tensor, pre_tanh_action: Tensor) -> Tensor:
    spread = log_std.expand(mean.shape)
    rows = []
    for b in range(len(mean)):
        total = torch.zeros((), dtype=mean.dtype)
        for d in range(mean.shape[1]):
            u = float(pre_tanh_action[b, d])
            z = (u - mean[b, d]) / spread[b, d].exp()
            total = total - z * z / 2 - spread[b, d] - 0.5 * math.log(2 * math.pi) + 2 * math.log(math.cosh(u))
        rows.append(total)
    return torch.stack(rows)


EXERCISE = Exercise(
    id="tanh_log_prob",
    unit="05",
    title="Log-density of a squashed action",
    points=2,
    minutes=18,
    difficulty=3,
    cases=cases,
    observe=Call("mean, log_std, pre_tanh_action", differentiable=("mean", "log_std")),
    reference=tanh_log_prob,
    alternatives=(
        _with_transformed_distribution,
        _with_transform_slope,
        _with_sigmoids,
        _with_cosh,
        _with_logaddexp,
        _in_double_precision,
        _with_loop,
    ),
    hints=(
        "Where tanh is flat, many u land on nearly the same a: the density of a is high there. So do you divide the "
        "density of u by the slope of tanh, or multiply? And what does that make of the logarithm?",
        "The result is log N(u; mean, std) minus log(1 - tanh(u)^2), summed over the dimensions. In float32 tanh(10) "
        "is exactly 1. Write tanh with exponentials: 1 - tanh(u)^2 = 4 / (exp(u) + exp(-u))^2, and take the logarithm "
        "of that on paper.",
        "log_slope = 2 * (math.log(2) - u - torch.nn.functional.softplus(-2 * u)), with softplus(x) = log(1 + exp(x)). "
        "Return (gaussian - log_slope).sum(-1), where gaussian [B, D] is the log-density of u before its sum.",
    ),
    misconceptions=MISCONCEPTIONS,
)
