"""patient_08: the loss of the policy, written with losses."""

import torch

from pgcourse.checks.authoring import edits_of
from pgcourse.checks.unit_04.ppo_clip_loss import EXERCISE as PPO_CLIP_LOSS
from pgcourse.checks.unit_06.patient import Patient, exercise_of
from pgcourse.losses import ppo_clip_loss
from pgcourse.study.traps import ADVANTAGE_SIGN


def ill(log_prob, old_log_prob, advantages, *, clip_coef):  # type: ignore[no-untyped-def]
    """The clipped loss of PPO over a minibatch: the mean of the larger of two losses, a scalar.

    log_prob: [B], differentiable. old_log_prob, advantages (return minus value): [B], data, into which no gradient flows.
    clip_coef: half the width of the ratio's interval.
    Example: one row with ratio 1.5, advantage 2 and clip_coef 0.2 gives -2.4, the larger of -3 and -2.4.
    """
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    plain_loss = advantages * ratio
    clipped_loss = advantages * ratio.clamp(1 - clip_coef, 1 + clip_coef)
    return torch.max(plain_loss, clipped_loss).mean()


mistake = edits_of(ill)
PATIENT = Patient("patient_08", ADVANTAGE_SIGN, ill, ppo_clip_loss, lambda function: {"policy_loss_fn": function})
EXERCISE = exercise_of(
    PATIENT,
    "Take a row with a positive advantage, and ask whether a smaller loss makes its action likelier.",
    like=PPO_CLIP_LOSS,
    hints=(
        "Take one row with a positive advantage. Does the ratio have to grow or to shrink to make this loss smaller?",
        "The two lines compute objectives, which are to be made larger, and call them losses. A loss is minus an objective.",
        "plain_loss = -advantages * ratio, and the same minus in the next line; the maximum of losses stays.",
    ),
    misconceptions=(
        mistake(
            "one-loss-flipped",
            "You put the minus before one of the two losses only. The maximum then compares a loss with an objective. Both "
            "lines had the same fault.",
            {"plain_loss = ": "plain_loss = -"},
            {"clipped_loss = ": "clipped_loss = -"},
        ),
        mistake(
            "ratio-turned-round",
            "You turned the sign in the exponent. A good action becomes likelier now, but the ratio is the old probability "
            "over the new one, and the clip guards the wrong side. The advantages lack the minus.",
            {"log_prob - old_log_prob.detach()": "old_log_prob.detach() - log_prob"},
        ),
    ),
)
