"""patient_03: the loss of the policy."""

import torch

from pgcourse.checks.authoring import edits_of
from pgcourse.checks.unit_04.ppo_clip_loss import EXERCISE as PPO_CLIP_LOSS
from pgcourse.checks.unit_06.patient import Patient, exercise_of
from pgcourse.losses import ppo_clip_loss
from pgcourse.study.traps import UNUSED_SETTING


def ill(log_prob, old_log_prob, advantages, *, clip_coef):  # type: ignore[no-untyped-def]
    """The clipped loss of PPO over a minibatch: a scalar, minus the mean of the smaller objective.

    log_prob: [B], differentiable. old_log_prob, advantages: [B], data, into which no gradient flows.
    clip_coef: half the width of the ratio's interval.
    Example: one row with ratio 1.5, advantage 2 and clip_coef 0.2 gives -2.4.
    """
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    ratio.clamp(1 - clip_coef, 1 + clip_coef)
    objective = ratio * advantages
    return -objective.mean()


mistake = edits_of(ill, torch=torch)
PATIENT = Patient("patient_03", UNUSED_SETTING, ill, ppo_clip_loss, lambda function: {"policy_loss_fn": function})
EXERCISE = exercise_of(
    PATIENT,
    "Change clip_coef, and see whether the result changes with it.",
    like=PPO_CLIP_LOSS,
    hints=(
        "Work the example of the docstring through the code by hand. Which line gives another number than you expect?",
        "One line computes a tensor and gives it to nobody: clamp without an underscore makes a new one. Store it, then "
        "think of how PPO combines the two objectives.",
        "clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef); objective = torch.minimum(ratio * advantages, clipped * "
        "advantages).",
    ),
    misconceptions=(
        mistake(
            "clamped-in-place",
            "clamp_ overwrites the ratio. exp kept that very tensor for its gradient, and the unclipped objective needs it "
            "too. Leave ratio as it is, and give the clamped one a name of its own.",
            {"ratio.clamp(": "ratio.clamp_("},
        ),
        mistake(
            "clip-coefficient-fixed",
            "You wrote the usual 0.2 into the formula. It is right until somebody chooses another value, and then the "
            "setting is accepted and does nothing, as before. Use clip_coef.",
            lambda *tensors, clip_coef: ppo_clip_loss(*tensors, clip_coef=0.2),
        ),
        mistake(
            "one-ratio-without-the-advantage",
            "Only one of the two ratios is multiplied by the advantages. The minimum then compares an objective with a bare "
            "ratio. Multiply both, the ratio and the clamped one.",
            {
                "ratio.clamp(": "clipped = ratio.clamp(",
                "= ratio * advantages": "= torch.minimum(ratio * advantages, clipped)",
            },
            {
                "ratio.clamp(": "clipped = ratio.clamp(",
                "= ratio * advantages": "= torch.minimum(ratio, clipped * advantages)",
            },
        ),
    ),
)
