"""Diagnostics of an update: approximate KL, clip fraction, explained variance, update norms. No gradient flows here.

Those of a batch are taken over the last axis, so [S, B] gives the numbers of S runs at once.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .losses import require_same_shape


@torch.no_grad()
def approx_kl(log_prob: Tensor, old_log_prob: Tensor) -> Tensor:
    """Estimate of KL(pi_old || pi) from actions of pi_old: mean((rho - 1) - log rho), rho = pi / pi_old; never negative.

    Args: [B] each. Returns: scalar, nats. Source: the estimator k3 of Schulman, "Approximating KL divergence" (2020).
    """
    require_same_shape(log_prob, old_log_prob, names="log_prob and old_log_prob")
    log_ratio = log_prob - old_log_prob
    # expm1 keeps the small difference that exp(x) - 1 loses to rounding when the policies are close.
    return (log_ratio.expm1() - log_ratio).mean(-1)


@torch.no_grad()
def clip_fraction(log_prob: Tensor, old_log_prob: Tensor, *, clip_coef: float) -> Tensor:
    """Share of the batch with |rho - 1| > clip_coef, whatever the sign of the advantage.

    Args: [B] each. Returns: scalar in [0, 1], in the dtype of log_prob.
    """
    require_same_shape(log_prob, old_log_prob, names="log_prob and old_log_prob")
    outside = (log_prob - old_log_prob).expm1().abs() > clip_coef
    return outside.to(log_prob.dtype).mean(-1)


@torch.no_grad()
def explained_variance(values: Tensor, returns: Tensor) -> Tensor:
    """Fraction of the variance of the returns that the critic explains: 1 - Var(G - V) / Var(G).

    Args: values, returns: [B], in units of reward. Returns: scalar; 1 is perfect, 0 no better than the mean, below 0
    worse. NaN where the returns are constant. Raises: ValueError if shapes differ. It cannot see a constant offset
    between V and G: look at their means too.
    """
    require_same_shape(values, returns, names="values and returns")
    variance = returns.var(-1, correction=0)
    # Rounding gives equal returns a variance that is not quite 0, so look at the returns themselves.
    varies = (returns.amax(-1) > returns.amin(-1)) & (variance > 0)
    return torch.where(varies, 1 - (returns - values).var(-1, correction=0) / variance, torch.nan)


@torch.no_grad()
def update_norms(module: nn.Module, before: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """How far each top-level part of a network has moved: the Euclidean norm of its parameters' change, by name.

    A part that an optimiser does not know of stays at 0. Args: before: an earlier `state_dict`, copied.
    """
    squares: dict[str, list[Tensor]] = {}
    for name, parameter in module.named_parameters():
        squares.setdefault(name.partition(".")[0], []).append((parameter - before[name]).square().sum())
    return {part: torch.stack(terms).sum().sqrt() for part, terms in squares.items()}
