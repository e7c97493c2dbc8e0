"""patient_04: the loss of the policy with its bonus."""

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, edits_of, generator, normal
from pgcourse.checks.unit_04.ppo_clip_loss import EXERCISE as PPO_CLIP_LOSS
from pgcourse.checks.unit_06.patient import Patient, exercise_of, with_loss_in
from pgcourse.study import hooks
from pgcourse.study.traps import ENTROPY_SIGN


def ill(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):  # type: ignore[no-untyped-def]
    """The policy's whole loss over a minibatch: PPO's clipped loss, and a bonus of ent_coef times the mean entropy.

    log_prob, entropy: [B], differentiable; an entropy may be negative. old_log_prob, advantages: [B], data, into which no
    gradient flows. Returns a scalar to be minimised: what raises the entropy makes it smaller.
    """
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    policy_loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return policy_loss + ent_coef * entropy.mean()


def patient_04(
    log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, entropy: Tensor, *, clip_coef: float, ent_coef: float
) -> Tensor:
    """PPO's clipped loss, less the bonus."""
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    policy_loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return policy_loss - ent_coef * entropy.mean()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first: those of the clipped loss, with entropies; that of a narrow Gaussian is negative."""
    source = generator(seed)
    fixed = list(itertools.islice(PPO_CLIP_LOSS.cases(seed), 2))
    yield {**fixed[0], "entropy": torch.tensor([-0.5]), "ent_coef": 0.5}
    yield {**fixed[1], "entropy": torch.tensor([-0.5, 0.2]), "ent_coef": 0.5}
    for index, case in enumerate(PPO_CLIP_LOSS.cases(seed)):
        batch, dtype = len(case["log_prob"]), case["log_prob"].dtype
        entropy = 0.5 + 0.1 * torch.arange(batch, dtype=dtype)
        if index > 7:
            entropy = 0.7 + 0.1 * normal(source, batch, dtype=dtype)
        yield {**case, "entropy": entropy, "ent_coef": (0.5, 0.1, 0.01)[index % 3]}
    yield {**case, "entropy": 1 + normal(source, batch, dtype=dtype).abs(), "ent_coef": 0.03}
    yield {**case, "entropy": normal(source, batch, dtype=dtype) - 1, "ent_coef": 0.2}


mistake = edits_of(patient_04)
PATIENT = Patient("patient_04", ENTROPY_SIGN, ill, patient_04, hooks.loss_with_bonus)
EXERCISE = exercise_of(
    PATIENT,
    "Ask of each term what an optimiser that makes it smaller does to the policy.",
    like=PPO_CLIP_LOSS,
    cases=cases,
    observe=Call(
        "log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef",
        differentiable=("log_prob", "entropy"),
        constant=("old_log_prob", "advantages"),
    ),
    hints=(
        "A loss is made smaller. For each term of the last line: what does the policy do to make it smaller?",
        "The first term already has a minus from minimising, because its objective is to be made larger. So is the other.",
        "return policy_loss - ent_coef * entropy.mean()",
    ),
    misconceptions=(
        mistake(
            "another-entropy",
            "Your bonus is not the mean of entropy as it comes. A sum weighs 512 times as much for 512 rows; a negative entropy, "
            "that of a narrow Gaussian, counts as well; minus the mean of log_prob is a guess, with another gradient.",
            {"entropy.mean()": "entropy.sum()"},
            {"entropy.mean()": "entropy.clamp(min=0).mean()"},
            {"entropy.mean()": "entropy.mean().clamp(min=0)"},
            {"entropy.mean()": "entropy.abs().mean()"},
            {"entropy.mean()": "entropy.mean().abs()"},
            {"entropy.mean()": "-log_prob.mean()"},
        ),
        mistake(
            "coefficient-not-read",
            "ent_coef has no effect: you left the bonus out, or gave it a weight of your own. The run may no longer show the "
            "symptom, but a setting that is accepted and not used is a bug of its own.",
            {" - ent_coef * entropy.mean()": ""},
            {"ent_coef * entropy": "entropy"},
            {"ent_coef * entropy": "0.01 * entropy"},
        ),
        mistake(
            "bonus-in-the-advantages",
            "You added the bonus to the advantages. There it is multiplied by the ratio and clipped with it, and rewards "
            "actions in place of an undecided policy. It is a term of its own, beside the clipped loss.",
            {"advantages.detach()": "advantages.detach() + ent_coef * entropy", " - ent_coef * entropy.mean()": ""},
            {"advantages.detach()": "(advantages + ent_coef * entropy).detach()", " - ent_coef * entropy.mean()": ""},
        ),
        mistake(
            "everything-flipped",
            "You flipped the sign of the whole loss. The entropy is rewarded now, and so is doing what was worse than "
            "expected. Only one of the two terms had the wrong sign.",
            {"return policy_loss": "return -policy_loss"},
        ),
    ),
    dress=with_loss_in(patient_04),
)
