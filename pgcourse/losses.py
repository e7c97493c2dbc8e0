"""Losses of policy and critic, to be minimised: means over the last axis, so [S, B] gives S runs' losses at once."""

import torch
from torch import Tensor


def require_same_shape(first: Tensor, second: Tensor, *, names: str) -> None:
    """Refuse silent broadcasting: [B] against [B, 1] would give [B, B] and a wrong number without an error."""
    if first.shape != second.shape:
        raise ValueError(
            f"{names} have shapes {list(first.shape)} and {list(second.shape)}; they must be equal, "
            "or broadcasting would pair every element with every other: squeeze the extra axis"
        )


def reinforce_loss(log_prob: Tensor, weight: Tensor) -> Tensor:
    """Minus the mean of weight * log pi(a|s): its gradient is minus the score-function estimate.

    Args: log_prob: [B], differentiable. weight: [B], returns or advantages; no gradient flows into it.
    Returns: scalar. Raises: ValueError if shapes differ. Source: Williams (1992).
    """
    require_same_shape(log_prob, weight, names="log_prob and weight")
    return -(weight.detach() * log_prob).mean(-1)


def ppo_clip_loss(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float | None) -> Tensor:
    """Minus the mean of min(rho * A, clip(rho, 1 - clip_coef, 1 + clip_coef) * A), rho = pi(a|s) / pi_old(a|s).

    Args: log_prob: [B], differentiable. old_log_prob, advantages: [B], used as given, no gradient into them.
    clip_coef: half width of the interval; None leaves the ratio unclipped.
    Returns: scalar. Raises: ValueError if shapes differ. Source: Schulman et al. (2017), equation 7.
    """
    require_same_shape(log_prob, old_log_prob, names="log_prob and old_log_prob")
    require_same_shape(log_prob, advantages, names="log_prob and advantages")
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()  # [B]
    objective = ratio * advantages
    if clip_coef is not None:
        objective = torch.minimum(objective, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages)
    return -objective.mean(-1)


def value_loss(values: Tensor, returns: Tensor) -> Tensor:
    """Half the mean squared error between V(s) and its target.

    Args: values: [B], differentiable. returns: [B], targets; no gradient flows into them.
    Returns: scalar, in units of reward squared. Raises: ValueError if shapes differ.
    """
    require_same_shape(values, returns, names="values and returns")
    return 0.5 * (values - returns.detach()).square().mean(-1)
