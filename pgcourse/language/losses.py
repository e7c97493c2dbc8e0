"""Losses over the tokens of answers: B answers of at most T tokens, mask [B, T] True on what belongs to them."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from ..losses import require_same_shape

Average = Literal["answer", "token", "constant"]


def average(values: Tensor, mask: Tensor, how: Average) -> Tensor:
    """One number of what stands on each token [B, T]; what the mask leaves out counts for nothing.

        answer     mean over each answer's tokens, then over answers: a token of a long answer counts less
        token      mean over all tokens of the batch: a long answer counts more than a short one
        constant   sum over tokens, divided by B T: every token counts the same, whatever else is in the batch

    With `answer` the gradient is no multiple of the expected reward's: an answer's log-probability is the *sum* over its
    tokens. Sources: GRPO (Shao et al., 2024) takes `answer`, DAPO (Yu et al., 2025) `token`, Dr. GRPO (Liu et al., 2025)
    `constant`.
    """
    kept = torch.where(mask, values, 0.0)
    if how == "answer":
        return (kept.sum(-1) / mask.sum(-1)).mean()
    return kept.sum() / (mask.sum() if how == "token" else mask.numel())


def log_ratio(log_prob: Tensor, old_log_prob: Tensor, mask: Tensor, *, of: Literal["token", "sequence"]) -> Tensor:
    """log pi(token) - log pi_old(token) [B, T], or for every token the mean of its answer's.

    Source of the second: Zheng et al. (2025), "Group sequence policy optimization", the ratio of the answers'
    probabilities to the power 1 / length.
    """
    difference = torch.where(mask, log_prob - old_log_prob, 0.0)
    if of == "token":
        return difference
    return (difference.sum(-1, keepdim=True) / mask.sum(-1, keepdim=True)).expand_as(difference)


def clipped_loss(log_ratio: Tensor, advantages: Tensor, *, clip_coef: float | None) -> Tensor:
    """-min(rho A, clip(rho, 1 - clip_coef, 1 + clip_coef) A) of each token [B, T]; None leaves the ratio unclipped.

    It is `losses.ppo_clip_loss` before its mean is taken, since here an `average` has to be chosen.
    """
    require_same_shape(log_ratio, advantages, names="log_ratio and advantages")
    ratio = log_ratio.exp()
    if clip_coef is None:
        return -(ratio * advantages)
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages)


def k1(log_prob: Tensor, reference: Tensor) -> Tensor:
    """log p - log q of tokens drawn from p: its mean is KL(p || q). Its own gradient's mean is 0, not that of KL."""
    return log_prob - reference


def k2(log_prob: Tensor, reference: Tensor) -> Tensor:
    """(log p - log q)^2 / 2: biased as a value, but the mean of its gradient is that of KL(p || q)."""
    return (log_prob - reference).square() / 2


def k3(log_prob: Tensor, reference: Tensor) -> Tensor:
    """q/p - 1 - log(q/p): its mean is KL(p || q), and it is never negative. Its gradient's mean is that of KL(q || p).

    Source of the three: Schulman, "Approximating KL divergence" (2020).
    """
    difference = reference - log_prob
    return difference.expm1() - difference


KLEstimator = Callable[[Tensor, Tensor], Tensor]
KL_BY_NAME: dict[str, KLEstimator] = {"k1": k1, "k2": k2, "k3": k3}


def bradley_terry_loss(chosen: Tensor, rejected: Tensor) -> Tensor:
    """Minus the mean of log sigmoid(r(chosen) - r(rejected)): how surprising the preferences are, nats a pair.

    Args: scores [B] of the answers that were preferred, and of those that were not. Source: Bradley and Terry (1952).
    """
    require_same_shape(chosen, rejected, names="chosen and rejected")
    return -torch.nn.functional.logsigmoid(chosen - rejected).mean()
