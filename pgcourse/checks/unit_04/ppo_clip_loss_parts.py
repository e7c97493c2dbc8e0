"""The clipped loss with exchangeable parts, from which the wrong answers to ppo_clip_loss are built."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pgcourse.checks.unit_04.spellings import Formula


def difference(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    """Right: the ratio as the exponential of a difference."""
    return (log_prob - old_log_prob).exp()


def smaller(ratio: Tensor, clipped: Tensor, advantages: Tensor) -> Tensor:
    """Right: the pessimist's choice, row by row."""
    return torch.minimum(ratio * advantages, clipped * advantages)


def interval(ratio: Tensor, clip_coef: float) -> Tensor:
    """Right: the interval around 1."""
    return ratio.clamp(1 - clip_coef, 1 + clip_coef)


def mean_loss(objective: Tensor) -> Tensor:
    """Right: minus the mean."""
    return -objective.mean()


def build(
    *,
    ratio_fn: Callable[[Tensor, Tensor], Tensor] = difference,
    clip_fn: Callable[[Tensor, float], Tensor] = interval,
    combine: Callable[[Tensor, Tensor, Tensor], Tensor] = smaller,
    reduce: Callable[[Tensor], Tensor] = mean_loss,
    weight_fn: Callable[[Tensor], Tensor] = lambda advantages: advantages,
    fixed: float | None = None,
) -> Formula:
    """The clipped loss with exchangeable parts; the defaults are right. `fixed` stands in for the clip coefficient."""

    def attempt(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
        ratio = ratio_fn(log_prob, old_log_prob)
        clipped = clip_fn(ratio, clip_coef if fixed is None else fixed)
        return reduce(combine(ratio, clipped, weight_fn(advantages)))

    return attempt


def clipped_objective(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """Ratio times advantage clipped, then the minimum."""
    objective = difference(log_prob, old_log_prob) * advantages
    return -torch.minimum(objective, objective.clamp(1 - clip_coef, 1 + clip_coef)).mean()


def clipped_objective_alone(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """Ratio times advantage clipped, no minimum."""
    return -(difference(log_prob, old_log_prob) * advantages).clamp(1 - clip_coef, 1 + clip_coef).mean()


def clipped_around_zero(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """Ratio times advantage clipped around 0."""
    objective = difference(log_prob, old_log_prob) * advantages
    return -torch.minimum(objective, objective.clamp(-clip_coef, clip_coef)).mean()


def means(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, clip_coef: float) -> tuple[Tensor, Tensor]:
    """The mean of each objective."""
    ratio = difference(log_prob, old_log_prob)
    return (ratio * advantages).mean(), (interval(ratio, clip_coef) * advantages).mean()


def means_first(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """The minimum of two means."""
    return -torch.minimum(*means(log_prob, old_log_prob, advantages, clip_coef))


def standardised(correction: int, eps: float = 1e-8) -> Callable[[Tensor], Tensor]:
    """Advantages standardised with this correction."""
    return lambda a: (a - a.mean()) / (a.std(correction=correction) + eps)
