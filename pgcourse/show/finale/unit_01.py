"""The finale of unit 01: the learner's policy network and update drive `reinforce.train`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from ...algorithms import reinforce as reinforce_algorithm
from ...networks import CategoricalPolicy
from ...rollout import Episode
from ...training import OnIteration, Result
from .engine import Plan, present, run
from .validation import clipping_adam, guarded, loss_metrics, seeded_policy

Function = Callable[..., Any]


def reinforce(
    *,
    policy_network: Function | None,
    reinforce_update: Function | None,
    num_episodes: int = 400,
    seed: int = 0,
    seconds: float | None = None,
) -> None:
    """Train CartPole with the learner's policy and update of unit 01, and show what came of it.

    It takes 20 s of computing at most, or `seconds`.

    Everything else is `reinforce.CARTPOLE_NO_BASELINE`: batches of 4 complete episodes, Adam, and the
    gradient clipped at 0.5 inside the optimiser, so that the curve can be compared with the reference's. A
    function that is still the stub is named in one line; a wrong one gives the curve as far as it got and a
    sentence.
    """
    plan = reinforce_plan(policy_network, reinforce_update, num_episodes=num_episodes, seed=seed)
    present(plan, run(plan, seconds=seconds))


def reinforce_plan(
    policy_network: Function | None, reinforce_update: Function | None, *, num_episodes: int, seed: int
) -> Plan:
    """The finale of unit 01 as data."""
    config = replace(reinforce_algorithm.CARTPOLE_NO_BASELINE, num_episodes=num_episodes, seed=seed)
    update = guarded("reinforce_update", reinforce_update)
    notes: list[str] = []

    def make_policy() -> Any:
        return guarded("policy_network", policy_network)(4, 2)

    def try_update(policy: nn.Module) -> None:
        episode = Episode(torch.zeros(3, 4), torch.tensor([0, 1, 0]), torch.ones(3))
        update(policy, torch.optim.SGD(policy.parameters(), lr=1e-3), [episode, episode], gamma=config.gamma)

    def adapted(
        policy: nn.Module, critic: Any, optimizer: Any, _: Any, episodes: Any, config: Any, **seams: Any
    ) -> Any:
        loss = update(policy, optimizer, episodes, gamma=config.gamma)
        return loss_metrics("reinforce_update", loss, notes)

    def train(policy: nn.Module, on_iteration: OnIteration) -> Result:
        return reinforce_algorithm.train(
            config,
            policy=policy,
            update_fn=adapted,
            optimizer_fn=clipping_adam(config.max_grad_norm),
            on_iteration=on_iteration,
        )

    return Plan(
        functions={
            "policy_network": make_policy,
            "reinforce_update": lambda: try_update(CategoricalPolicy(4, 2)),
        },
        make_policy=lambda: seeded_policy("policy_network", make_policy, 4, seed),
        train=train,
        notes=notes,
        env_id=config.env_id,
        good_return=300.0,
        algorithm="reinforce_no_baseline",
        curve=("reinforce", "no_baseline"),
        advice="Look at the sign of the loss (minus the mean of log-probability times weight), "
        "at weights standardised over all steps of the batch, and at log-probabilities of the actions taken.",
    )
