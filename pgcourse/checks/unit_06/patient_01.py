"""patient_01: the clipped loss of a minibatch, from the policy itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from pgcourse.checks.cases import generator, integers, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.policy_loss import PolicyLoss
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_04.ppo_clip_loss import EXERCISE as PPO_CLIP_LOSS
from pgcourse.checks.unit_06 import seams
from pgcourse.checks.unit_06.patient import Function, Patient
from pgcourse.checks.unit_06.shared import chosen, dressed, unpatched
from pgcourse.checks.wording import value
from pgcourse.losses import ppo_clip_loss
from pgcourse.study.traps import OLD_LOG_PROB_RECOMPUTED

Loss = tuple[Tensor, Tensor]


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


def patient_01(
    policy: nn.Module, obs: Tensor, actions: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float
) -> Loss:
    """The clipped loss against the policy that acted, and the logarithm of each row's ratio."""
    log_ratio = policy(obs).log_prob(actions) - old_log_prob  # [B], against the policy that acted
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


def _dress(loss: Function) -> Function:
    def attempt(policy: nn.Module, obs: Tensor, actions: Tensor, *tensors: Tensor, **settings: Any) -> Loss:
        log_prob = policy(obs).log_prob(actions)
        return loss(log_prob, *tensors, **settings), (log_prob - tensors[0]).detach()

    return attempt


def _compared_with_itself(
    policy: Any, obs: Tensor, actions: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float
) -> Loss:
    del old_log_prob
    log_prob = policy(obs).log_prob(actions)
    before = policy(obs).log_prob(actions).detach()
    return ppo_clip_loss(log_prob, before, advantages, clip_coef=clip_coef), 0 * before


def _with_loop(
    policy: Any, obs: Tensor, actions: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float
) -> Loss:
    rows, terms = [], []
    for row, action, old, advantage in zip(obs, actions, old_log_prob.tolist(), advantages.tolist(), strict=True):
        rows.append(policy(row[None]).log_prob(action)[0] - old)
        ratio = torch.exp(rows[-1])
        terms.append(torch.min(ratio * advantage, ratio.clip(1 - clip_coef, 1 + clip_coef) * advantage))
    return -torch.stack(terms).mean(), torch.stack(rows).detach()


def _in_double_precision(
    policy: Any, obs: Tensor, actions: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float
) -> Loss:
    log_prob = policy(obs).log_prob(actions)
    loss = ppo_clip_loss(log_prob.double(), old_log_prob.double(), advantages.double(), clip_coef=clip_coef)
    return loss.to(obs.dtype), (log_prob.data - old_log_prob).clone()


def _shown(case: Case) -> str:
    policy = f"<linear policy of weight {value(case['weight'])} and bias {value(case['bias'])}>"
    tensors = ", ".join(value(case[name]) for name in ("obs", "actions", "old_log_prob", "advantages"))
    return f"patient_01({policy}, {tensors}, clip_coef={value(case['clip_coef'])})"


PATIENT = Patient(
    id="patient_01",
    trap=OLD_LOG_PROB_RECOMPUTED,
    part="the clipped loss of a minibatch",
    ill=ill,
    cured=patient_01,
    seams=lambda function: {"update_fn": seams.LossUpdate(seams.loss_with_policy, function)},
)
EXERCISE = Exercise(
    id="patient_01",
    unit="06",
    title="Patient 1",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    observe=PolicyLoss("policy, obs, actions, old_log_prob, advantages, *, clip_coef"),
    reference=patient_01,
    show_case=_shown,
    alternatives=(_dress(ppo_clip_loss), _with_loop, _in_double_precision),
    hints=(
        "Which two policies does the ratio compare? Name, for each of the two log-probabilities in the code, the "
        "policy that it is of.",
        "One of the arguments is never read. It was stored when the actions were taken, and stays as it is in all "
        "epochs.",
        "log_ratio = log_prob - old_log_prob; the block under no_grad goes.",
    ),
    misconceptions=(
        unpatched(
            ill,
            "Look for an argument that the code takes and never reads, and ask which policy `before` is of.",
            _compared_with_itself,
        ),
        *dressed(
            chosen(
                PPO_CLIP_LOSS.misconceptions,
                "detached", "minus-sign-missing", "larger-of-the-two", "clipped-ratio-alone", "not-clipped",
                "objective-clipped", "exponential-missing", "ratio-upside-down", "no-ratio", "sum-for-mean",
            ),
            _dress,
        ),
    ),
)  # fmt: skip
