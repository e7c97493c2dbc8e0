"""The finale of unit 02: the learner's update, with a critic as baseline, drives `reinforce.train`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from ... import optim
from ...algorithms import reinforce as reinforce_algorithm
from ...networks import CategoricalPolicy, ValueNetwork
from ...rollout import Episode
from ...training import OnIteration, Result
from .engine import Plan, present, run
from .validation import Fault, clipping_adam, guarded, loss_metrics

Function = Callable[..., Any]
NAME = "baseline_update"


def baseline(
    *, baseline_update: Function | None, num_episodes: int = 400, seed: int = 1, seconds: float | None = None
) -> None:
    """Train CartPole with the learner's update of unit 02, and show what came of it.

    It takes 20 s of computing at most, or `seconds`.

    Everything else is `reinforce.CARTPOLE`, policy and critic included: batches of 4 complete episodes, 5 critic
    steps, Adam, and each gradient clipped at 0.5 inside its optimiser. A right update gives the very curve of
    `reinforce.train` with this seed. An update that is still the stub is named in one line; a wrong one gives the
    curve as far as it got and a sentence.
    """
    plan = baseline_plan(baseline_update, num_episodes=num_episodes, seed=seed)
    present(plan, run(plan, seconds=seconds))


def baseline_plan(baseline_update: Function | None, *, num_episodes: int, seed: int) -> Plan:
    """The finale of unit 02 as data."""
    config = replace(reinforce_algorithm.CARTPOLE, num_episodes=num_episodes, seed=seed)
    update = guarded(NAME, baseline_update)
    notes: list[str] = []

    def try_update() -> None:
        policy, critic = CategoricalPolicy(4, 2, (4,)), ValueNetwork(4, (4,))
        episode = Episode(torch.zeros(3, 4), torch.tensor([0, 1, 0]), torch.ones(3))
        optimizers = [torch.optim.SGD(module.parameters(), lr=1e-3) for module in (policy, critic)]
        update(policy, critic, *optimizers, [episode, episode], gamma=config.gamma, critic_steps=1)

    def make_policy() -> nn.Module:
        # The policy that `train` will begin with: it draws these weights first from the same stream.
        with optim.seeded(seed):
            return CategoricalPolicy(4, 2, config.hidden_sizes)

    def adapted(
        policy: nn.Module, critic: nn.Module, policy_optimizer: Any, critic_optimizer: Any, episodes: Any, config: Any,
        **seams: Any,
    ) -> Any:  # fmt: skip
        before = [parameter.detach().clone() for parameter in critic.parameters()]
        losses = update(
            policy, critic, policy_optimizer, critic_optimizer, episodes,
            gamma=config.gamma, critic_steps=config.critic_steps,
        )  # fmt: skip
        if all(torch.equal(old, new) for old, new in zip(before, critic.parameters(), strict=True)):
            notes.append("an update left every weight of the critic as it was, so the baseline learns nothing")
        if not all(bool(parameter.isfinite().all()) for parameter in critic.parameters()):
            raise Fault(
                f"`{NAME}` made the critic's weights NaN or infinite; look at the sign and the size of its loss"
            )
        return _metrics(losses, notes)

    def train(policy: nn.Module, on_iteration: OnIteration) -> Result:
        return reinforce_algorithm.train(
            config,
            update_fn=adapted,
            optimizer_fn=clipping_adam(config.max_grad_norm),
            on_iteration=on_iteration,
        )

    return Plan(
        functions={NAME: try_update},
        make_policy=make_policy,
        train=train,
        notes=notes,
        env_id=config.env_id,
        good_return=300.0,
        algorithm="reinforce",
        curve=("reinforce", "baseline"),
        advice="Look at the sign of the advantages (return minus value) and of the policy's loss, at advantages "
        "standardised over all steps of the batch, and at a critic that is fitted to the raw returns.",
    )


def _metrics(losses: Any, notes: list[str]) -> dict[str, float]:
    """The two losses as metrics; a note where they are not two."""
    if not isinstance(losses, tuple | list) or len(losses) != 2:
        kind = f"{len(losses)} values" if isinstance(losses, tuple | list) else type(losses).__name__
        notes.append(f"`{NAME}` returned {kind} where the policy's loss and the last value loss are expected")
        return {"charts/policy_loss": float("nan")}
    metrics = loss_metrics(NAME, losses[0], notes)
    value = loss_metrics(NAME, losses[1], notes)
    return metrics | {name.replace("policy", "value"): loss for name, loss in value.items()}
