"""patient_10: the optimisers of policy and critic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from pgcourse import optim
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.optimizers import OptimizerSteps
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_06 import seams
from pgcourse.checks.unit_06.networks import Sizes, network_case, shown
from pgcourse.checks.unit_06.patient import Function, Patient
from pgcourse.checks.unit_06.shared import unpatched
from pgcourse.study.traps import SLOW_CRITIC

Pair = tuple[torch.optim.Optimizer, torch.optim.Optimizer]


def ill(policy, critic, *, policy_lr, critic_lr):  # type: ignore[no-untyped-def]
    """The optimisers of both networks: Adam with eps = 1e-5, each with its own learning rate, in this order.

    Nothing else is set.
    """
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    critic_optimizer = torch.optim.Adam(critic.parameters(), 3e-4, eps=1e-5)
    return policy_optimizer, critic_optimizer


def patient_10(policy: nn.Module, critic: nn.Module, *, policy_lr: float, critic_lr: float) -> Pair:
    """Adam for each network with its own learning rate."""
    policy_optimizer = torch.optim.Adam(policy.parameters(), lr=policy_lr, eps=1e-5)
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=critic_lr, eps=1e-5)
    return policy_optimizer, critic_optimizer


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    one: Sizes = {"policy": {"weight": (1,)}, "critic": {"weight": (1,)}}
    two: Sizes = {"policy": {"weight": (2, 2), "bias": (2,)}, "critic": {"weight": (1, 2), "bias": (1,)}}
    yield network_case(one, policy_lr=0.01, critic_lr=0.1)
    yield network_case(two, policy_lr=0.2, critic_lr=0.05)
    yield network_case(two, seed=seed, policy_lr=0.03, critic_lr=0.3)
    yield network_case(two, seed=seed + 1, policy_lr=0.02, critic_lr=0.02)


def _pair(*rates: Function, make: Function = torch.optim.Adam) -> Function:
    """Two optimisers with rates from (policy_lr, critic_lr)."""

    def attempt(policy: nn.Module, critic: nn.Module, *, policy_lr: float, critic_lr: float) -> Any:
        modules = (policy, critic)
        return tuple(
            make(m.parameters(), lr=rate(policy_lr, critic_lr)) for m, rate in zip(modules, rates, strict=True)
        )

    return attempt


def _with_package(policy: nn.Module, critic: nn.Module, *, policy_lr: float, critic_lr: float) -> Pair:
    return optim.adam(policy.parameters(), policy_lr), optim.adam(critic.parameters(), critic_lr)


def _set_later(policy: nn.Module, critic: nn.Module, *, policy_lr: float, critic_lr: float) -> Pair:
    first, second = (torch.optim.Adam(m.parameters(), eps=1e-5) for m in (policy, critic))
    optim.set_learning_rate(first, policy_lr)
    optim.set_learning_rate(second, critic_lr)
    return first, second


def _in_groups(policy: nn.Module, critic: nn.Module, *, policy_lr: float, critic_lr: float) -> list[Any]:
    rates = {policy: policy_lr, critic: critic_lr}
    return [
        torch.optim.AdamW([{"params": [p]} for p in m.parameters()], lr=rate, eps=1e-5, weight_decay=0)
        for m, rate in rates.items()
    ]


def _policy_rate(policy_lr: float, critic_lr: float) -> float:
    return policy_lr


def _critic_rate(policy_lr: float, critic_lr: float) -> float:
    return critic_lr


PATIENT = Patient(
    id="patient_10",
    trap=SLOW_CRITIC,
    part="the optimisers of both networks",
    ill=ill,
    cured=patient_10,
    seams=lambda function: {
        "optimizer_fn": seams.PairOfOptimizers(function, SLOW_CRITIC.base.policy_lr, SLOW_CRITIC.base.critic_lr)
    },
)
EXERCISE = Exercise(
    id="patient_10",
    unit="06",
    title="Patient 10",
    points=2,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=OptimizerSteps("policy, critic, *, policy_lr, critic_lr", ("policy", "critic")),
    reference=patient_10,
    show_case=shown("patient_10"),
    alternatives=(_with_package, _set_later, _in_groups),
    hints=(
        "Follow each argument through the code. Where does each of the four end up?",
        "One learning rate is accepted and never used; a number that somebody left behind takes its place.",
        "critic_optimizer = torch.optim.Adam(critic.parameters(), lr=critic_lr, eps=1e-5)",
    ),
    misconceptions=(
        unpatched(
            ill,
            "Call it twice with different learning rates, and print the param_groups of both optimisers.",
            _pair(_policy_rate, lambda policy_lr, critic_lr: 3e-4),
        ),
        Misconception(
            "rates-exchanged",
            "The critic has the policy's learning rate and the policy the critic's. The critic is a regression and "
            "takes large steps well; the policy does not. Compare the order of the arguments.",
            _pair(_critic_rate, _policy_rate),
        ),
        Misconception(
            "policy-rate-for-both",
            "Both networks have the policy's learning rate, so critic_lr still has no effect. The symptom is weaker, "
            "and not gone.",
            _pair(_policy_rate, _policy_rate),
        ),
        Misconception(
            "critic-rate-for-both",
            "Both networks have the critic's learning rate. The critic is cured, and the policy now takes steps that "
            "are many times too large.",
            _pair(_critic_rate, _critic_rate),
        ),
        Misconception(
            "new-number",
            "The critic has a fixed learning rate again, only a larger one. Whoever changes critic_lr next month will "
            "wonder why nothing happens: read the argument.",
            _pair(_policy_rate, lambda policy_lr, critic_lr: 1e-2),
            (
                _pair(_policy_rate, lambda policy_lr, critic_lr: 1e-3),
                _pair(_policy_rate, lambda policy_lr, critic_lr: 3e-3),
            ),
        ),
        Misconception(
            "plain-gradient-descent",
            "The learning rates are right, but the steps are those of plain gradient descent. Under it, a learning "
            "rate means something else: the two networks' gradients differ in size a hundredfold.",
            _pair(_policy_rate, _critic_rate, make=torch.optim.SGD),
        ),
        Misconception(
            "one-for-both-networks",
            "You returned one optimiser for both networks. Whoever called the function takes two apart, for policy "
            "and critic, in this order, and clips and steps each by itself.",
            lambda policy, critic, *, policy_lr, critic_lr: torch.optim.Adam(
                [{"params": list(policy.parameters()), "lr": policy_lr}, {"params": list(critic.parameters())}], lr=critic_lr
            ),
        ),
        Misconception(
            "order-exchanged",
            "The two optimisers are right, and returned in the wrong order. As long as both step together nothing "
            "shows; clipping and an annealed learning rate would reach the wrong network.",
            lambda policy, critic, *, policy_lr, critic_lr: patient_10(
                policy, critic, policy_lr=policy_lr, critic_lr=critic_lr
            )[::-1],
        ),
    ),
)  # fmt: skip
