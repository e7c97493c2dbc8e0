"""patient_10: the optimisers of policy and critic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.optimizers import OptimizerSteps
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_06 import in_training
from pgcourse.checks.unit_06.optimizers import Sizes, network_case, shown
from pgcourse.checks.unit_06.patient import Function, Patient, mistake, unpatched
from pgcourse.study.traps import SLOW_CRITIC


def ill(policy, critic, *, policy_lr, critic_lr):  # type: ignore[no-untyped-def]
    """The optimisers of both networks: Adam with eps = 1e-5, each with its own learning rate, in this order.

    Nothing else is set.
    """
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    critic_optimizer = torch.optim.Adam(critic.parameters(), 3e-4, eps=1e-5)
    return policy_optimizer, critic_optimizer


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. The last gradients are as small as eps, which shows it."""
    one: Sizes = {"policy": {"weight": (1,)}, "critic": {"weight": (1,)}}
    two: Sizes = {"policy": {"weight": (2, 2), "bias": (2,)}, "critic": {"weight": (1, 2), "bias": (1,)}}
    yield network_case(one, policy_lr=0.01, critic_lr=0.1)
    yield network_case(two, policy_lr=0.2, critic_lr=0.05)
    yield network_case(two, seed=seed, policy_lr=0.03, critic_lr=0.3)
    yield network_case(two, seed=seed + 1, policy_lr=0.02, critic_lr=0.02)
    yield network_case(two, seed=seed + 2, gradient=1e-5, policy_lr=0.01, critic_lr=0.04)


def pair(
    rates: Function = lambda policy_lr, critic_lr: (policy_lr, critic_lr),
    networks: Function = lambda policy, critic: (policy, critic),
    critics: dict[str, Any] | None = None,
    **settings: Any,
) -> Function:
    """Two optimisers; the defaults are right. Args: critics: settings of the critic's alone."""

    def attempt(policy: nn.Module, critic: nn.Module, *, policy_lr: float, critic_lr: float) -> Any:
        (first, second), (one, two) = networks(policy, critic), rates(policy_lr, critic_lr)
        both = {"eps": 1e-5, **settings}
        optimizer = torch.optim.Adam(first.parameters(), one, **both)
        return optimizer, torch.optim.Adam(second.parameters(), two, **both | (critics or {}))

    return attempt


def one_for_both(policy: nn.Module, critic: nn.Module, *, policy_lr: float, critic_lr: float) -> torch.optim.Optimizer:
    """One optimiser of two groups, each with its rate."""
    rated = ((policy, policy_lr), (critic, critic_lr))
    return torch.optim.Adam([{"params": list(network.parameters()), "lr": rate} for network, rate in rated], eps=1e-5)


PATIENT = Patient(
    "patient_10",
    SLOW_CRITIC,
    ill=ill,
    cured=pair(),
    seams=lambda function: in_training.pair_of_optimizers(
        function, SLOW_CRITIC.base.policy_lr, SLOW_CRITIC.base.critic_lr
    ),
)
EXERCISE = Exercise.listed(
    "patient_10",
    cases=cases,
    observe=OptimizerSteps("policy, critic, *, policy_lr, critic_lr", ("policy", "critic")),
    reference=PATIENT.cured,
    show_case=shown("patient_10"),
    hints=(
        "Follow each argument through the code. Where does each of the four end up?",
        "One learning rate is accepted and never used; a number that somebody left behind takes its place.",
        "critic_optimizer = torch.optim.Adam(critic.parameters(), lr=critic_lr, eps=1e-5)",
    ),
    misconceptions=(
        unpatched(
            ill,
            "Call it twice with different learning rates, and print the param_groups of both optimisers.",
            lambda policy, critic, *, policy_lr, critic_lr: ill(policy, critic, policy_lr=policy_lr, critic_lr=3e-4),
        ),
        mistake(
            "rates-exchanged",
            "The critic has the policy's learning rate and the policy the critic's. The critic is a regression and takes large "
            "steps well; the policy does not. Compare the order of the arguments.",
            pair(lambda policy_lr, critic_lr: (critic_lr, policy_lr)),
        ),
        mistake(
            "one-rate-for-both",
            "Both networks have the same learning rate, so one of the two settings has no effect. With the policy's, the critic "
            "stays slow; with the critic's, the policy takes steps that are many times too large.",
            pair(lambda policy_lr, critic_lr: (policy_lr, policy_lr)),
            pair(lambda policy_lr, critic_lr: (critic_lr, critic_lr)),
        ),
        mistake(
            "critic-rate-from-elsewhere",
            "The critic's learning rate is another fixed number, or a multiple of the policy's. Whoever changes critic_lr next "
            "month will wonder why nothing happens: read the argument.",
            pair(lambda policy_lr, critic_lr: (policy_lr, 1e-2)),
            pair(lambda policy_lr, critic_lr: (policy_lr, 1e-3)),
            pair(lambda policy_lr, critic_lr: (policy_lr, 3e-3)),
            pair(lambda policy_lr, critic_lr: (policy_lr, 10 * policy_lr)),
        ),
        mistake(
            "another-networks-parameters",
            "An optimiser holds parameters of the wrong network: the critic's holds the policy's, or both networks'. Then the "
            "critic never moves, or the policy twice, along a gradient that is not its own. One network, one optimiser.",
            pair(networks=lambda policy, critic: (policy, policy)),
            pair(networks=lambda policy, critic: (policy, nn.ModuleList([policy, critic]))),
            pair(networks=lambda policy, critic: (nn.ModuleList([policy, critic]), critic)),
        ),
        mistake(
            "order-exchanged",
            "The two optimisers are right, and returned in the wrong order. As long as both step together nothing shows; "
            "clipping and an annealed learning rate would reach the wrong network.",
            pair(lambda policy_lr, critic_lr: (critic_lr, policy_lr), lambda policy, critic: (critic, policy)),
        ),
        mistake(
            "one-for-both-networks",
            "You made one optimiser for both networks. Whoever called the function takes two apart, for policy and critic, in "
            "this order, and clips and steps each by itself.",
            one_for_both,
            lambda *networks, **rates: 2 * (one_for_both(*networks, **rates),),
        ),
        mistake(
            "another-setting-changed",
            "The learning rates are right, and another setting is not: eps is 1e-5 for both, and nothing else is set, neither "
            "amsgrad nor weight decay. A patch that mends two things at once leaves open which of them helped.",
            pair(critics={"eps": 1e-8}),
            pair(eps=1e-8),
            pair(critics={"amsgrad": True}),
            pair(amsgrad=True),
            pair(critics={"betas": (0.9, 0.95)}),
        ),
    ),
)
