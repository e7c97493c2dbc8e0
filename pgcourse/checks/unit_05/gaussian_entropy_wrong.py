"""Wrong answers to gaussian_entropy."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from pgcourse.checks.exercise import Misconception

CONSTANT = 0.5 * math.log(2 * math.pi * math.e)  # entropy of one dimension with a standard deviation of 1


def _right(log_std: Tensor) -> Tensor:
    return (log_std + CONSTANT).sum(-1)


def _each(term: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda log_std: term(log_std).sum(-1)


MISCONCEPTIONS = (
    Misconception(
        "dimensions-not-summed",
        "You returned an entropy for each dimension. The dimensions are independent, so the entropy of the action is "
        "the sum over the last axis: two dimensions hold twice the surprise of one.",
        lambda log_std: log_std + CONSTANT,
    ),
    Misconception(
        "averaged-over-dimensions",
        "You took the mean over the dimensions where the sum belongs. Entropies of independent parts add up.",
        lambda log_std: (log_std + CONSTANT).mean(-1),
    ),
    Misconception(
        "summed-over-the-batch",
        "You reduced the batch to one number. With [B, D] each state has an entropy of its own; whoever needs the mean "
        "can take it. Only the last axis is summed.",
        lambda log_std: (log_std + CONSTANT).sum(),
        variants=(
            lambda log_std: (log_std + CONSTANT).sum(-1).mean(),
            lambda log_std: (log_std + CONSTANT).mean(),
            lambda log_std: log_std.sum() + log_std.shape[-1] * CONSTANT,
        ),
    ),
    Misconception(
        "summed-over-the-wrong-axis",
        "For [B, D] you summed over the batch and kept the dimensions. A row is one action: count axes from the end, "
        "and the last is right for [D] and for [B, D].",
        lambda log_std: (log_std + CONSTANT).sum(0),
    ),
    Misconception(
        "constant-once",
        "You added the constant once for the whole action. Every dimension has it, so it comes D times. For one "
        "dimension you cannot tell the difference, which is why this bug lives in published code.",
        lambda log_std: log_std.sum(-1) + CONSTANT,
    ),
    Misconception(
        "constant-missing",
        "Your result lacks a constant of each dimension. It changes no gradient, so training would not notice; but an "
        "entropy of log_std alone cannot be compared with anybody else's. What is the entropy of the unit Gaussian?",
        _each(lambda log_std: log_std),
    ),
    Misconception(
        "one-half-missing",
        "Each dimension lacks 1/2: you have log_std + log(2 pi) / 2. That is minus the log-density at the mean, the "
        "smallest surprise there is. The mean of z^2 / 2 over the samples adds 1/2.",
        _each(lambda log_std: log_std + 0.5 * math.log(2 * math.pi)),
    ),
    Misconception(
        "two-pi-missing",
        "Each dimension lacks log(2 pi) / 2. The entropy is the mean of minus the log-density, so the constant of the "
        "density is part of it.",
        _each(lambda log_std: log_std + 0.5),
    ),
    Misconception(
        "constant-not-halved",
        "You added log(2 pi e) for each dimension; half of it belongs there. Together with the standard deviation it "
        "is half the logarithm of 2 pi e times the variance.",
        _each(lambda log_std: log_std + 2 * CONSTANT),
        variants=(
            _each(lambda log_std: log_std + 0.5 * math.log(2 * math.pi) + 1),
            _each(lambda log_std: 2 * log_std + 2 * CONSTANT),
        ),
    ),
    Misconception(
        "std-for-variance",
        "You wrote half the logarithm of 2 pi e times the standard deviation; the variance belongs there. So log_std "
        "counts only half: doubling the standard deviation must add log 2 = 0.693 for each dimension.",
        _each(lambda log_std: 0.5 * log_std + CONSTANT),
    ),
    Misconception(
        "variance-for-std",
        "log_std counts twice in your result, as if it were squared once more than needed. The logarithm of the "
        "variance is 2 log_std, and the formula takes half of it.",
        _each(lambda log_std: 2 * log_std + CONSTANT),
    ),
    Misconception(
        "std-not-logarithm",
        "You added the standard deviation, not its logarithm. Doubling the width of a Gaussian adds log 2 to its "
        "entropy, whatever the width was: no exp is needed.",
        _each(lambda log_std: log_std.exp() + CONSTANT),
        variants=(_each(lambda log_std: (2 * log_std).exp() * 0.5 + CONSTANT),),
    ),
    Misconception(
        "std-for-log-std",
        "You took the logarithm of log_std, which is a logarithm already; negative numbers then give NaN. If you use "
        "torch's Normal, it wants the standard deviation, exp(log_std).",
        _each(lambda log_std: log_std.log() + CONSTANT),
        variants=(
            lambda log_std: Normal(torch.zeros_like(log_std), log_std).entropy().sum(-1),
            lambda log_std: Normal(0.0, log_std).entropy().sum(-1),
            lambda log_std: Independent(Normal(torch.zeros_like(log_std), log_std), 1).entropy(),
            _each(lambda log_std: 0.5 * torch.log(2 * math.pi * math.e * log_std**2)),
            _each(lambda log_std: 0.5 * torch.log(2 * math.pi * math.e * log_std)),
        ),
    ),
    Misconception(
        "minus-sign-added",
        "Your sign is flipped: a wider Gaussian must have more entropy. With this sign an entropy bonus would narrow "
        "the policy.",
        _each(lambda log_std: -(log_std + CONSTANT)),
        variants=(_each(lambda log_std: CONSTANT - log_std),),
    ),
    Misconception(
        "kept-above-zero",
        "You cut negative results off at 0. The entropy of a density may be negative: a Gaussian narrower than about "
        "0.24 has less than 0. Only the entropy of a discrete policy stays above 0.",
        _each(lambda log_std: (log_std + CONSTANT).clamp(min=0)),
        variants=(lambda log_std: (log_std + CONSTANT).sum(-1).clamp(min=0), lambda log_std: _right(log_std).abs()),
    ),
    Misconception(
        "bits-not-nats",
        "You measured in bits (logarithm to base 2). This course, and torch, measure in nats; the two differ by a "
        "factor of 1.44.",
        lambda log_std: _right(log_std) / math.log(2),
    ),
    Misconception(
        "axis-of-one-kept",
        "Your numbers are right, but an axis of length 1 is left over. [D] gives a scalar, [B, D] gives [B].",
        lambda log_std: (log_std + CONSTANT).sum(-1, keepdim=True),
    ),
    Misconception(
        "detached",
        "The numbers are right, but they are cut off from log_std by detach, item, numpy or no_grad. An entropy bonus "
        "then has no effect on the policy. Compute the result from log_std with torch operations only.",
        lambda log_std: _right(log_std).detach(),
    ),
)
