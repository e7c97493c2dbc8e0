"""patient_10: the optimisers of policy and critic."""

from collections.abc import Iterator

import torch
from torch import nn

from pgcourse.checks.authoring import Case, edits_of, generator
from pgcourse.checks.observe.optimizers import OptimizerSteps
from pgcourse.checks.unit_06.optimizers import Sizes, network_case, shown
from pgcourse.checks.unit_06.patient import Patient, exercise_of
from pgcourse.study import hooks
from pgcourse.study.traps import SLOW_CRITIC


def ill(policy, critic, *, policy_lr, critic_lr):  # type: ignore[no-untyped-def]
    """The optimisers of both networks: Adam with eps = 1e-5, each with its own learning rate, in this order.

    Nothing else is set.
    """
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    critic_optimizer = torch.optim.Adam(critic.parameters(), min(critic_lr, 3e-4), eps=1e-5)  # no more than is usual
    return policy_optimizer, critic_optimizer


def patient_10(
    policy: nn.Module, critic: nn.Module, *, policy_lr: float, critic_lr: float
) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    """The optimisers of both networks: Adam with eps = 1e-5, each with its own learning rate."""
    policy_optimizer = torch.optim.Adam(policy.parameters(), policy_lr, eps=1e-5)
    critic_optimizer = torch.optim.Adam(critic.parameters(), critic_lr, eps=1e-5)
    return policy_optimizer, critic_optimizer


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. The last gradients are as small as eps, which shows it."""
    one: Sizes = {"policy": {"weight": (1,)}, "critic": {"weight": (1,)}}
    two: Sizes = {"policy": {"weight": (2, 2), "bias": (2,)}, "critic": {"weight": (1, 2), "bias": (1,)}}
    yield network_case(one, policy_lr=0.01, critic_lr=0.1)
    yield network_case(two, policy_lr=0.2, critic_lr=0.05)
    yield network_case(one, policy_lr=0.0002, critic_lr=0.0001)  # below and above every usual bound
    yield network_case(one, policy_lr=2.0, critic_lr=1.5)
    yield network_case(two, seed=seed, policy_lr=0.03, critic_lr=0.3)
    yield network_case(two, seed=seed + 1, policy_lr=0.02, critic_lr=0.002)
    yield network_case(two, seed=seed + 2, gradient=1e-5, policy_lr=0.01, critic_lr=0.04)
    once, again = (1 + torch.rand(2, generator=generator(seed))).tolist()
    yield network_case(one, policy_lr=2e-4 / once, critic_lr=1e-4 / once)
    yield network_case(one, seed=seed + 3, gradient=1e-5, policy_lr=2.0 * again, critic_lr=1.5 * again)


ADDED = "policy_optimizer.add_param_group(critic_optimizer.param_groups[0])"
BOUNDS = (
    *("min(critic_lr, 1e-2)", "min(critic_lr, 0.1)", "min(critic_lr, 0.3)", "min(critic_lr, 1.0)"),
    *("max(critic_lr, 1e-2)", "max(critic_lr, 1e-3)", "max(critic_lr, 3e-4)", "max(critic_lr, policy_lr)"),
)
mistake = edits_of(patient_10)
PATIENT = Patient("patient_10", SLOW_CRITIC, ill, patient_10, hooks.pair_of_optimizers)
EXERCISE = exercise_of(
    PATIENT,
    "Call it twice with different learning rates, and print the param_groups of both optimisers.",
    cases=cases,
    observe=OptimizerSteps("policy, critic, *, policy_lr, critic_lr", ("policy", "critic")),
    show_case=shown("patient_10"),
    hints=(
        "Follow each argument through the code. With which values does each of the four arrive?",
        "One learning rate is held down to what is usual for Adam, however large it is asked for. Whose decision is it?",
        "critic_optimizer = torch.optim.Adam(critic.parameters(), lr=critic_lr, eps=1e-5)",
    ),
    misconceptions=(
        mistake(
            "rate-of-the-other-network",
            "A network has the learning rate of the other one. The critic is a regression and takes large steps well; the policy "
            "does not. With one rate for both, one of the two settings has no effect.",
            {"(), policy_lr": "(), critic_lr", "critic.parameters(), critic_lr": "critic.parameters(), policy_lr"},
            {"(), critic_lr": "(), policy_lr"},
            {"(), policy_lr": "(), critic_lr"},
        ),
        mistake(
            "critic-rate-from-elsewhere",
            "The critic's learning rate is a fixed number, a multiple of the policy's, or critic_lr held within limits. Whoever "
            "changes critic_lr next month will wonder why nothing happens: hand the argument on as it is.",
            *({"(), critic_lr": f"(), {rate}"} for rate in ("1e-2", "1e-3", "3e-3", "10 * policy_lr")),
            *({"(), critic_lr": f"(), {bound}"} for bound in BOUNDS),
        ),
        mistake(
            "another-networks-parameters",
            "An optimiser holds parameters of the wrong network: the critic's holds the policy's, or both networks'. Then the "
            "critic never moves, or the policy twice, along a gradient that is not its own. One network, one optimiser.",
            {"critic.parameters()": "policy.parameters()"},
            {"critic.parameters()": "[*policy.parameters(), *critic.parameters()]"},
            {"policy.parameters()": "[*policy.parameters(), *critic.parameters()]"},
        ),
        mistake(
            "not-policy-then-critic",
            "You returned the two optimisers in the wrong order, or one for both networks. Whoever called takes two apart, for "
            "policy and critic, in this order, and clips and anneals each by itself.",
            {"return policy_optimizer, critic_optimizer": "return critic_optimizer, policy_optimizer"},
            {"return policy_optimizer, critic_optimizer": f"{ADDED}\n    return policy_optimizer"},
            {"return policy_optimizer, critic_optimizer": f"{ADDED}\n    return policy_optimizer, policy_optimizer"},
        ),
        mistake(
            "another-setting-changed",
            "The learning rates are right, and another setting is not: eps is 1e-5 for both, and nothing else is set, neither "
            "amsgrad nor weight decay. A patch that mends two things at once leaves open which of them helped.",
            {"critic_lr, eps=1e-5": "critic_lr"},
            {"critic_lr, eps=1e-5": "critic_lr", "policy_lr, eps=1e-5": "policy_lr"},
            {"critic_lr, eps=1e-5": "critic_lr, eps=1e-5, amsgrad=True"},
            {"critic_lr, eps=1e-5": "critic_lr, eps=1e-5, betas=(0.9, 0.95)"},
        ),
    ),
)
