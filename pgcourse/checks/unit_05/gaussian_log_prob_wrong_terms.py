"""Wrong answers to gaussian_log_prob: a term with another sign, factor or place."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_05.gaussian_parts import HALF_LOG_2PI, of_terms, total


def _outside_of_the_sum(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    return (-0.5 * ((action - mean) / log_std.exp()).square()).sum(-1) - log_std - HALF_LOG_2PI


def _with_constant(constant: float) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    return of_terms(lambda distance, log_std: -0.5 * (distance / log_std.exp()).square() - log_std - constant)


def _averaged_log_std(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    return (-0.5 * ((action - mean) / log_std.exp()).square() - HALF_LOG_2PI).sum(-1) - log_std.mean(-1)


TERM_MISTAKES = (
    Misconception(
        "distance-added",
        "You added the squared distance where it is subtracted: your density grows away from the mean. The exponent of a "
        "Gaussian is -z^2 / 2.",
        of_terms(lambda distance, log_std: 0.5 * (distance / log_std.exp()).square() - log_std - HALF_LOG_2PI),
    ),
    Misconception(
        "distance-times-std",
        "You multiplied the distance by the standard deviation; it is divided by it. One step away counts little under a wide "
        "Gaussian and much under a narrow one.",
        of_terms(lambda distance, log_std: -0.5 * (distance * log_std.exp()).square() - log_std - HALF_LOG_2PI),
    ),
    Misconception(
        "distance-not-squared",
        "You took the distance, or its size, without squaring it. That is another law, with a kink at its mean. The exponent "
        "of a Gaussian is minus half the square of z.",
        of_terms(lambda distance, log_std: -0.5 * (distance / log_std.exp()).abs() - log_std - HALF_LOG_2PI),
        (of_terms(lambda distance, log_std: -0.5 * (distance / log_std.exp()) - log_std - HALF_LOG_2PI),),
    ),
    Misconception(
        "constant-wrong",
        "Your constant is not log(2 pi) / 2 for each dimension. The density is divided by the square root of 2 pi, and the "
        "logarithm of a square root is half the logarithm: 0.919.",
        _with_constant(math.log(2 * math.pi)),
        tuple(
            _with_constant(constant)
            for constant in (math.sqrt(2 * math.pi), 0.5 * math.log(math.pi), -HALF_LOG_2PI, 2 * math.pi, math.pi)
        ),
    ),
    Misconception(
        "log-std-outside-of-the-sum",
        "You summed the distances over the dimensions and subtracted log_std afterwards, whole or as its mean. Every dimension "
        "has a log_std of its own: it belongs inside the sum, or is summed as well.",
        _outside_of_the_sum,
        (_averaged_log_std,),
    ),
    Misconception(
        "log-std-limited",
        "You clamped log_std inside the density. Whoever builds the policy may limit it; the density is of the log_std that is "
        "given, and a clamp also cuts its gradient off outside of the limits.",
        lambda mean, log_std, action: total(mean, log_std.clamp(-2, 2), action),
        (
            lambda mean, log_std, action: total(mean, log_std.clamp(-2, 1), action),
            lambda mean, log_std, action: total(mean, log_std.clamp(-1, 1), action),
            lambda mean, log_std, action: total(mean, log_std.clamp(min=-2), action),
        ),
    ),
)
