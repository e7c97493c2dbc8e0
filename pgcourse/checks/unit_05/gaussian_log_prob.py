"""gaussian_log_prob(mean, log_std, action): log-density of continuous actions."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Normal

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal


def gaussian_log_prob(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    """Log-density [B] of actions [B, A] under independent normals with means [B, A]; log_std is [A] or [B, A]."""
    z = (action - mean) / log_std.exp()
    constant = 0.5 * math.log(2 * math.pi)
    terms = -0.5 * z.square() - log_std - constant  # [B, A]
    return terms.sum(dim=-1)


def to_case(*inputs: Any, last: str = "action") -> Case:
    """The inputs mean, log_std and `last`, given as tensors or lists."""
    return dict(zip(("mean", "log_std", last), map(torch.as_tensor, inputs), strict=True))


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield to_case([[0.0]], [0.0], [[1.0]])
    yield to_case([[1.0, -1.0]], [0.0, math.log(2)], [[2.0, 0.0]])
    yield to_case([[1.0, -1.0], [0.0, 0.5]], [[-0.5, 1.0], [0.5, -1.0]], [[2.0, 3.0], [-1.0, 0.5]])
    # 60 standard deviations from the mean: the density underflows to 0 even in float64, its logarithm is -1814.
    yield to_case([[0.0, 0.5]], [-3.0, 1.5], [[3.0, 4.0]])
    yield to_case([[0.0, 0.5]], [3.0, -6.0], [[9.0, 0.5]])  # a clamp of log_std shows
    source = generator(seed)
    yield to_case(normal(source, 5, 3), 0.5 * normal(source, 3), normal(source, 5, 3) * 2)
    yield to_case(normal(source, 4, 1), 0.5 * normal(source, 4, 1), normal(source, 4, 1))
    wide = partial(normal, source, dtype=torch.float64)
    yield to_case(wide(3, 2), 0.5 * wide(2), wide(3, 2))
    # Wide and narrow, and 60 standard deviations off.
    mean, log_std = normal(source, 2, 2), torch.tensor([3.0, -8.0]) + 0.2 * normal(source, 2)
    yield to_case(mean, log_std, mean + torch.tensor([[2.0, 60.0], [-60.0, 2.0]]) * log_std.exp())


mistake = edits_of(gaussian_log_prob, Normal=Normal)

EXERCISE = Exercise.listed(
    "gaussian_log_prob",
    cases=cases,
    observe=Call("mean, log_std, action", differentiable=("mean", "log_std")),
    reference=gaussian_log_prob,
    hints=(
        "Write down the density of one number under a Gaussian and take its logarithm on paper: the product becomes a sum of "
        "three terms, and exp disappears. Independent dimensions multiply their densities. What happens to their logarithms?",
        "With z = (action - mean) / exp(log_std), one dimension gives -z^2 / 2 - log_std - log(2 pi) / 2. Compute that "
        "as a table [B, A] and sum over the last axis. A log_std of shape [A] broadcasts by itself.",
        "z = (action - mean) / log_std.exp(); return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(-1). "
        "The constant stands inside the sum, because each dimension has it.",
    ),
    misconceptions=(
        mistake(
            "dimensions-not-summed",
            "You returned one number for each dimension, [B, A]. An action is one event: its density is the product over its "
            "dimensions, so its log-density is the sum.",
            {".sum(dim=-1)": ""},
        ),
        mistake(
            "averaged-over-dimensions",
            "You took the mean over the dimensions where the sum belongs. The densities of independent dimensions multiply, "
            "so their logarithms add up; a mean makes the ratio of PPO the A-th root of what it is.",
            {"sum(": "mean("},
        ),
        mistake(
            "summed-over-the-wrong-axis",
            "You summed over the batch and kept the dimensions. A row is one action: the sum runs over the last axis of [B, A].",
            {"dim=-1": "dim=0"},
        ),
        mistake(
            "one-dimension-squeezed",
            "With a single dimension you squeezed one of your tensors from [B, 1] to [B]. Against [B, 1] it broadcasts to [B, "
            "B]: every action meets every mean, and no error says so. Keep the axis of the dimensions.",
            {"action - mean": "action.squeeze(-1) - mean"},
            {"action - mean": "action - mean.squeeze(-1)"},
        ),
        mistake(
            "log-std-misread",
            "Your standard deviation is not exp(log_std), but log_std itself, or exp(log_std / 2). The parameter is the "
            "logarithm of the standard deviation, not of the variance: a log_std of 0 is a standard deviation of 1.",
            {"log_std.exp()": "log_std", "- log_std -": "- log_std.log() -"},
            {"return terms": "return Normal(mean, log_std).log_prob(action)"},
            {"log_std.exp()": "(0.5 * log_std).exp()", "- log_std": "- 0.5 * log_std"},
        ),
        mistake(
            "distance-term-wrong",
            "Your distance term is not -z^2 / 2 with z = (action - mean) / std: the standard deviation is not squared, or "
            "multiplied instead of divided by, or the 1/2 is missing. Divide first, square afterwards, then halve.",
            {"z.square()": "z.square() * log_std.exp()"},
            {"-0.5 * z": "-z"},
            {"/ log_std": "* log_std"},
            {"/ log_std": "* log_std", "- log_std": "+ log_std"},
        ),
        mistake(
            "term-added",
            "One of your terms has the wrong sign: all three are subtracted. The density falls away from the mean, and a wide "
            "Gaussian is lower everywhere, so z^2 / 2 and log_std stand with a minus, and so does log(2 pi) / 2.",
            {"- log_std": "+ log_std"},
            {"-0.5 * z": "0.5 * z"},
            {"- constant": "+ constant"},
        ),
        mistake(
            "log-std-missing",
            "The term -log_std is missing. A wide Gaussian must be lower everywhere, or it would not integrate to 1. Without "
            "this term the gradient can only push the standard deviation up when an action was good.",
            {"- log_std": ""},
            {"- log_std - constant": ""},
        ),
        mistake(
            "constant-missing",
            "The constant of each dimension, log(2 pi) / 2, is missing or not halved. It changes no gradient, so training "
            "would not notice. It is part of the density all the same: exp of your result does not integrate to 1.",
            {"- constant": ""},
            {"0.5 * math": "math"},
        ),
        mistake(
            "constant-once",
            "You subtracted log(2 pi) / 2 once for the whole action. Every dimension has a density of its own, so the "
            "constant comes A times: is it inside the sum?",
            {"- constant": "", "sum(dim=-1)": "sum(dim=-1) - constant"},
        ),
        mistake(
            "log-std-summed-over-the-batch",
            "You summed log_std over everything it holds. For [A] that is right; when a network gives one log_std for each "
            "row, [B, A], the rows leak into each other. Sum over the last axis.",
            {"- log_std": "", "sum(dim=-1)": "sum(dim=-1) - log_std.sum()"},
        ),
        mistake(
            "logarithm-of-a-rounded-density",
            "You computed the density first and its logarithm afterwards. Far from the mean the density is rounded to 0, "
            "whose logarithm is minus infinity. Take the logarithm on paper: exp and log cancel.",
            {"return terms": "return terms.exp().log()"},
            {"return terms": "return (terms.exp() + 1e-8).log()"},
        ),
        mistake(
            "log-std-limited",
            "You clamped log_std inside the density. Whoever builds the policy may limit it; the density is of the log_std "
            "that is given, and a clamp also cuts its gradient off outside of the limits.",
            *({"z =": f"log_std = log_std.clamp({low}, 2)\n    z ="} for low in (-5, -20, -2)),
        ),
    ),
)
