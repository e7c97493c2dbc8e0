"""tanh_log_prob(mean, log_std, pre_tanh_action): log-density of a squashed Gaussian action."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import softplus

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_05.gaussian_log_prob import HALF_LOG_2PI, Answer, each_dimension, gaussian_log_prob, to_case


def log_slope(u: Tensor) -> Tensor:
    """log(1 - tanh(u)^2), [B, D]: that of 4 / (e^u + e^-u)^2, since in float32 tanh(10) is exactly 1."""
    return 2 * (math.log(2) - u - softplus(-2 * u))


def tanh_log_prob(mean: Tensor, log_std: Tensor, pre_tanh_action: Tensor) -> Tensor:
    """Log-density of a = tanh(u): log N(u) - sum of log(1 - tanh(u)^2). [B, D] -> [B]."""
    return table(mean, log_std, pre_tanh_action).sum(dim=-1)


def table(mean: Tensor, log_std: Tensor, u: Tensor) -> Tensor:
    """Log-densities [B, D] before the sum."""
    return each_dimension(mean, log_std, u) - log_slope(u)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. log 2 is squashed to 0.6, where the slope of tanh is 0.64."""
    case = partial(to_case, last="pre_tanh_action")
    yield case([[0.0]], [0.0], [[math.log(2)]])
    yield case([[1.0, -1.0]], [0.0, math.log(2)], [[2.0, 0.5]])
    yield case([[0.5, -1.0], [0.0, 0.5]], [[-0.5, 1.0], [0.5, -1.0]], [[-0.5, 1.5], [0.25, -1.0]])
    yield case([[9.0, -8.0]], [0.0, 0.5], [[10.0, -10.0]])
    source = generator(seed)
    yield case(normal(source, 5, 3), 0.5 * normal(source, 3), normal(source, 5, 3))
    yield case(normal(source, 4, 1), 0.5 * normal(source, 4, 1), normal(source, 4, 1))
    wide = partial(normal, source, dtype=torch.float64)
    yield case(wide(3, 2), 0.5 * wide(2), 2 * wide(3, 2))


def minus(slope: Callable[[Tensor], Tensor]) -> Answer:
    """An answer with the Gaussian right, from which `slope` of the action before tanh is subtracted."""
    return lambda mean, log_std, u: (each_dimension(mean, log_std, u) - slope(u)).sum(-1)


def with_eps(eps: float) -> Answer:
    """An answer through a rounded tanh, and a small number that keeps the logarithm finite."""
    return minus(lambda u: torch.log(1 - u.tanh() ** 2 + eps))


def through_atanh(action: Callable[[Tensor], Tensor], eps: float) -> Answer:
    """An answer that makes an action of u, keeps it from the edges, and finds another u with atanh."""
    return lambda mean, log_std, u: tanh_log_prob(mean, log_std, action(u).clamp(-1 + eps, 1 - eps).atanh())


