"""One function of somebody's own in the real training loop: each of these gives the arguments of `train` that use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from pgcourse import losses
from pgcourse.algorithms import ppo
from pgcourse.envs.pendulum import MAX_TORQUE
from pgcourse.networks import Categorical, CategoricalPolicy, GaussianPolicy
from pgcourse.rollout import Batch, Rollout, collect_rollout
from pgcourse.study.traps.losses import MinibatchLosses, update_with
from pgcourse.study.traps.trap import CARTPOLE, PENDULUM

Function = Callable[..., Any]
Arguments = dict[str, Any]  # of `train`


def loss_of_policy(function: Function) -> Arguments:
    """For (policy, obs, actions, old_log_prob, advantages, *, clip_coef) -> (loss, log_ratio)."""

    def losses_of(policy: nn.Module, critic: nn.Module, batch: Batch, config: ppo.PPOConfig) -> MinibatchLosses:
        inputs = batch.obs, batch.actions, batch.log_prob, batch.advantages
        loss, log_ratio = function(policy, *inputs, clip_coef=config.clip_coef)
        entropy = policy(batch.obs).entropy().mean()
        value_loss = losses.value_loss(critic(batch.obs), batch.returns)
        policy_loss = loss - config.ent_coef * entropy
        return MinibatchLosses(policy_loss, value_loss, log_ratio, torch.zeros_like(log_ratio), entropy)

    return {"update_fn": partial(update_with, losses_of)}


def loss_with_bonus(function: Function) -> Arguments:
    """For (log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef) -> loss."""

    def losses_of(policy: nn.Module, critic: nn.Module, batch: Batch, config: ppo.PPOConfig) -> MinibatchLosses:
        distribution = policy(batch.obs)
        log_prob, entropy = distribution.log_prob(batch.actions), distribution.entropy()  # [B]
        coefficients = {"clip_coef": config.clip_coef, "ent_coef": config.ent_coef}
        loss = function(log_prob, batch.log_prob, batch.advantages, entropy, **coefficients)
        value_loss = losses.value_loss(critic(batch.obs), batch.returns)
        return MinibatchLosses(loss, value_loss, log_prob, batch.log_prob, entropy.mean())

    return {"update_fn": partial(update_with, losses_of)}


def loss_of_values(function: Function) -> Arguments:
    """For (values [B, 1], returns [B]) -> loss."""

    def losses_of(policy: nn.Module, critic: nn.Module, batch: Batch, config: ppo.PPOConfig) -> MinibatchLosses:
        distribution = policy(batch.obs)
        log_prob, entropy = distribution.log_prob(batch.actions), distribution.entropy().mean()
        policy_loss = losses.ppo_clip_loss(log_prob, batch.log_prob, batch.advantages, clip_coef=config.clip_coef)
        value_loss = function(critic(batch.obs)[:, None], batch.returns)
        return MinibatchLosses(policy_loss - config.ent_coef * entropy, value_loss, log_prob, batch.log_prob, entropy)

    return {"update_fn": partial(update_with, losses_of)}


def policy_giving(change: Callable[[Any], Distribution], network: Function, *sizes: Any, **settings: Any) -> Arguments:
    """A network whose distributions are changed."""

    def make() -> nn.Module:
        policy: nn.Module = network(*sizes, **settings)
        policy.register_forward_hook(lambda module, inputs, distribution: change(distribution))
        return policy

    return {"policy": make}


def logits(function: Function) -> Arguments:
    """For (scores [B, A]) -> log-probabilities [B, A]."""
    return policy_giving(
        lambda given: Categorical(logits=function(given.logits)), CategoricalPolicy, 4, 2, CARTPOLE.hidden_sizes
    )


def entropy(function: Function) -> Arguments:
    """For (logits [B, A]) -> entropy [B]."""

    class WithEntropy(Categorical):
        def entropy(self) -> Tensor:
            result: Tensor = function(self.logits)
            return result

    return policy_giving(lambda given: WithEntropy(given.logits), CategoricalPolicy, 4, 2, CARTPOLE.hidden_sizes)


def density(function: Function) -> Arguments:
    """For (mean [B, D], log_std [D], action [B, D]) -> log-density [B]: four motors, of which Pendulum has one."""

    class WithDensity(Independent):
        def log_prob(self, action: Tensor) -> Tensor:
            result: Tensor = function(self.base_dist.mean, self.base_dist.stddev.log(), action)
            return result

    return policy_giving(
        lambda given: WithDensity(given.base_dist, 1, validate_args=False),
        GaussianPolicy, 3, 4, PENDULUM.hidden_sizes, initial_std=PENDULUM.initial_std,
    )  # fmt: skip


def stored_action(function: Function) -> Arguments:
    """For (mean, log_std, noise, *, bound) -> (action, log_prob), of which the rollout is made."""

    def collect(
        policy: nn.Module, critic: nn.Module, envs: VectorEnv, obs: Tensor, num_steps: int
    ) -> tuple[Rollout, Tensor]:
        rollout, next_obs = collect_rollout(policy, critic, envs, obs, num_steps)
        with torch.no_grad():
            normal = policy(rollout.obs.flatten(0, 1)).base_dist
            noise = (rollout.actions.flatten(0, 1) - normal.mean) / normal.stddev  # what was drawn
            action, log_prob = function(normal.mean, normal.stddev.log()[0], noise, bound=MAX_TORQUE)
        actions = action.view(rollout.actions.shape)
        return rollout._replace(actions=actions, log_prob=log_prob.view(rollout.log_prob.shape)), next_obs

    return {"collect_fn": collect}


def pair_of_optimizers(function: Function) -> Arguments:
    """For (policy, critic, *, policy_lr, critic_lr) -> two optimisers."""
    rates = {"policy_lr": CARTPOLE.policy_lr, "critic_lr": CARTPOLE.critic_lr}

    def make(parameters: Iterator[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        # `train` asks for one optimiser after the other, the function makes both: an idle network takes the other's place.
        idle, network = nn.ParameterList([nn.Parameter(torch.zeros(1))]), nn.ParameterList(parameters)
        critic = learning_rate == CARTPOLE.critic_lr
        both = function(*((idle, network) if critic else (network, idle)), **rates)
        optimizer: torch.optim.Optimizer = both[int(critic)]
        return optimizer

    return {"optimizer_fn": make}
