"""A right Gaussian log-density in parts, for answers that change one of them."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def each_dimension(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    """Log-densities [B, D] of a right answer before the sum."""
    return -0.5 * ((action - mean) / log_std.exp()).square() - log_std - HALF_LOG_2PI


def of_terms(terms: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """An answer [B] from what each dimension contributes, given the distance to the mean [B, D] and log_std."""

    def answer(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
        return terms(action - mean, log_std.expand(mean.shape)).sum(-1)

    return answer


def total(mean: Tensor, log_std: Tensor, action: Tensor) -> Tensor:
    """A right answer, [B]."""
    return each_dimension(mean, log_std, action).sum(-1)