EXERCISE = Exercise.listed(
    "tanh_log_prob",
    cases=cases,
    observe=Call("mean, log_std, pre_tanh_action", differentiable=("mean", "log_std")),
    reference=tanh_log_prob,
    hints=(
        "Where tanh is flat, many u land on nearly the same a: the density of a is high there. So do you divide the "
        "density of u by the slope of tanh, or multiply? And what does that make of the logarithm?",
        "The result is log N(u; mean, std) minus log(1 - tanh(u)^2), summed over the dimensions. In float32 tanh(10) "
        "is exactly 1. Write tanh with exponentials: 1 - tanh(u)^2 = 4 / (exp(u) + exp(-u))^2, and take the logarithm "
        "of that on paper.",
        "log_slope = 2 * (math.log(2) - u - torch.nn.functional.softplus(-2 * u)), with softplus(x) = log(1 + exp(x)). "
        "Return (gaussian - log_slope).sum(-1), where gaussian [B, D] is the log-density of u before its sum.",
    ),
    misconceptions=(
        Misconception(
            "slope-forgotten",
            "You returned the log-density of u, the action before tanh. Squashing moves the points together, so the "
            "density changes: for every dimension the logarithm of the slope of tanh is missing.",
            gaussian_log_prob,
        ),
        Misconception(
            "slope-added",
            "The slope's logarithm has the wrong sign. Where tanh is flat, many u land on nearly the same action, so the "
            "density there must go up; the slope is below 1 and its logarithm negative. Subtract it.",
            minus(lambda u: -log_slope(u)),
            (minus(lambda u: -torch.log(1 - u.tanh() ** 2)), minus(lambda u: -torch.log(1 - u.tanh() ** 2 + 1e-6))),
        ),
        Misconception(
            "rounded-tanh",
            "Your formula goes through tanh(u), and in float32 tanh(10) is rounded to exactly 1, so that its slope is 0. A "
            "small number added only hides this. Write 1 - tanh^2 with exponentials and take its logarithm on paper.",
            with_eps(1e-6),
            (
                *(with_eps(eps) for eps in (0, 1e-5, 1e-7, 1e-8, 1e-10)),
                minus(lambda u: torch.log((1 - u.tanh() ** 2).clamp(min=1e-6))),
                minus(lambda u: torch.log((1 - u.tanh() ** 2).clamp(min=1e-8))),
                lambda mean, log_std, u: tanh_log_prob(mean, log_std, torch.atanh(u.tanh())),
            ),
        ),
        Misconception(
            "action-cut-back",
            "You clamped the action to a range before its density or its slope was taken, to stay clear of the edges. At u = "
            "10 that is the density of another action. In exponentials nothing overflows up to far beyond 10.",
            lambda mean, log_std, u: tanh_log_prob(mean, log_std, u.clamp(-5, 5)),
            (
                minus(lambda u: log_slope(u.clamp(-5, 5))),
                minus(lambda u: torch.log(1 - u.tanh().clamp(-0.999999, 0.999999) ** 2)),
                *(through_atanh(torch.tanh, eps) for eps in (1e-6, 1e-7, torch.finfo(torch.float32).eps)),
            ),
        ),
        Misconception(
            "density-at-the-squashed-action",
            "You evaluated the Gaussian at tanh(u). The Gaussian is over u, before the squashing; only the slope has to do "
            "with tanh.",
            lambda mean, log_std, u: (each_dimension(mean, log_std, u.tanh()) - log_slope(u)).sum(-1),
            (lambda mean, log_std, u: gaussian_log_prob(mean, log_std, u.tanh()),),
        ),
        Misconception(
            "taken-for-the-squashed-action",
            "You treated the given action as if it were squashed already, with 1 - u^2 as the slope. It is u, before tanh: it "
            "may be larger than 1, and then your logarithm is NaN, or that of an action at the edge.",
            minus(lambda u: torch.log(1 - u**2)),
            (
                minus(lambda u: torch.log(1 - u**2 + 1e-6)),
                *(through_atanh(lambda u: u, eps) for eps in (-torch.inf, 1e-3, 1e-4, 1e-6)),
            ),
        ),
        Misconception(
            "square-missing",
            "The derivative of tanh is 1 - tanh^2; the square is missing in your slope. At u = -10 yours is 2, although tanh "
            "is all but flat there.",
            # In exponentials, or a rounded tanh would be the mistake that shows at u = 10.
            minus(lambda u: math.log(2) - softplus(2 * u)),
            (minus(lambda u: torch.log(1 - u.tanh())), minus(lambda u: torch.log(1 - u.tanh() + 1e-6))),
        ),
        Misconception(
            "slope-wrong",
            "A term of your slope is wrong. Test its logarithm: at u = 0 it must be 0, for u and -u the same, never above 0, "
            "and far out it must fall by 2 where |u| grows by 1. Which of your signs or factors breaks this?",
            minus(lambda u: 2 * (math.log(2) - u + softplus(-2 * u))),
            (
                minus(lambda u: 2 * (math.log(2) - u - softplus(2 * u))),
                minus(lambda u: 2 * (math.log(2) + u - softplus(-2 * u))),
                minus(lambda u: 2 * (math.log(2) - u - softplus(-u))),
                minus(lambda u: 2 * (-u - softplus(-2 * u))),
                minus(lambda u: math.log(2) - 2 * u - 2 * softplus(-2 * u)),
                minus(lambda u: 0.5 * log_slope(u)),
                minus(lambda u: log_slope(u) + math.log(2)),  # as for a = 2 tanh(u)
            ),
        ),
        Misconception(
            "slope-summed-otherwise",
            "You summed the slopes over the whole batch, or not at all, so that broadcasting paired every row with every "
            "dimension. Each action has its own slopes: sum Gaussian and slopes over the last axis, and then combine them.",
            lambda mean, log_std, u: gaussian_log_prob(mean, log_std, u) - log_slope(u).sum(),
            (
                lambda mean, log_std, u: gaussian_log_prob(mean, log_std, u).unsqueeze(-1) - log_slope(u),
                lambda mean, log_std, u: (gaussian_log_prob(mean, log_std, u).unsqueeze(-1) - log_slope(u)).sum(-1),
            ),
        ),
        Misconception(
            "dimensions-not-summed",
            "You returned one number for each dimension, [B, D]. An action is one event: its log-density is the sum over "
            "its dimensions.",
            table,
        ),
        Misconception(
            "averaged-over-dimensions",
            "You took the mean over the dimensions where the sum belongs. Densities and slopes of independent dimensions "
            "multiply: all the logarithms add up.",
            lambda mean, log_std, u: table(mean, log_std, u).mean(-1),
        ),
        Misconception(
            "gaussian-constant-missing",
            "The log-density of u lacks log(2 pi) / 2 in each dimension. It changes no gradient, and it is part of the "
            "density all the same: exp of your result does not integrate to 1.",
            lambda mean, log_std, u: (table(mean, log_std, u) + HALF_LOG_2PI).sum(-1),
        ),
    ),
)
