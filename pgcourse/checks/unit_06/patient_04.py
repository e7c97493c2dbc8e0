"""patient_04: the loss of the policy with its bonus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_04.ppo_clip_loss import EXERCISE as PPO_CLIP_LOSS
from pgcourse.checks.unit_06 import seams
from pgcourse.checks.unit_06.patient import Function, Patient
from pgcourse.checks.unit_06.shared import chosen, dressed, unpatched
from pgcourse.losses import ppo_clip_loss
from pgcourse.study.traps import ENTROPY_SIGN


def ill(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):  # type: ignore[no-untyped-def]
    """The policy's whole loss over a minibatch: PPO's clipped loss, and a bonus of ent_coef times the mean entropy.

    log_prob, entropy: [B], differentiable. old_log_prob, advantages: [B], data. Returns a scalar to be minimised.
    """
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    policy_loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return policy_loss + ent_coef * entropy.mean()


def patient_04(
    log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, entropy: Tensor, *, clip_coef: float, ent_coef: float
) -> Tensor:
    """The clipped loss minus ent_coef times the mean entropy."""
    policy_loss = ppo_clip_loss(log_prob, old_log_prob, advantages, clip_coef=clip_coef)
    return policy_loss - ent_coef * entropy.mean()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first: those of the clipped loss, with entropies."""
    source = generator(seed)
    for index, case in enumerate(PPO_CLIP_LOSS.cases(seed)):
        batch, dtype = len(case["log_prob"]), case["log_prob"].dtype
        entropy = 0.5 + 0.1 * torch.arange(batch, dtype=dtype)
        if index > 6:
            entropy = 0.7 + 0.1 * normal(source, batch, dtype=dtype)
        yield {**case, "entropy": entropy, "ent_coef": (0.5, 0.1, 0.01)[index % 3]}
    yield {**case, "entropy": 1 + normal(source, batch, dtype=dtype).abs(), "ent_coef": 0.0}


def _with_bonus(bonus: Function, loss: Function = ppo_clip_loss) -> Function:
    """A loss with its bonus, (entropy [B], ent_coef) -> scalar."""

    def attempt(*tensors: Tensor, clip_coef: float, ent_coef: float) -> Any:
        return loss(*tensors[:3], clip_coef=clip_coef) - bonus(tensors[3], ent_coef)

    return attempt


def _right(entropy: Tensor, ent_coef: float) -> Tensor:
    return ent_coef * entropy.mean()


def _in_one_mean(
    log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, entropy: Tensor, *, clip_coef: float, ent_coef: float
) -> Tensor:
    weight, ratio = advantages.detach(), torch.exp(log_prob - old_log_prob.detach())
    worse = torch.max(-weight * ratio, -weight * ratio.clip(1 - clip_coef, 1 + clip_coef))
    return (worse - ent_coef * entropy).mean()


def _with_mean_by_hand(entropy: Tensor, ent_coef: float) -> Tensor:
    return sum(entropy[i] * ent_coef for i in range(len(entropy))) / len(entropy)  # type: ignore[return-value]


def _in_double_precision(*tensors: Tensor, clip_coef: float, ent_coef: float) -> Tensor:
    double = [tensor.double() for tensor in tensors]
    return patient_04(*double, clip_coef=clip_coef, ent_coef=ent_coef).to(tensors[0].dtype)


PATIENT = Patient(
    id="patient_04",
    trap=ENTROPY_SIGN,
    part="the policy's loss with its bonus",
    ill=ill,
    cured=patient_04,
    seams=lambda function: {"update_fn": seams.LossUpdate(seams.loss_with_entropy, function)},
)
EXERCISE = Exercise(
    id="patient_04",
    unit="06",
    title="Patient 4",
    points=2,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=Call(
        "log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef",
        differentiable=("log_prob", "entropy"),
        constant=("old_log_prob", "advantages"),
    ),
    reference=patient_04,
    alternatives=(_in_one_mean, _with_bonus(_with_mean_by_hand), _in_double_precision),
    hints=(
        "A loss is made smaller. For each term of the last line: what does the policy do to make it smaller?",
        "The first term already has a minus from minimising, because its objective is to be made larger. So is the "
        "other.",
        "return policy_loss - ent_coef * entropy.mean()",
    ),
    misconceptions=(
        unpatched(ill, "Ask of each term what an optimiser that makes it smaller does to the policy."),
        Misconception(
            "bonus-dropped",
            "You left the bonus out. The run would no longer show the symptom, but the setting ent_coef would have no "
            "effect: one bug for another. The bonus has to stay, and to reward an undecided policy.",
            _with_bonus(lambda entropy, ent_coef: 0 * entropy.mean()),
            (_with_bonus(lambda entropy, ent_coef: 0.0),),
        ),
        Misconception(
            "bonus-without-gradient",
            "The number is right, but no gradient reaches the entropy. A bonus acts through its gradient alone, so "
            "this one does nothing. Leave entropy attached.",
            _with_bonus(lambda entropy, ent_coef: ent_coef * entropy.detach().mean()),
        ),
        Misconception(
            "bonus-summed",
            "You summed the entropy over the batch and averaged the rest. The bonus then grows with the minibatch: of "
            "512 rows it weighs 512 times as much. Take the mean of both.",
            _with_bonus(lambda entropy, ent_coef: ent_coef * entropy.sum()),
        ),
        Misconception(
            "coefficient-missing",
            "You subtracted the mean entropy without its coefficient. With a weight of 1 the bonus outweighs the "
            "advantages, and the policy stays undecided.",
            _with_bonus(lambda entropy, ent_coef: entropy.mean()),
        ),
        Misconception(
            "everything-flipped",
            "You flipped the sign of the whole loss. The entropy is rewarded now, and so is doing what was worse than "
            "expected. Only one of the two terms had the wrong sign.",
            lambda *tensors, **settings: -ill(*tensors, **settings),
        ),
        *dressed(
            chosen(PPO_CLIP_LOSS.misconceptions, "larger-of-the-two", "not-clipped", "sum-for-mean", "detached"),
            lambda loss: _with_bonus(_right, loss),
        ),
    ),
)  # fmt: skip
