"""The finales of unit 04: the learner's loss, then the learner's whole update, drive `ppo.train`."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...algorithms import ppo as ppo_algorithm
from ...networks import CategoricalPolicy, ValueNetwork
from ...rollout import Batch
from ...training import OnIteration, Result
from .engine import Plan, present, run
from .validation import NAN_ADVICE, ROLLOUT, Fault, guarded, seeded_policy, watching_inputs

Function = Callable[..., Any]
METRICS = {"losses/approx_kl": "losses/approx_kl", "losses/clipfrac": "losses/clipfrac", "epochs": "charts/epochs"}
GOOD_RETURN = 400.0


def ppo(
    *,
    ppo_clip_loss: Function | None,
    gae: Function | None = None,
    total_timesteps: int = 100_000,
    seed: int = 1,
    seconds: float | None = None,
) -> None:
    """Train CartPole with PPO on the learner's loss, and show what came of it.

    It takes 20 s of computing at most, or `seconds`.

    `gae` of unit 03 may be brought along. Everything else is `ppo.CARTPOLE`, so that the curve can be compared with the
    reference's. A function that is still the stub is named in one line; a wrong one gives the curve as far as it got
    and a sentence.
    """
    plan = ppo_plan(ppo_clip_loss, gae, total_timesteps=total_timesteps, seed=seed)
    present(plan, run(plan, seconds=seconds))


def ppo_update(
    *, ppo_update: Function | None, total_timesteps: int = 100_000, seed: int = 1, seconds: float | None = None
) -> None:
    """Train CartPole with the learner's whole update, and show what came of it.

    It takes 20 s of computing at most, or `seconds`.

    Rollouts, advantages, networks and optimisers are those of `ppo.CARTPOLE`; every gradient step is the learner's.
    """
    plan = ppo_update_plan(ppo_update, total_timesteps=total_timesteps, seed=seed)
    present(plan, run(plan, seconds=seconds))


def ppo_plan(ppo_clip_loss: Function | None, gae: Function | None, *, total_timesteps: int, seed: int) -> Plan:
    """The first finale of unit 04 as data."""
    config = replace(ppo_algorithm.CARTPOLE, total_timesteps=total_timesteps, seed=seed)
    loss_fn = guarded("ppo_clip_loss", ppo_clip_loss)

    def checked_loss(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
        loss = loss_fn(log_prob, old_log_prob, advantages, clip_coef=clip_coef)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            raise Fault(f"`ppo_clip_loss` returned {_kind(loss)}; let it return a scalar tensor")
        if not bool(loss.isfinite()):
            raise Fault(f"`ppo_clip_loss` returned {loss.item()}; {NAN_ADVICE}")
        return loss.squeeze()

    def try_loss() -> Any:
        log_prob = torch.full((2,), -0.7, requires_grad=True)
        return loss_fn(log_prob, torch.full((2,), -0.7), torch.tensor([1.0, -1.0]), clip_coef=0.2)

    causes: list[str] = []
    functions: dict[str, Callable[[], Any]] = {"ppo_clip_loss": try_loss}
    seams: dict[str, Any] = {"policy_loss_fn": checked_loss}
    if gae is not None:
        seams["advantage_fn"] = _checked_gae(watching_inputs("gae", guarded("gae", gae), ROLLOUT, causes))
        functions["gae"] = lambda: _try_gae(guarded("gae", gae))

    def train(policy: nn.Module, on_iteration: OnIteration) -> Result:
        return ppo_algorithm.train(config, policy=policy, on_iteration=on_iteration, **seams)

    return Plan(
        functions=functions,
        train=train,
        causes=causes,
        still_advice="The policy has the very weights it began with: does a gradient reach `log_prob` through your loss?",
        advice="Look at the sign of the loss (minus the mean), at the ratio (new over old, with `exp`), "
        "and at the smaller of the two objectives.",
        **_shared(config, seed),
    )


def ppo_update_plan(ppo_update: Function | None, *, total_timesteps: int, seed: int) -> Plan:
    """The second finale of unit 04 as data."""
    config = replace(ppo_algorithm.CARTPOLE, total_timesteps=total_timesteps, seed=seed)
    update = guarded("ppo_update", ppo_update)
    notes: list[str] = []

    def settings(minibatch_size: int) -> dict[str, Any]:
        names = ("clip_coef", "ent_coef", "update_epochs", "target_kl", "max_grad_norm")
        # torch's own generator, so that the run's seed decides and a right update draws the reference's minibatches.
        common = {"minibatch_size": minibatch_size, "generator": torch.default_generator}
        return {name: getattr(config, name) for name in names} | common

    def adapted(
        policy: nn.Module,
        critic: nn.Module,
        policy_optimizer: torch.optim.Optimizer,
        critic_optimizer: torch.optim.Optimizer,
        batch: Batch,
        _: Any,
        **seams: Any,
    ) -> dict[str, Tensor | float]:
        optimizers = policy_optimizer, critic_optimizer
        return _metrics(update(policy, critic, *optimizers, batch, **settings(config.minibatch_size)), notes)

    def try_update() -> Any:
        policy, critic = CategoricalPolicy(4, 2), ValueNetwork(4)
        optimizers = [torch.optim.SGD(module.parameters(), lr=1e-3) for module in (policy, critic)]
        columns = torch.full((4,), -0.7), torch.linspace(-1, 1, 4), torch.ones(4)
        batch = Batch(torch.zeros(4, 4), torch.tensor([0, 1, 0, 1]), *columns)
        return update(policy, critic, *optimizers, batch, **settings(2))

    def train(policy: nn.Module, on_iteration: OnIteration) -> Result:
        return ppo_algorithm.train(config, policy=policy, update_fn=adapted, on_iteration=on_iteration)

    return Plan(
        functions={"ppo_update": try_update},
        train=train,
        notes=notes,
        advice="Look at the old log-probabilities (the batch's own), at the rows of a minibatch (the same ones of every "
        "column), and at zero_grad, backward and step of both optimizers.",
        **_shared(config, seed),
    )


def _shared(config: Any, seed: int) -> dict[str, Any]:
    """What both finales have in common: the package's policy, and what the curve is measured against."""
    return {
        "make_policy": lambda: seeded_policy("policy", lambda: CategoricalPolicy(4, 2, config.hidden_sizes), 4, seed),
        "env_id": config.env_id,
        "good_return": GOOD_RETURN,
        "algorithm": "ppo",
        "curve": ("ppo", "cartpole"),
        "x_unit": "env_step",
    }


