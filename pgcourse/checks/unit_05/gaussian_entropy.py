"""gaussian_entropy(log_std): how widely a Gaussian policy explores."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.distributions import Normal

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal


def gaussian_entropy(log_std: Tensor) -> Tensor:
    """Entropy of independent normals in nats. log_std [A] -> scalar, [B, A] -> [B]."""
    constant = 0.5 * math.log(2 * math.pi * math.e)
    return (log_std + constant).sum(dim=-1)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"log_std": torch.tensor([0.0])}
    yield {"log_std": torch.tensor([math.log(2), 0.0])}
    yield {"log_std": torch.tensor([[0.5, -1.0], [0.25, 1.0]])}
    yield {"log_std": torch.tensor([-3.0, -2.0])}  # narrow: the entropy of a density may be negative
    yield {"log_std": torch.tensor([3.0, -6.0])}  # wider and narrower than policies usually are: a clamp shows
    yield {"log_std": torch.linspace(-1, 1, 40)}  # the product of 40 variances is no float32
    source = generator(seed)
    yield {"log_std": normal(source, 5, 3)}
    yield {"log_std": normal(source, 4, 1)}
    yield {"log_std": normal(source, 1, 60) + 1}  # the product of the variances is no float32
    yield {"log_std": normal(source, 6, dtype=torch.float64) * 0.5}
    yield {"log_std": torch.tensor([[3.0, -6.0], [-3.0, -2.0]]) + 0.2 * normal(source, 2, 2)}


mistake = edits_of(gaussian_entropy, Normal=Normal)

EXERCISE = Exercise.listed(
    "gaussian_entropy",
    cases=cases,
    observe=Call("log_std", differentiable=("log_std",)),
    reference=gaussian_entropy,
    hints=(
        "Entropy is the mean of minus the log-density. You have the log-density from exercise 1: which of its terms is "
        "random, and what is the mean of z^2 when z is a unit Gaussian?",
        "One dimension has log_std + log(2 pi) / 2 + 1/2, because the mean of z^2 is 1. Written together the constant "
        "is log(2 pi e) / 2 = 1.419. Add it in every dimension, then sum over the last axis.",
        "return (log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1). Check with [0, 0]: 2.838.",
    ),
    misconceptions=(
        mistake(
            "not-summed-over-the-last-axis",
            "You returned an entropy for each dimension, their mean, or a sum over the batch. A row is one action, and the "
            "entropies of its independent dimensions add up: sum over the last axis, which is right for [A] and for [B, A].",
            {".sum(dim=-1)": ""},
            {"sum(": "mean("},
            {"dim=-1": "dim=0"},
        ),
        mistake(
            "constant-counted-otherwise",
            "You added the constant once, or as often as the tensor has rows or numbers. It comes once for each dimension of "
            "an action. With one dimension you cannot tell the difference, which is why this bug lives in published code.",
            {"(log_std + constant).sum(dim=-1)": "log_std.sum(dim=-1) + constant"},
            {"(log_std + constant).sum(dim=-1)": "log_std.sum(dim=-1) + log_std.numel() * constant"},
            {"(log_std + constant).sum(dim=-1)": "log_std.sum(dim=-1) + len(log_std) * constant"},
        ),
        mistake(
            "constant-missing",
            "The constant of each dimension is missing or not halved: log(2 pi e) / 2 = 1.419, the entropy of the unit "
            "Gaussian. It changes no gradient; but with another one an entropy cannot be compared with anybody else's.",
            {"+ constant": ""},
            {"0.5 * math": "math"},
            {"math.log(2 * math.pi * math.e)": "math.log(2 * math.pi) + 1"},
        ),
        mistake(
            "one-half-missing",
            "Each dimension lacks 1/2: you have log_std + log(2 pi) / 2. That is minus the log-density at the mean, the "
            "smallest surprise there is. The mean of z^2 / 2 over the samples adds 1/2.",
            {"* math.e": ""},
        ),
        mistake(
            "log-std-changed",
            "Each dimension adds log_std as it is. You halved it, like a logarithm of the variance, or clamped it, or took "
            "its exp or logarithm, which is NaN where it is negative. Normal wants the std, exp(log_std).",
            {"log_std +": "0.5 * log_std +"},
            {"log_std +": "log_std.exp() +"},
            {"log_std +": "log_std.log() +"},
            {"log_std +": "log_std.clamp(-5, 2) +"},
            {"(log_std + constant)": "Normal(0 * log_std, log_std).entropy()"},
        ),
        mistake(
            "kept-above-zero",
            "You cut negative results off at 0. The entropy of a density may be negative: a Gaussian narrower than about 0.24 "
            "has less than 0. Only the entropy of a discrete policy stays above 0.",
            {"sum(dim=-1)": "sum(dim=-1).clamp(min=0)"},
            {"constant)": "constant).clamp(min=0)"},
            {"sum(dim=-1)": "sum(dim=-1).abs()"},
        ),
    ),
)
