"""Wrong answers to tanh_log_prob: the rewritten slope, the Gaussian under it, and gradients."""

from __future__ import annotations

import math

from torch.nn.functional import softplus

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_05.gaussian_parts import each_dimension
from pgcourse.checks.unit_05.tanh_log_prob_parts import gaussian, log_slope, minus, table

REST = (
    Misconception(
        "softplus-sign",
        "A term of your rewritten slope is wrong. Test its logarithm by itself: at u = 0 it must be 0, for u and -u the same, "
        "never above 0, and far out it must fall by 2 where |u| grows by 1. Which of your signs or factors breaks this?",
        minus(lambda u: 2 * (math.log(2) - u + softplus(-2 * u))),
        (
            minus(lambda u: 2 * (math.log(2) - u - softplus(2 * u))),
            minus(lambda u: 2 * (math.log(2) + u - softplus(-2 * u))),
            minus(lambda u: 2 * (math.log(2) - u - softplus(-u))),
            minus(lambda u: 2 * (-u - softplus(-2 * u))),
        ),
    ),
    Misconception(
        "divided-in-logarithms",
        "You multiplied or divided where logarithms are added and subtracted. The density is divided by the slope, so the "
        "log-density loses the slope's logarithm: one minus sign, no fraction.",
        lambda mean, log_std, u: (each_dimension(mean, log_std, u) / (1 - u.tanh() ** 2)).sum(-1),
        (
            lambda mean, log_std, u: (each_dimension(mean, log_std, u) / log_slope(u)).sum(-1),
            lambda mean, log_std, u: (each_dimension(mean, log_std, u) * (1 - u.tanh() ** 2)).sum(-1),
            lambda mean, log_std, u: (each_dimension(mean, log_std, u) * log_slope(u)).sum(-1),
        ),
    ),
    Misconception(
        "mean-squashed",
        "You squashed the mean. The Gaussian with this mean is over u, which knows no bounds; only what is drawn from it "
        "goes through tanh.",
        gaussian(lambda mean, log_std, u: each_dimension(mean.tanh(), log_std, u)),
    ),
    Misconception(
        "minus-sign-added",
        "You returned minus the log-density. The sign of the whole result is flipped, not only of the slope.",
        lambda mean, log_std, u: -table(mean, log_std, u).sum(-1),
    ),
    Misconception(
        "detached",
        "The numbers are right, but they are cut off from mean and log_std by detach, item, numpy or no_grad. Without "
        "a path back, the policy cannot learn. Compute the result with torch operations only.",
        lambda mean, log_std, u: table(mean, log_std, u).sum(-1).detach(),
        (
            lambda mean, log_std, u: table(mean.detach(), log_std, u).sum(-1),
            lambda mean, log_std, u: table(mean, log_std.detach(), u).sum(-1),
        ),
    ),
)