def _try_gae(gae: Function) -> Any:
    flags = torch.zeros(2, 1, dtype=torch.bool)
    return gae(torch.ones(2, 1), torch.zeros(2, 1), torch.zeros(2, 1), flags, flags, gamma=0.9, gae_lambda=0.9)


def _checked_gae(gae: Function) -> Function:
    """The learner's gae. Raises: Fault for what is not one finite advantage a step."""

    def checked(rewards: Tensor, *inputs: Tensor, gamma: float, gae_lambda: float) -> Tensor:
        advantages = gae(rewards, *inputs, gamma=gamma, gae_lambda=gae_lambda)
        if not isinstance(advantages, Tensor) or advantages.shape != rewards.shape:
            raise Fault(f"`gae` returned {_kind(advantages)}; let it return a tensor of shape {list(rewards.shape)}")
        if not bool(advantages.isfinite().all()):
            raise Fault(f"`gae` returned numbers that are not finite; {NAN_ADVICE}")
        return advantages.detach()

    return checked


def _metrics(result: Any, notes: list[str]) -> dict[str, Tensor | float]:
    """The dict that a learner's update returned, as metrics; a note where something is missing.

    Raises: Fault where a number is not finite.
    """
    if not isinstance(result, dict):
        notes.append(f"`ppo_update` returned {_kind(result)} where a dict with {', '.join(METRICS)} is expected")
        return {}
    found: dict[str, Tensor | float] = {}
    for name, metric in METRICS.items():
        value = result.get(name)
        if isinstance(value, Tensor) and value.numel() == 1:
            value = value.item()
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            notes.append(f"`ppo_update` returned no number called {name}")
        elif not math.isfinite(value):
            raise Fault(f"`ppo_update` returned {value} for {name}; {NAN_ADVICE}")
        else:
            found[metric] = float(value)
    return found


def _kind(value: Any) -> str:
    return f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
