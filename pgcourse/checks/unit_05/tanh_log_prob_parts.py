"""A right log-density of a squashed action in parts, for answers that change one of them."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import softplus

from pgcourse.checks.unit_05.gaussian_parts import each_dimension

Answer = Callable[[Tensor, Tensor, Tensor], Tensor]


def log_slope(u: Tensor) -> Tensor:
    """log(1 - tanh(u)^2), [B, D]."""
    return 2 * (math.log(2) - u - softplus(-2 * u))


def minus(slope: Callable[[Tensor], Tensor]) -> Answer:
    """An answer with the Gaussian right, from which `slope` of the action before tanh is subtracted."""
    return lambda mean, log_std, u: (each_dimension(mean, log_std, u) - slope(u)).sum(-1)


def gaussian(density: Answer) -> Answer:
    """An answer with the slope right, and `density` for the log-density [B, D] of the action before tanh."""
    return lambda mean, log_std, u: (density(mean, log_std, u) - log_slope(u)).sum(-1)


def table(mean: Tensor, log_std: Tensor, u: Tensor) -> Tensor:
    """Log-densities [B, D] of a right answer before the sum."""
    return each_dimension(mean, log_std, u) - log_slope(u)
