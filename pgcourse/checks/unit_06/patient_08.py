"""patient_08: the loss of the policy, written with losses."""

from __future__ import annotations

import torch
from torch import Tensor

from pgcourse.checks.unit_04.ppo_clip_loss import EXERCISE as PPO_CLIP_LOSS
from pgcourse.checks.unit_06.patient import Function, Patient, exercise_like, mistake, unpatched
from pgcourse.losses import ppo_clip_loss
from pgcourse.study.traps import ADVANTAGE_SIGN


def ill(log_prob, old_log_prob, advantages, *, clip_coef):  # type: ignore[no-untyped-def]
    """The clipped loss of PPO over a minibatch: the mean of the larger of two losses, a scalar.

    log_prob: [B], differentiable. old_log_prob, advantages (return minus value): [B], data.
    clip_coef: half the width of the ratio's interval.
    """
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    plain_loss = advantages * ratio
    clipped_loss = advantages * ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return torch.max(plain_loss, clipped_loss).mean()


def larger_loss(plain: float, clipped: float, ratio_sign: float = 1.0) -> Function:
    """The mean of the larger loss, with these signs of the two lines and of the exponent."""

    def attempt(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
        ratio = (ratio_sign * (log_prob - old_log_prob.detach())).exp()
        weight = advantages.detach()
        return torch.max(plain * weight * ratio, clipped * weight * ratio.clamp(1 - clip_coef, 1 + clip_coef)).mean()

    return attempt


PATIENT = Patient(
    "patient_08", ADVANTAGE_SIGN, ill=ill, cured=ppo_clip_loss, seams=lambda function: {"policy_loss_fn": function}
)
EXERCISE = exercise_like(
    PPO_CLIP_LOSS,
    "patient_08",
    hints=(
        "Take one row with a positive advantage. Does the ratio have to grow or to shrink to make this loss smaller?",
        "The two lines compute objectives, which are to be made larger, and call them losses. A loss is minus an objective.",
        "plain_loss = -advantages * ratio, and the same minus in the next line; the maximum of losses stays.",
    ),
    misconceptions=(
        unpatched(
            ill, "Take a row with a positive advantage, and ask whether a smaller loss makes its action likelier."
        ),
        mistake(
            "one-loss-flipped",
            "You put the minus before one of the two losses only. The maximum then compares a loss with an objective. Both "
            "lines had the same fault.",
            larger_loss(-1, 1),
            larger_loss(1, -1),
        ),
        mistake(
            "ratio-turned-round",
            "You turned the sign in the exponent. A good action becomes likelier now, but the ratio is the old probability "
            "over the new one, and the clip guards the wrong side. The advantages lack the minus.",
            larger_loss(1, 1, -1),
        ),
    ),
)
