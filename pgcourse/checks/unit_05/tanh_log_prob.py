"""tanh_log_prob(mean, log_std, pre_tanh_action): log-density of a squashed Gaussian action."""

import math
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import softplus

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal
from pgcourse.checks.unit_05.gaussian_log_prob import to_case


def tanh_log_prob(mean: Tensor, log_std: Tensor, pre_tanh_action: Tensor) -> Tensor:
    """Log-density [B] of a = tanh(u), u = pre_tanh_action [B, A]: log N(u) - sum of log(1 - tanh(u)^2)."""
    u = pre_tanh_action
    z = (u - mean) / log_std.exp()
    gaussian = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)
    # The slope is 4 / (e^u + e^-u)^2. Its logarithm is taken on paper: in float32 tanh(10) is exactly 1.
    log_slope = 2 * (math.log(2) - u - softplus(-2 * u))
    return (gaussian - log_slope).sum(dim=-1)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. log 2 is squashed to 0.6, where the slope of tanh is 0.64."""
    case = partial(to_case, last="pre_tanh_action")
    yield case([[0.0]], [0.0], [[math.log(2)]])
    yield case([[1.0, -1.0]], [0.0, math.log(2)], [[2.0, 0.5]])
    yield case([[0.5, -1.0], [0.0, 0.5]], [[-0.5, 1.0], [0.5, -1.0]], [[-0.5, 1.5], [0.25, -1.0]])
    yield case([[9.0, -8.0]], [0.0, 0.5], [[10.0, -10.0]])
    yield case([[0.0, 0.5]], [3.0, -6.0], [[1.5, 0.5]])  # a clamp of log_std shows
    source = generator(seed)
    yield case(normal(source, 5, 3), 0.5 * normal(source, 3), normal(source, 5, 3))
    yield case(normal(source, 4, 1), 0.5 * normal(source, 4, 1), normal(source, 4, 1))
    wide = partial(normal, source, dtype=torch.float64)
    yield case(wide(3, 2), 0.5 * wide(2), 2 * wide(3, 2))
    # Wide and narrow, and near both ends of what is asked for.
    mean, log_std = torch.tensor([[8.0, -9.0]]) + 0.2 * normal(source, 1, 2), torch.tensor([3.0, -6.0])
    yield case(mean, log_std, mean + log_std.exp() * torch.tensor([0.05, 1.0]) * normal(source, 1, 2).tanh())
    # Where float32 has digits of tanh left, and too few of the slope.
    u = torch.tensor([[4.0, 7.0], [-5.0, -7.2], [6.0, 7.4]]) + 0.4 * torch.rand(3, 2, generator=source)
    yield case(u + normal(source, 3, 2), 0.5 * normal(source, 2), u)


U = "u = pre_tanh_action"
SLOPE = "2 * (math.log(2) - u - softplus(-2 * u))"
RESULT = "(gaussian - log_slope).sum(dim=-1)"
mistake = edits_of(tanh_log_prob, torch=torch)

EXERCISE = Exercise.listed(
    "tanh_log_prob",
    cases=cases,
    observe=Call("mean, log_std, pre_tanh_action", differentiable=("mean", "log_std")),
    reference=tanh_log_prob,
    hints=(
        "Where tanh is flat, many u land on nearly the same a: the density of a is high there. So do you divide the "
        "density of u by the slope of tanh, or multiply? And what does that make of the logarithm?",
        "The result is log N(u; mean, std) minus log(1 - tanh(u)^2), summed over the dimensions. In float32 tanh(10) is exactly "
        "1. Write tanh with exponentials: 1 - tanh(u)^2 = 4 / (exp(u) + exp(-u))^2, and take the logarithm of that on paper.",
        "log_slope = 2 * (math.log(2) - u - torch.nn.functional.softplus(-2 * u)), with softplus(x) = log(1 + exp(x)). "
        "Return (gaussian - log_slope).sum(-1), where gaussian [B, A] is the log-density of u before its sum.",
    ),
    misconceptions=(
        mistake(
            "slope-forgotten",
            "You returned the log-density of u, the action before tanh. Squashing moves the points together, so the density "
            "changes: for every dimension the logarithm of the slope of tanh is missing.",
            {"- log_slope": ""},
        ),
        mistake(
            "slope-added",
            "The slope's logarithm has the wrong sign. Where tanh is flat, many u land on nearly the same action, so the "
            "density there must go up; the slope is below 1 and its logarithm negative. Subtract it.",
            {"- log_slope": "+ log_slope"},
            *({"- log_slope": f"+ torch.log(1 - u.tanh() ** 2 + {tiny})"} for tiny in (0, 1e-6)),
        ),
        mistake(
            "rounded-tanh",
            "Your formula goes through tanh(u), and in float32 tanh(10) is rounded to exactly 1, so its slope is 0. A small "
            "number added, or a clamp, only hides this. Write 1 - tanh^2 with exponentials and take its logarithm on paper.",
            *({SLOPE: f"torch.log(1 - u.tanh() ** 2 + {tiny})"} for tiny in (1e-6, 0, 1e-5, 1e-7, 1e-8, 1e-10)),
            *({SLOPE: f"torch.log((1 - u.tanh() ** 2).clamp(min={tiny}))"} for tiny in (1e-6, 1e-8)),
            {U: f"{U}.tanh().atanh()"},
            {U: f"{U}.clamp(-5, 5)"},
            {"log_slope =": "u = u.clamp(-5, 5)\n    log_slope ="},
            {SLOPE: "torch.log(1 - u.tanh().clamp(-0.999999, 0.999999) ** 2)"},
            *({U: f"{U}.tanh().clamp({tiny} - 1, 1 - {tiny}).atanh()"} for tiny in (1e-6, 1e-7, 2**-23)),
        ),
        mistake(
            "density-at-the-squashed-action",
            "You evaluated the Gaussian at tanh(u). The Gaussian is over u, before the squashing; only the slope has to do "
            "with tanh.",
            {"(u - mean)": "(u.tanh() - mean)"},
            {"(u - mean)": "(u.tanh() - mean)", "- log_slope": ""},
        ),
        mistake(
            "taken-for-the-squashed-action",
            "You treated the given action as if it were squashed already, with 1 - u^2 as the slope. It is u, before tanh: it "
            "may be larger than 1, and then your logarithm is NaN, or that of an action at the edge.",
            *({SLOPE: f"torch.log(1 - u**2 + {tiny})"} for tiny in (0, 1e-6)),
            {U: f"{U}.atanh()"},
            *({U: f"{U}.clamp({tiny} - 1, 1 - {tiny}).atanh()"} for tiny in (1e-3, 1e-4, 1e-6)),
        ),
        mistake(
            "slope-wrong",
            "A term of your slope is wrong. Test its logarithm: at u = 0 it must be 0, for u and -u the same, never above 0, "
            "and far out it must fall by 2 where |u| grows by 1. Which of your signs or factors breaks this?",
            {"- softplus": "+ softplus"},
            {"-2 * u": "2 * u"},
            {"- u -": "+ u -"},
            {"-2 * u": "-u"},
            {"math.log(2) - u": "-u"},
            {"2 * (math.log(2) - u": "math.log(2) + 2 * (-u"},
            {"- log_slope": "- 0.5 * log_slope"},
            {"- log_slope": "- log_slope - math.log(2)"},  # as for a = 2 tanh(u)
            {SLOPE: "math.log(2) - softplus(2 * u)"},  # the square is missing: 1 - tanh(u)
            *({SLOPE: f"torch.log(1 - u.tanh() + {tiny})"} for tiny in (0, 1e-6)),
        ),
        mistake(
            "slope-summed-otherwise",
            "You summed the slopes over the whole batch, took one of them, or let broadcasting pair every row with every "
            "dimension. Each action has its own slopes: sum Gaussian and slopes over the last axis first.",
            {RESULT: "gaussian.sum(dim=-1) - log_slope.sum()"},
            {RESULT: "gaussian.sum(dim=-1) - log_slope[:, 0]"},
            {RESULT: "gaussian.sum(dim=-1, keepdim=True) - log_slope"},
            {RESULT: "(gaussian.sum(dim=-1, keepdim=True) - log_slope).sum(dim=-1)"},
        ),
        mistake(
            "dimensions-not-summed",
            "You returned one number for each dimension, [B, A], or their mean. An action is one event, and the densities and "
            "slopes of independent dimensions multiply: its log-density is the sum over the last axis.",
            {".sum(dim=-1)": ""},
            {"sum(": "mean("},
        ),
        mistake(
            "gaussian-constant-missing",
            "The log-density of u lacks log(2 pi) / 2 in each dimension. It changes no gradient, and it is part of the "
            "density all the same: exp of your result does not integrate to 1.",
            {"- 0.5 * math.log(2 * math.pi)": ""},
        ),
        mistake(
            "log-std-limited",
            "You clamped log_std inside the density, as some programs clamp it in the policy. The density is of the log_std that "
            "is given, and a clamp also cuts its gradient off outside of the limits.",
            *({U: f"{U}\n    log_std = log_std.clamp({low}, 2)"} for low in (-5, -20)),
        ),
    ),
)
