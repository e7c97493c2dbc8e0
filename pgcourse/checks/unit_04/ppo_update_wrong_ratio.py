"""Wrong answers to ppo_update about the ratio: whose log-probability is the old one, and what the loss does with it."""

from __future__ import annotations

import torch
from torch import Tensor

from pgcourse.checks.unit_04.ppo_update_parts import mistake
from pgcourse.losses import ppo_clip_loss


def _swapped(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """Without a detach inside, so that a gradient still flows, against the direction."""
    ratio = (old_log_prob - log_prob).exp()
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()


def _swapped_and_detached(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    return _swapped(log_prob.detach(), old_log_prob, advantages, clip_coef=clip_coef)


def _exchanged(new: Tensor, old: Tensor) -> tuple[Tensor, Tensor]:
    return old, new


def _unclipped(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    return ppo_clip_loss(log_prob, old_log_prob, advantages, clip_coef=None)


def _score(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    return -(log_prob * advantages).mean()


def _uphill(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    return -ppo_clip_loss(log_prob, old_log_prob, advantages, clip_coef=clip_coef)


RATIO_MISTAKES = (
    mistake(
        "old-log-prob-recomputed",
        "You renew the old log-probability during the update, for every minibatch or every epoch, so the ratio starts from 1 "
        "again, and the clip does not see how far the policy has gone already. The old one is of the policy that collected "
        "the data: it stands in the batch and stays as it is through all epochs.",
        {"renew": lambda epoch: True},
        {"renew": lambda epoch: epoch > 0},
        {"renew": lambda epoch: True, "renew_gauge": True},
        {"renew": lambda epoch: epoch > 0, "renew_gauge": True},
        {"renew": lambda epoch: True, "kl_fn": lambda new, old: 0.0},
        {"renew": lambda epoch: epoch > 0, "kl_fn": lambda new, old: 0.0},
        recompute_old=True,
    ),
    mistake(
        "old-log-prob-computed-at-the-start",
        "You computed the old log-probabilities yourself, with the policy as it is at the start of the update. They are in "
        "the batch: those of the policy that acted, which need not be the one that you are handed.",
        renew=lambda epoch: epoch == 0,
    ),
    mistake(
        "log-probs-swapped",
        "You handed log_prob and old_log_prob over in the wrong order, to the loss or to the gauges. The policy of now comes "
        "first, the one that acted second: swapped, the ratio stands upside down.",
        {"loss_fn": _swapped_and_detached},
        {"loss_fn": _swapped, "between": _exchanged},
        {"loss_fn": _swapped_and_detached, "between": _exchanged},
        {"between": _exchanged},
        loss_fn=_swapped,
    ),
    mistake(
        "no-ratio",
        "You weighted log-probabilities, as in A2C. After the first step the data are no longer from the policy that is "
        "being changed. The ratio to batch.log_prob corrects for that, and the clip keeps it honest.",
        loss_fn=_score,
    ),
    mistake(
        "not-clipped",
        "Your loss does not clip the ratio. The first steps are right; where the ratio leaves the interval, yours goes "
        "on pushing.",
        loss_fn=_unclipped,
    ),
    mistake(
        "downhill",
        "Your update makes the better actions less likely. Optimizers minimise: the policy's loss is minus the clipped "
        "objective.",
        loss_fn=_uphill,
    ),
)
