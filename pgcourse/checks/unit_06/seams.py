"""A patient's function in the real training loop: each of these takes one function and fills a seam of `train` with it.

A run gets the learner's function in the same way as the one with the bug.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class LossUpdate:
    """`ppo.update` around a function that one of the loss functions below calls."""

    losses_fn: Callable[..., MinibatchLosses]
    function: Function

    def __call__(self, *arguments: Any, **functions: Any) -> dict[str, Tensor | float]:
        def losses_of(policy: nn.Module, critic: nn.Module, batch: Batch, config: ppo.PPOConfig) -> MinibatchLosses:
            return self.losses_fn(self.function, policy, critic, batch, config)

        return update_with(losses_of, *arguments, **functions)


def loss_with_policy(
    function: Function, policy: nn.Module, critic: nn.Module, batch: Batch, config: ppo.PPOConfig
) -> MinibatchLosses:
    """For (policy, obs, actions, old_log_prob, advantages, *, clip_coef) -> (loss, log_ratio)."""
    loss, log_ratio = function(
        policy, batch.obs, batch.actions, batch.log_prob, batch.advantages, clip_coef=config.clip_coef
    )
    entropy = policy(batch.obs).entropy().mean()
    value_loss = losses.value_loss(critic(batch.obs), batch.returns)
    return MinibatchLosses(
        loss - config.ent_coef * entropy, value_loss, log_ratio, torch.zeros_like(log_ratio), entropy
    )


def loss_with_entropy(
    function: Function, policy: nn.Module, critic: nn.Module, batch: Batch, config: ppo.PPOConfig
) -> MinibatchLosses:
    """For (log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef) -> loss."""
    distribution = policy(batch.obs)
    log_prob, entropy = distribution.log_prob(batch.actions), distribution.entropy()  # [B]
    loss = function(
        log_prob, batch.log_prob, batch.advantages, entropy, clip_coef=config.clip_coef, ent_coef=config.ent_coef
    )
    value_loss = losses.value_loss(critic(batch.obs), batch.returns)
    return MinibatchLosses(loss, value_loss, log_prob, batch.log_prob, entropy.mean())


def loss_of_values(
    function: Function, policy: nn.Module, critic: nn.Module, batch: Batch, config: ppo.PPOConfig
) -> MinibatchLosses:
    """For (values [B, 1], returns [B]) -> loss."""
    distribution = policy(batch.obs)
    log_prob, entropy = distribution.log_prob(batch.actions), distribution.entropy().mean()
    policy_loss = losses.ppo_clip_loss(log_prob, batch.log_prob, batch.advantages, clip_coef=config.clip_coef)
    value_loss = function(critic(batch.obs)[:, None], batch.returns)
    return MinibatchLosses(policy_loss - config.ent_coef * entropy, value_loss, log_prob, batch.log_prob, entropy)


class LogitsPolicy(CategoricalPolicy):
    """For (scores [B, A]) -> log-probabilities [B, A]."""

    function: Function

    def forward(self, obs: Tensor) -> Distribution:
        return Categorical(logits=self.function(super().forward(obs).logits))  # type: ignore[attr-defined]


class EntropyCategorical(Categorical):
    """For (logits [B, A]) -> entropy [B]."""

    function: Function

    def entropy(self) -> Tensor:
        return self.function(self.logits)


class EntropyPolicy(CategoricalPolicy):
    """Gives an `EntropyCategorical`."""

    function: Function

    def forward(self, obs: Tensor) -> Distribution:
        distribution = EntropyCategorical(super().forward(obs).logits)  # type: ignore[attr-defined]
        distribution.function = self.function
        return distribution


class DensityIndependent(Independent):
    """For (mean [B, D], log_std [D], action [B, D]) -> log-density [B]."""

    function: Function

    def log_prob(self, action: Tensor) -> Tensor:
        normal = self.base_dist
        return self.function(normal.mean, normal.stddev.log(), action)


class DensityPolicy(GaussianPolicy):
    """Gives a `DensityIndependent`."""

    function: Function

    def forward(self, obs: Tensor) -> Distribution:
        distribution = DensityIndependent(super().forward(obs).base_dist, 1, validate_args=False)  # type: ignore[attr-defined]
        distribution.function = self.function
        return distribution


@dataclass(frozen=True)
class CartPolePolicy:
    """Makes a network of this kind for CartPole."""

    kind: type[CategoricalPolicy]
    function: Function

    def __call__(self) -> nn.Module:
        policy: Any = self.kind(4, 2, CARTPOLE.hidden_sizes)
        policy.function = self.function
        return policy


@dataclass(frozen=True)
class FourMotors:
    """Makes a `DensityPolicy` for Pendulum, which applies the first of four actions."""

    function: Function

    def __call__(self) -> nn.Module:
        policy = DensityPolicy(3, 4, PENDULUM.hidden_sizes, initial_std=PENDULUM.initial_std)
        policy.function = self.function
        return policy


@dataclass(frozen=True)
class ActingCollector:
    """`collect_rollout` whose stored actions come from (mean, log_std, noise, *, bound) -> (action, log_prob)."""

    function: Function

    def __call__(
        self, policy: nn.Module, critic: nn.Module, envs: VectorEnv, obs: Tensor, num_steps: int
    ) -> tuple[Rollout, Tensor]:
        rollout, next_obs = collect_rollout(policy, critic, envs, obs, num_steps)
        with torch.no_grad():
            normal = policy(rollout.obs.flatten(0, 1)).base_dist
            noise = (rollout.actions.flatten(0, 1) - normal.mean) / normal.stddev  # what was drawn
            action, log_prob = self.function(normal.mean, normal.stddev.log()[0], noise, bound=MAX_TORQUE)
        actions = action.view(rollout.actions.shape)
        return rollout._replace(actions=actions, log_prob=log_prob.view(rollout.log_prob.shape)), next_obs


@dataclass(frozen=True)
class PairOfOptimizers:
    """`optimizer_fn` from (policy, critic, *, policy_lr, critic_lr) -> two optimisers."""

    function: Function
    policy_lr: float
    critic_lr: float

    def __call__(self, parameters: Iterator[nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
        # `train` asks for one optimiser after the other, the function makes both: an idle network takes the other's place.
        idle, network = nn.ParameterList([nn.Parameter(torch.zeros(1))]), nn.ParameterList(parameters)
        critic = learning_rate == self.critic_lr
        pair = (idle, network) if critic else (network, idle)
        return self.function(*pair, policy_lr=self.policy_lr, critic_lr=self.critic_lr)[int(critic)]
