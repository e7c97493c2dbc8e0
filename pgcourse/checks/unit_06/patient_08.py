"""patient_08: the loss of the policy, written with losses."""

from __future__ import annotations

import torch

from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.unit_04.ppo_clip_loss import EXERCISE as PPO_CLIP_LOSS
from pgcourse.checks.unit_06.patient import Patient
from pgcourse.checks.unit_06.shared import chosen, dressed, unpatched
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


PATIENT = Patient(
    id="patient_08",
    trap=ADVANTAGE_SIGN,
    part="the loss of the policy",
    ill=ill,
    cured=ppo_clip_loss,
    seams=lambda function: {"policy_loss_fn": function},
)
EXERCISE = Exercise(
    id="patient_08",
    unit="06",
    title="Patient 8",
    points=2,
    minutes=8,
    difficulty=1,
    cases=PPO_CLIP_LOSS.cases,
    observe=PPO_CLIP_LOSS.observe,
    reference=ppo_clip_loss,
    alternatives=PPO_CLIP_LOSS.alternatives,
    hints=(
        "Take one row with a positive advantage. Does the ratio have to grow or to shrink to make this loss smaller?",
        "The two lines compute objectives, which are to be made larger, and call them losses. A loss is minus an "
        "objective.",
        "plain_loss = -advantages * ratio, and the same minus in the next line; the maximum of losses stays.",
    ),
    misconceptions=(
        unpatched(
            ill,
            "Take a row with a positive advantage, and ask whether a smaller loss makes its action likelier.",
            lambda log_prob, old_log_prob, advantages, *, clip_coef: ppo_clip_loss(
                log_prob, old_log_prob, -advantages, clip_coef=clip_coef
            ),
        ),
        Misconception(
            "one-loss-flipped",
            "You put the minus before one of the two losses only. The maximum then compares a loss with an objective. "
            "Both lines had the same fault.",
            lambda log_prob, old, a, *, clip_coef: torch.max(
                -a.detach() * (log_prob - old.detach()).exp(),
                a.detach() * (log_prob - old.detach()).exp().clamp(1 - clip_coef, 1 + clip_coef),
            ).mean(),
            (
                lambda log_prob, old, a, *, clip_coef: torch.max(
                    a.detach() * (log_prob - old.detach()).exp(),
                    -a.detach() * (log_prob - old.detach()).exp().clamp(1 - clip_coef, 1 + clip_coef),
                ).mean(),
            ),
        ),
        *dressed(
            chosen(
            PPO_CLIP_LOSS.misconceptions, "larger-of-the-two", "minus-sign-missing", "clipped-ratio-alone", "not-clipped",
            "ratio-upside-down", "objective-clipped", "constants-not-detached", "detached", "advantages-normalised-inside",
            ),
            lambda loss: loss,
        ),
    ),
)  # fmt: skip
