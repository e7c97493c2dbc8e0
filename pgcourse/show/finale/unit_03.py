"""The finale of unit 03: the learner's advantages, losses and true next observations drive `a2c.train`."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from gymnasium.vector import VectorEnv, VectorWrapper
from torch import Tensor, nn

from ...algorithms import a2c as a2c_algorithm
from ...networks import CategoricalPolicy
from ...returns import normalize
from ...rollout import Batch, Rollout, collect_rollout
from ...training import OnIteration, Progress, Result
from .engine import Plan, present, run
from .validation import NAN_ADVICE, ROLLOUT, Fault, guarded, seeded_policy, watching_inputs

Function = Callable[..., Any]


def a2c(
    *,
    gae: Function | None,
    a2c_losses: Function | None,
    true_next_observations: Function | None = None,
    num_episodes: int = 600,
    seed: int = 4,
    seconds: float | None = None,
) -> None:
    """Train CartPole with the learner's functions of unit 03, and show what came of it.

    It takes 20 s of computing at most, or `seconds`.

    Everything else is `a2c.CARTPOLE`: the loop normalises the advantages between `gae` and `a2c_losses`, and the learning
    rates fall over 1,000 episodes; the run stops earlier, at `num_episodes`, on the same schedule as the reference.
    `true_next_observations` may be left out; the package's collector then works alone. A function that is still the stub
    is named in one line; a wrong one gives the curve as far as it got and a sentence.
    """
    plan = a2c_plan(gae, a2c_losses, true_next_observations, num_episodes=num_episodes, seed=seed)
    present(plan, run(plan, seconds=seconds))


def a2c_plan(
    gae: Function | None,
    a2c_losses: Function | None,
    true_next_observations: Function | None = None,
    *,
    num_episodes: int,
    seed: int,
) -> Plan:
    """The finale of unit 03 as data."""
    preset = a2c_algorithm.CARTPOLE
    config = replace(preset, num_episodes=max(num_episodes, preset.num_episodes or 0), seed=seed)
    causes: list[str] = []
    advantage_fn = _checked_gae(watching_inputs("gae", guarded("gae", gae), ROLLOUT, causes))
    update = _update_with(_checked_losses(guarded("a2c_losses", a2c_losses)))
    functions: dict[str, Callable[[], Any]] = {
        "gae": lambda: _try_gae(advantage_fn),
        "a2c_losses": lambda: _try_losses(guarded("a2c_losses", a2c_losses)),
    }
    collect: Callable[..., tuple[Rollout, Tensor]] = collect_rollout
    if true_next_observations is not None:
        named = guarded("true_next_observations", true_next_observations)
        replacement = watching_inputs("true_next_observations", named, ("next_obs", "done", "final_obs"), causes)
        collect = _collect_with(replacement)
        probe = torch.zeros(2, 4), torch.tensor([True, False]), torch.ones(2, 4)
        functions["true_next_observations"] = lambda: replacement(*probe)

    def train(policy: nn.Module, on_iteration: OnIteration) -> Result:
        def stop(progress: Progress) -> bool:
            return bool(on_iteration(progress)) or len(progress.episodes) >= num_episodes

        result = a2c_algorithm.train(
            config,
            policy=policy,
            collect_fn=collect,
            advantage_fn=advantage_fn,
            update_fn=update,
            on_iteration=stop,
        )
        return replace(result, config=replace(config, num_episodes=num_episodes))  # the plan, not the schedule

    return Plan(
        functions=functions,
        make_policy=lambda: seeded_policy("CategoricalPolicy", lambda: CategoricalPolicy(4, 2), 4, seed),
        train=train,
        causes=causes,
        env_id=config.env_id,
        good_return=400.0,
        algorithm="a2c",
        curve=("a2c", "cartpole"),
        advice="Look at the signs in `a2c_losses` (both the weighted log-probability and the entropy are to grow), at "
        "`terminated` in `gae`, and at the direction of its loop, from the last row to the first.",
        still_advice="The policy has the very weights it began with: does its loss depend on `log_prob`?",
    )


def _checked_gae(function: Function) -> Function:
    def advantages(rewards: Tensor, *inputs: Tensor, **settings: float) -> Tensor:
        return _like(rewards, function(rewards, *inputs, **settings), "gae", "one advantage a step, [T, N]").detach()

    return advantages


def _like(pattern: Tensor, value: Any, name: str, wanted: str) -> Tensor:
    """The learner's tensor. Raises: Fault where it is none, has another shape, or is not finite."""
    if not isinstance(value, Tensor):
        raise Fault(f"`{name}` returned {type(value).__name__}; let it return {wanted}, as a tensor")
    if value.shape != pattern.shape:
        raise Fault(f"`{name}` returned shape {list(value.shape)} for {list(pattern.shape)}; let it return {wanted}")
    if not bool(value.isfinite().all()):
        raise Fault(f"`{name}` returned numbers that are NaN or infinite; {NAN_ADVICE}")
    return value


