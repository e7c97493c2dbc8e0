"""Wrong answers to tanh_log_prob."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform
from torch.nn.functional import softplus

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_05.gaussian_parts import HALF_LOG_2PI, each_dimension
from pgcourse.checks.unit_05.tanh_log_prob_parts import Answer, gaussian, log_slope, minus, table
from pgcourse.checks.unit_05.tanh_log_prob_wrong_rest import REST


def _with_eps(eps: float) -> Answer:
    return minus(lambda u: torch.log(1 - u.tanh() ** 2 + eps))


def _kept_above(eps: float) -> Answer:
    return minus(lambda u: torch.log((1 - u.tanh() ** 2).clamp(min=eps)))


def _distribution_of_the_action(mean: Tensor, log_std: Tensor, u: Tensor) -> Tensor:
    distribution = TransformedDistribution(Independent(Normal(mean, log_std.exp()), 1), [TanhTransform()])
    return distribution.log_prob(u.tanh())


MISCONCEPTIONS = (
    Misconception(
        "slope-forgotten",
        "You returned the log-density of u, the action before tanh. Squashing moves the points together, so the "
        "density changes: for every dimension the logarithm of the slope of tanh is missing.",
        lambda mean, log_std, u: each_dimension(mean, log_std, u).sum(-1),
    ),
    Misconception(
        "slope-added",
        "The slope's logarithm has the wrong sign. Where tanh is flat, many u land on nearly the same action, so the "
        "density there must go up; the slope is below 1 and its logarithm negative. Subtract it.",
        minus(lambda u: -log_slope(u)),
        variants=(
            minus(lambda u: -torch.log(1 - u.tanh() ** 2)),
            minus(lambda u: -torch.log(1 - u.tanh() ** 2 + 1e-6)),
        ),
    ),
    Misconception(
        "rounded-tanh",
        "Your formula goes through tanh(u), and in float32 tanh(10) is rounded to exactly 1: its slope is then 0, and the "
        "logarithm infinite. A small number added only hides this: log(1e-6) = -13.8 where the truth is -18.6. Write "
        "1 - tanh^2 with exponentials and take its logarithm on paper.",
        minus(lambda u: torch.log(1 - u.tanh() ** 2 + 1e-6)),
        variants=(
            *(_with_eps(eps) for eps in (0, 1e-5, 1e-7, 1e-8, 1e-10)),
            *(_kept_above(eps) for eps in (1e-8, 1e-7, 1e-10)),
            minus(lambda u: torch.log1p(-(u.tanh() ** 2))),
            minus(lambda u: torch.log((1 - u.tanh()) * (1 + u.tanh()))),
            minus(lambda u: torch.log(1 - u.tanh()) + torch.log(1 + u.tanh())),
            minus(lambda u: torch.log((1 - u.tanh() ** 2).clamp(min=1e-6))),
            minus(lambda u: torch.log(torch.relu(1 - u.tanh() ** 2) + 1e-6)),
            lambda mean, log_std, u: table(mean, log_std, torch.atanh(u.tanh())).sum(-1),
            _distribution_of_the_action,
        ),
    ),
    Misconception(
        "action-cut-back",
        "You clamped the action to a range before its density or its slope was taken, to stay clear of the edges. At u = "
        "10 that is the density of another action. The formula can be rewritten so that nothing overflows up to far "
        "beyond 10; no clamp is needed.",
        lambda mean, log_std, u: table(mean, log_std, u.clamp(-5, 5)).sum(-1),
        variants=(
            lambda mean, log_std, u: table(mean, log_std, u.tanh().clamp(-1 + 1e-6, 1 - 1e-6).atanh()).sum(-1),
            minus(lambda u: torch.log(1 - u.tanh().clamp(-0.999999, 0.999999) ** 2)),
            minus(lambda u: log_slope(u.clamp(-5, 5))),
        ),
    ),
    Misconception(
        "density-at-the-squashed-action",
        "You evaluated the Gaussian at tanh(u). The Gaussian is over u, before the squashing; only the slope has to do "
        "with tanh.",
        lambda mean, log_std, u: (each_dimension(mean, log_std, u.tanh()) - log_slope(u)).sum(-1),
        variants=(
            lambda mean, log_std, u: each_dimension(mean, log_std, u.tanh()).sum(-1),
            lambda mean, log_std, u: (each_dimension(mean, log_std, u.tanh()) - torch.log(1 - u.tanh() ** 2)).sum(-1),
            lambda mean, log_std, u: (
                each_dimension(mean, log_std, u.tanh()) - torch.log(1 - u.tanh() ** 2 + 1e-6)
            ).sum(-1),
        ),
    ),
    Misconception(
        "taken-for-the-squashed-action",
        "You treated the given action as if it were squashed already, and used 1 - u^2 as the slope. It is u, before "
        "tanh: it may be larger than 1, and then your logarithm is NaN.",
        minus(lambda u: torch.log(1 - u**2)),
        variants=(
            minus(lambda u: torch.log(1 - u**2 + 1e-6)),
            minus(lambda u: torch.log(torch.relu(1 - u**2) + 1e-6)),
            lambda mean, log_std, u: (each_dimension(mean, log_std, torch.atanh(u)) - torch.log(1 - u**2)).sum(-1),
        ),
    ),
    Misconception(
        "squashed-twice",
        "You squashed twice: the slope is taken at tanh(u) instead of at u. tanh(u) stands in 1 - tanh(u)^2 once.",
        minus(lambda u: log_slope(u.tanh())),
        variants=(minus(lambda u: torch.log(1 - u.tanh().tanh() ** 2)),),
    ),
    Misconception(
        "square-missing",
        "The derivative of tanh is 1 - tanh^2; the square is missing in your slope. At u = -10 yours is 2, although "
        "tanh is all but flat there.",
        # In exponentials, or a rounded tanh would be the mistake that shows at u = 10.
        minus(lambda u: math.log(2) - softplus(2 * u)),
        variants=(minus(lambda u: torch.log(1 - u.tanh())), minus(lambda u: torch.log(1 - u.tanh() + 1e-6))),
    ),
    Misconception(
        "slope-without-logarithm",
        "You subtracted the slope itself. Densities are divided by the slope, so log-densities have its logarithm "
        "subtracted.",
        minus(lambda u: 1 - u.tanh() ** 2),
    ),
    Misconception(
        "slope-counted-once",
        "You took half of the logarithm of the slope. With cosh it is -2 log cosh(u): is a factor of 2 missing?",
        minus(lambda u: 0.5 * log_slope(u)),
    ),
    Misconception(
        "slope-of-the-whole-batch",
        "You subtracted the slopes of the whole batch from every row. Each action has its own: sum over the last axis "
        "only.",
        lambda mean, log_std, u: each_dimension(mean, log_std, u).sum(-1) - log_slope(u).sum(),
        variants=(lambda mean, log_std, u: each_dimension(mean, log_std, u).sum(-1) - log_slope(u).mean(),),
    ),
    Misconception(
        "slope-averaged",
        "You averaged the slope's logarithm over the dimensions. The volume that an action's surroundings keep is the "
        "product of all the slopes, so their logarithms add up.",
        lambda mean, log_std, u: each_dimension(mean, log_std, u).sum(-1) - log_slope(u).mean(-1),
    ),
    Misconception(
        "slope-not-summed",
        "You summed the Gaussian over the dimensions and left the slope as a table, so that broadcasting paired every "
        "row with every dimension. Sum both over the last axis: the result is [B].",
        lambda mean, log_std, u: each_dimension(mean, log_std, u).sum(-1, keepdim=True) - log_slope(u),
    ),
    Misconception(
        "dimensions-not-summed",
        "You returned one number for each dimension, [B, D]. An action is one event: its log-density is the sum over "
        "its dimensions.",
        table,
    ),
    Misconception(
        "summed-over-the-batch",
        "You reduced the batch too. Each action needs a log-density of its own; only the last axis is summed.",
        lambda mean, log_std, u: table(mean, log_std, u).sum(),
        variants=(lambda mean, log_std, u: table(mean, log_std, u).sum(-1).mean(),),
    ),
    Misconception(
        "axis-of-one-kept",
        "Your numbers are right, but the result is a column, [B, 1]. Multiplied by advantages of shape [B], it would "
        "broadcast to [B, B] without an error.",
        lambda mean, log_std, u: table(mean, log_std, u).sum(-1, keepdim=True),
    ),
    Misconception(
        "std-for-log-std",
        "You used log_std where the standard deviation belongs. The parameter is its logarithm: one exp is missing.",
        gaussian(lambda mean, std, u: -0.5 * ((u - mean) / std).square() - std.log() - HALF_LOG_2PI),
        variants=(lambda mean, log_std, u: Normal(mean, log_std).log_prob(u).sum(-1),),
    ),
    *REST,
)
