"""patient_03: the loss of the policy."""

from __future__ import annotations

from pgcourse.checks.exercise import Exercise
from pgcourse.checks.unit_04.ppo_clip_loss import EXERCISE as PPO_CLIP_LOSS
from pgcourse.checks.unit_06.patient import Patient
from pgcourse.checks.unit_06.shared import chosen, dressed, unpatched
from pgcourse.losses import ppo_clip_loss
from pgcourse.study.traps import UNUSED_SETTING


def ill(log_prob, old_log_prob, advantages, *, clip_coef):  # type: ignore[no-untyped-def]
    """The clipped loss of PPO over a minibatch: a scalar, minus the mean of the smaller objective.

    log_prob: [B], differentiable. old_log_prob, advantages: [B], data. clip_coef: half the width of the ratio's interval.
    Example: one row with ratio 1.5, advantage 2 and clip_coef 0.2 gives -2.4.
    """
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    ratio.clamp(1 - clip_coef, 1 + clip_coef)
    objective = ratio * advantages
    return -objective.mean()


PATIENT = Patient(
    id="patient_03",
    trap=UNUSED_SETTING,
    part="the loss of the policy",
    ill=ill,
    cured=ppo_clip_loss,
    seams=lambda function: {"policy_loss_fn": function},
)
EXERCISE = Exercise(
    id="patient_03",
    unit="06",
    title="Patient 3",
    points=2,
    minutes=8,
    difficulty=1,
    cases=PPO_CLIP_LOSS.cases,
    observe=PPO_CLIP_LOSS.observe,
    reference=ppo_clip_loss,
    alternatives=PPO_CLIP_LOSS.alternatives,
    hints=(
        "Work the example of the docstring through the code by hand. Which line gives another number than you expect?",
        "One line computes a tensor and gives it to nobody: clamp without an underscore makes a new one. Store it, "
        "then think of how PPO combines the two objectives.",
        "clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef); objective = torch.minimum(ratio * advantages, clipped * "
        "advantages).",
    ),
    misconceptions=(
        unpatched(ill, "Change clip_coef, and see whether the result changes with it."),
        *dressed(
            chosen(
            PPO_CLIP_LOSS.misconceptions, "clipped-ratio-alone", "larger-of-the-two", "one-sided-clip", "interval-around-zero",
            "objective-clipped", "means-before-the-minimum", "constants-not-detached", "detached", "minus-sign-missing",
            "clip-coefficient-fixed", "sum-for-mean",
            ),
            lambda loss: loss,
        ),
    ),
)  # fmt: skip