def _checked_losses(function: Function) -> Callable[..., tuple[Tensor, Tensor]]:
    def losses(*inputs: Tensor, ent_coef: float) -> tuple[Tensor, Tensor]:
        answer = function(*inputs, ent_coef=ent_coef)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            given = f"{len(answer)} parts" if isinstance(answer, tuple | list) else type(answer).__name__
            raise Fault(f"`a2c_losses` returned {given}; let it return two losses, the policy's and the critic's")
        for kind, loss in zip(("policy loss", "value loss"), answer, strict=True):
            _check_loss(kind, loss)
        return answer[0].reshape(()), answer[1].reshape(())

    return losses


def _check_loss(kind: str, loss: Any) -> None:
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        given = f"a tensor of shape {list(loss.shape)}" if isinstance(loss, Tensor) else f"a {type(loss).__name__}"
        raise Fault(f"The {kind} of `a2c_losses` is {given}; a scalar tensor is needed: take the mean over the batch")
    if not loss.requires_grad:
        raise Fault(f"The {kind} of `a2c_losses` has no gradient; leave out detach, item and no_grad around it")
    if not math.isfinite(loss.item()):
        raise Fault(f"The {kind} of `a2c_losses` is {loss.item()}; {NAN_ADVICE}")


def _update_with(losses: Callable[..., tuple[Tensor, Tensor]]) -> Callable[..., dict[str, Tensor]]:
    def update(
        policy: nn.Module, critic: nn.Module, policy_optimizer: Any, critic_optimizer: Any, batch: Batch, config: Any,
        *, gradient_step_fn: Function, **seams: Any,
    ) -> dict[str, Tensor]:  # fmt: skip
        distribution = policy(batch.obs)
        # Entropy first, as in the package's update: autograd adds in the order of the graph, and rounding follows it.
        entropy = distribution.entropy()
        log_prob = distribution.log_prob(batch.actions)
        advantages = normalize(batch.advantages) if config.normalize_advantages else batch.advantages
        policy_loss, value_loss = losses(
            log_prob, advantages, critic(batch.obs), batch.returns, entropy, ent_coef=config.ent_coef
        )
        gradient_step_fn(
            policy_loss, value_loss, policy, critic, policy_optimizer, critic_optimizer,
            max_grad_norm=config.max_grad_norm,
        )  # fmt: skip
        return {"losses/policy_loss": policy_loss.detach(), "losses/value_loss": value_loss.detach()}

    return update


class _ThroughTheLearner(VectorWrapper):
    """Environments whose true next observations the learner puts together, as Gymnasium leaves it to the caller."""

    def __init__(self, envs: VectorEnv, function: Function) -> None:
        super().__init__(envs)
        self.function = function

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """One step; `info["final_obs"]` is what the learner's function made of it."""
        next_obs, rewards, terminated, truncated, info = self.env.step(actions)
        done = terminated | truncated
        # Ours are filled in every row; Gymnasium's are only where an episode ended.
        final_obs = info["final_obs"] * done[:, None]
        true_next = self.function(next_obs, done, final_obs)
        true_next = _like(next_obs, true_next, "true_next_observations", "a row for each environment, [N, D]")
        return next_obs, rewards, terminated, truncated, {**info, "final_obs": true_next}


def _collect_with(function: Function) -> Callable[..., tuple[Rollout, Tensor]]:
    def collect(
        policy: nn.Module, critic: nn.Module, envs: VectorEnv, obs: Tensor, num_steps: int
    ) -> tuple[Rollout, Tensor]:
        return collect_rollout(policy, critic, _ThroughTheLearner(envs, function), obs, num_steps)

    return collect


def _try_gae(advantage_fn: Function) -> None:
    numbers, flags = torch.ones(2, 1), torch.zeros(2, 1, dtype=torch.bool)
    advantage_fn(numbers, numbers, numbers, flags, flags, gamma=0.9, gae_lambda=0.9)


def _try_losses(losses: Function) -> None:
    inputs = [torch.full((2,), -0.5, requires_grad=True) for _ in range(5)]
    losses(*inputs, ent_coef=0.1)
