"""a2c_losses(...): the two losses of A2C, each for an optimiser of its own."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_03.a2c_losses_wrong import MISCONCEPTIONS
from pgcourse.checks.unit_03.rollouts import named_call

SIGNATURE = "log_prob, advantages, values, returns, entropy, *, ent_coef"
NAMES = ("log_prob", "advantages", "values", "returns", "entropy")


def a2c_losses(
    log_prob: Tensor, advantages: Tensor, values: Tensor, returns: Tensor, entropy: Tensor, *, ent_coef: float
) -> tuple[Tensor, Tensor]:
    """Policy loss with entropy bonus, and half the mean squared error of the critic. All inputs [B]."""
    policy_loss = -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean()
    value_loss = 0.5 * (values - returns.detach()).square().mean()
    return policy_loss, value_loss


def _as_list(
    log_prob: Tensor, advantages: Tensor, values: Tensor, returns: Tensor, entropy: Tensor, *, ent_coef: float
) -> list[Tensor]:
    return list(a2c_losses(log_prob, advantages, values, returns, entropy, ent_coef=ent_coef))


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield _case([-0.5], [2.0], [1.0], [4.0], [0.6], 0.5)
    yield _case([-1.0, -2.0], [3.0, -1.0], [1.0, 5.0], [3.0, 1.0], [0.5, 0.25], 0.1)
    yield _case([-1.0, -0.5, -2.0], [1.0, -2.0, 0.0], [0.0, 2.0, -1.0], [1.0, 2.0, 5.0], [0.7, 0.1, 0.0], 0.0)
    source = generator(seed)
    for count, ent_coef, dtype in ((7, 0.01, torch.float32), (5, 0.3, torch.float32), (6, 0.02, torch.float64)):
        log_prob, advantages, values, returns, entropy = (normal(source, count, dtype=dtype) for _ in NAMES)
        yield {
            "log_prob": -log_prob.abs(), "advantages": 3 * advantages + 1, "values": 4 * values,
            "returns": 4 * returns + 9, "entropy": entropy.abs(), "ent_coef": ent_coef,
        }  # fmt: skip


def _case(
    log_prob: list[float], advantages: list[float], values: list[float], returns: list[float], entropy: list[float],
    ent_coef: float,
) -> Case:  # fmt: skip
    tensors = (torch.tensor(column) for column in (log_prob, advantages, values, returns, entropy))
    return dict(zip(NAMES, tensors, strict=True)) | {"ent_coef": ent_coef}


def _with_loop(
    log_prob: Tensor, advantages: Tensor, values: Tensor, returns: Tensor, entropy: Tensor, *, ent_coef: float
) -> tuple[Tensor, Tensor]:
    policy_loss, value_loss = log_prob.new_zeros(()), log_prob.new_zeros(())
    for b in range(len(log_prob)):
        policy_loss = policy_loss - advantages[b].item() * log_prob[b] - ent_coef * entropy[b]
        value_loss = value_loss + (values[b] - returns[b].item()) ** 2 / 2
    return policy_loss / len(log_prob), value_loss / len(log_prob)


def _with_library_loss(
    log_prob: Tensor, advantages: Tensor, values: Tensor, returns: Tensor, entropy: Tensor, *, ent_coef: float
) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        weight, target = advantages.clone(), returns.clone()
    objective = torch.mean(log_prob * weight + ent_coef * entropy)
    return -objective, functional.mse_loss(values, target) / 2


def _with_dot(
    log_prob: Tensor, advantages: Tensor, values: Tensor, returns: Tensor, entropy: Tensor, *, ent_coef: float
) -> tuple[Tensor, Tensor]:
    residual = values - returns.data
    policy_loss = -(log_prob @ advantages.data + ent_coef * entropy.sum()) / log_prob.numel()
    return policy_loss, residual @ residual / (2 * residual.numel())


def _in_double_precision(
    log_prob: Tensor, advantages: Tensor, values: Tensor, returns: Tensor, entropy: Tensor, *, ent_coef: float
) -> tuple[Tensor, Tensor]:
    both = a2c_losses(
        log_prob.double(), advantages.double(), values.double(), returns.double(), entropy.double(), ent_coef=ent_coef
    )
    return both[0].to(log_prob.dtype), both[1].to(values.dtype)


EXERCISE = Exercise(
    id="a2c_losses",
    unit="03",
    title="The two losses of A2C",
    points=2,
    minutes=12,
    difficulty=2,
    cases=cases,
    observe=Call(SIGNATURE, differentiable=("log_prob", "values", "entropy"), constant=("advantages", "returns")),
    reference=a2c_losses,
    also_correct=(_as_list,),
    show_case=named_call("a2c_losses", SIGNATURE),
    alternatives=(_with_loop, _with_library_loss, _with_dot, _in_double_precision, _as_list),
    hints=(
        "Two networks, two losses, and nothing of one in the other. Optimisers minimise: which of the three quantities, "
        "weighted log-probability, entropy and squared error, should become larger?",
        "Policy: minus the mean of advantage times log-probability, minus ent_coef times the mean entropy. Critic: half "
        "the mean of (value - return) squared. Advantages and returns are data: detach them.",
        "policy_loss = -(advantages.detach() * log_prob).mean() - ent_coef * entropy.mean(); value_loss = 0.5 * (values - "
        "returns.detach()).square().mean(); return policy_loss, value_loss",
    ),
    misconceptions=MISCONCEPTIONS,
)
