"""patient_01: the clipped loss of a minibatch, from the policy itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, integers, normal
from pgcourse.checks.observe.policy_loss import PolicyLoss
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_04.ppo_clip_loss import EXERCISE as PPO_CLIP_LOSS
from pgcourse.checks.unit_06 import in_training
from pgcourse.checks.unit_06.patient import Function, Patient, exercise_like, mistake, unpatched
from pgcourse.checks.wording import value
from pgcourse.losses import ppo_clip_loss
from pgcourse.study.traps import OLD_LOG_PROB_RECOMPUTED


def ill(policy, obs, actions, old_log_prob, advantages, *, clip_coef):  # type: ignore[no-untyped-def]
    """The clipped loss of one minibatch, and the logarithm of each row's ratio for the diagnostics.

    policy: obs [B, D] -> distribution. actions, advantages: [B]. old_log_prob: [B], of the policy that acted.
    Returns (loss, log_ratio): a scalar whose gradient reaches the policy, and [B] without gradient.
    """
    log_prob = policy(obs).log_prob(actions)  # [B]
    with torch.no_grad():
        before = policy(obs).log_prob(actions)  # [B]
    log_ratio = log_prob - before
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - clip_coef, 1 + clip_coef)
    loss = -torch.minimum(ratio * advantages, clipped * advantages).mean()
    return loss, log_ratio.detach()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. A policy of weight 0 gives each of two actions the log-probability -0.693."""
    fixed = {"weight": torch.zeros(2, 1), "bias": torch.zeros(2), "clip_coef": 0.2}
    yield {
        **fixed, "obs": torch.ones(1, 1), "actions": torch.tensor([0]), "old_log_prob": torch.tensor([-0.8]),
        "advantages": torch.tensor([2.0]),
    }  # fmt: skip
    yield {
        **fixed, "obs": torch.tensor([[1.0], [2.0], [3.0], [4.0]]), "actions": torch.tensor([0, 0, 1, 1]),
        "old_log_prob": torch.tensor([-1.2, -0.3, -1.3, -0.2]), "advantages": torch.tensor([2.0, 1.0, -1.0, -3.0]),
    }  # fmt: skip
    # Here the unclipped mean is the smaller one, and means taken first differ from the clipped ratio alone.
    yield {
        **fixed, "obs": torch.ones(2, 1), "actions": torch.tensor([0, 1]), "old_log_prob": torch.tensor([-1.0986, 0.0]),
        "advantages": torch.tensor([-3.0, 1.0]),
    }  # fmt: skip
    source = generator(seed)
    for batch, actions, clip_coef, dtype in ((12, 3, 0.2, torch.float32), (16, 2, 0.3, torch.float64)):
        yield {
            "weight": 0.5 * normal(source, actions, 2, dtype=dtype),
            "bias": 0.1 * normal(source, actions, dtype=dtype),
            "obs": normal(source, batch, 2, dtype=dtype),
            "actions": integers(source, actions, batch),
            "old_log_prob": -normal(source, batch, dtype=dtype).abs() - 0.2,
            "advantages": normal(source, batch, dtype=dtype),
            "clip_coef": clip_coef,
        }


def loss_with(
    loss: Function = ppo_clip_loss,
    old: Callable[[Tensor, Tensor], Tensor] = lambda new, old: old,
    report: Callable[[Tensor, Tensor, float], Tensor] = lambda new, old, clip_coef: (new - old).detach(),
) -> Function:
    """The function with one of these in another way: the loss, its old log-probabilities, the reported logarithm."""

    def attempt(policy: Any, obs: Tensor, actions: Tensor, *data: Tensor, clip_coef: float) -> tuple[Tensor, Tensor]:
        new, (before, advantages) = policy(obs).log_prob(actions), data
        return loss(new, old(new, before), advantages, clip_coef=clip_coef), report(new, before, clip_coef)

    return attempt


def shown(case: Case) -> str:
    """The case as a call, the policy in words."""
    policy = f"<linear policy of weight {value(case['weight'])} and bias {value(case['bias'])}>"
    tensors = ", ".join(value(case[name]) for name in ("obs", "actions", "old_log_prob", "advantages"))
    return f"patient_01({policy}, {tensors}, clip_coef={value(case['clip_coef'])})"


PATIENT = Patient("patient_01", OLD_LOG_PROB_RECOMPUTED, ill=ill, cured=loss_with(), seams=in_training.loss_of_policy)
EXERCISE = exercise_like(
    PPO_CLIP_LOSS,
    "patient_01",
    cases=cases,
    observe=PolicyLoss("policy, obs, actions, old_log_prob, advantages, *, clip_coef"),
    reference=PATIENT.cured,
    show_case=shown,
    hints=(
        "Which two policies does the ratio compare? Name, for each of the two log-probabilities in the code, the policy that "
        "it is of.",
        "One of the arguments is never read. It was stored when the actions were taken, and stays as it is in all epochs.",
        "log_ratio = log_prob - old_log_prob; the block under no_grad goes.",
    ),
    misconceptions=(
        unpatched(ill, "Look for an argument that the code never reads, and ask which policy `before` is of."),
        mistake(
            "only-the-report-mended",
            "The logarithm of the ratio that you return is right, and the loss still compares the policy with itself. The "
            "diagnostics would show a KL that nothing limits. Both come from the same difference.",
            loss_with(old=lambda new, old: new.detach()),
        ),
        mistake(
            "ratio-upside-down",
            "Your ratio is the old probability over the new one, so the step goes the wrong way: making a good action more "
            "likely lowers your objective. The new policy stands on top.",
            loss_with(
                lambda new, old, a, **c: ppo_clip_loss(-new, -old, a, **c),
                report=lambda new, old, c: (old - new).detach(),
            ),
        ),
        mistake(
            "another-number-reported",
            "The loss is right, and with it comes another number than the logarithm of each row's ratio (new over old): the "
            "ratio itself, or its clip, or the difference the other way round. KL and clip fraction are computed from it.",
            loss_with(report=lambda new, old, clip_coef: (new - old).exp().detach()),
            loss_with(report=lambda new, old, c: (new - old).exp().clamp(1 - c, 1 + c).log().detach()),
            loss_with(report=lambda new, old, c: (old - new).detach()),
        ),
        mistake(
            "report-keeps-its-gradient",
            "The numbers are right, and the logarithm of the ratio still hangs on the policy. It is kept for the diagnostics "
            "of a whole update, and would keep the graph of every minibatch alive. Detach what you report.",
            loss_with(report=lambda new, old, clip_coef: new - old),
        ),
    ),
    dress=loss_with,
)
