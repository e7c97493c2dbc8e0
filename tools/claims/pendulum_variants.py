"""What the study of lesson 05 runs: PPO on Pendulum, its settings taken back one by one, other policies, and bugs."""

from dataclasses import replace
from typing import Any

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from pgcourse import ppo
from pgcourse.envs import PendulumVectorEnv, env_seeds
from pgcourse.envs.pendulum import MAX_TORQUE
from pgcourse.networks import GaussianPolicy
from pgcourse.returns import gae
from pgcourse.rollout import Rollout, collect_rollout
from pgcourse.study.policies import BinnedPolicy, StateDependentGaussian, TanhGaussianPolicy

HIDDEN = ppo.PENDULUM.hidden_sizes
SHORT = {"num_envs": 16, "num_steps": 128, "minibatch_size": 256}
# Each takes one of Pendulum's settings back to CartPole's.
TAKEN_BACK: dict[str, ppo.PPOConfig] = {
    "gamma": replace(ppo.PENDULUM, gamma=ppo.CARTPOLE.gamma),
    "learning_rates": replace(ppo.PENDULUM, policy_lr=ppo.CARTPOLE.policy_lr, critic_lr=ppo.CARTPOLE.critic_lr),
    "epochs": replace(ppo.PENDULUM, update_epochs=ppo.CARTPOLE.update_epochs),
    "constant_lr": replace(ppo.PENDULUM, anneal_lr=ppo.CARTPOLE.anneal_lr),
    "reward_scale": replace(ppo.PENDULUM, reward_scale=ppo.CARTPOLE.reward_scale),
    "gae_lambda": replace(ppo.PENDULUM, gae_lambda=ppo.CARTPOLE.gae_lambda),
    "initial_std": replace(ppo.PENDULUM, initial_std=ppo.CARTPOLE.initial_std),
    "all": replace(ppo.CARTPOLE, env_id=ppo.PENDULUM.env_id, total_timesteps=ppo.PENDULUM.total_timesteps),
}
# And the other way round: all of CartPole's settings, but for one of Pendulum's.
GIVEN = {
    f"all_but_{name}": replace(TAKEN_BACK["all"], **{field: getattr(ppo.PENDULUM, field) for field in fields})
    for name, fields in {
        "gamma": ["gamma"],
        "learning_rates": ["policy_lr", "critic_lr"],
        "epochs": ["update_epochs"],
        "reward_scale": ["reward_scale"],
        "initial_std": ["initial_std"],
        "rollouts": ["num_envs", "num_steps", "minibatch_size"],
    }.items()
}
VARIANTS: dict[str, ppo.PPOConfig] = {
    "pendulum": ppo.PENDULUM,
    **TAKEN_BACK,
    **GIVEN,
    "short_rollouts": replace(ppo.PENDULUM, **SHORT),
    "short_staggered": replace(ppo.PENDULUM, **SHORT),
    "observation_norm": replace(ppo.PENDULUM, normalize_observations=True),
    "std_01": replace(ppo.PENDULUM, initial_std=0.1),
    "std_3": replace(ppo.PENDULUM, initial_std=3.0),
    "state_dependent_std": ppo.PENDULUM,
    "tanh": ppo.PENDULUM,
    "bins_5": ppo.PENDULUM,
    "bins_11": ppo.PENDULUM,
    "truncation_bug": ppo.PENDULUM,
    "truncation_bug_gamma": TAKEN_BACK["gamma"],
    "clipped_actions": ppo.PENDULUM,
    "frozen_std": ppo.PENDULUM,
}


def state_dependent_std() -> nn.Module:
    """A standard deviation from the network, one for each observation."""
    return StateDependentGaussian(3, 1, HIDDEN, initial_std=ppo.PENDULUM.initial_std)


def tanh() -> nn.Module:
    """Samples squashed into the torque's limits, in place of clipping by the environment."""
    return TanhGaussianPolicy(3, 1, HIDDEN, limit=MAX_TORQUE)


def bins_5() -> nn.Module:
    """Five torques, a softmax over them."""
    return BinnedPolicy(3, 5, HIDDEN, limit=MAX_TORQUE)


def bins_11() -> nn.Module:
    """Eleven torques, a softmax over them."""
    return BinnedPolicy(3, 11, HIDDEN, limit=MAX_TORQUE)


def frozen_std() -> nn.Module:
    """The lesson's patient: a standard deviation that the optimiser does not know, as when log_std is no parameter."""
    policy = GaussianPolicy(3, 1, HIDDEN, initial_std=ppo.PENDULUM.initial_std)
    policy.log_std.requires_grad_(False)
    return policy


def truncation_as_termination(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, **numbers: float
) -> Tensor:
    """`gae` that takes the time limit for an end: nothing is expected after step 200."""
    return gae(rewards, values, next_values, terminated | truncated, truncated, **numbers)


def collect_clipped(
    policy: nn.Module, critic: nn.Module, envs: VectorEnv, obs: Tensor, num_steps: int
) -> tuple[Rollout, Tensor]:
    """`collect_rollout` that stores the torque as the environment applies it, and that torque's log-probability."""
    rollout, next_obs = collect_rollout(policy, critic, envs, obs, num_steps)
    actions = rollout.actions.clamp(-MAX_TORQUE, MAX_TORQUE)  # [T, N, A]
    with torch.no_grad():
        log_prob = policy(rollout.obs.flatten(0, 1)).log_prob(actions.flatten(0, 1)).view(rollout.log_prob.shape)
    return rollout._replace(actions=actions, log_prob=log_prob), next_obs


class StaggeredPendulums(PendulumVectorEnv):
    """Pendulums whose first episodes end at different steps: at any time some swing up and some balance."""

    def reset(self, **options: Any) -> tuple[Tensor, dict[str, Any]]:
        obs, info = super().reset(**options)
        self.elapsed = torch.arange(self.num_envs) * self.max_episode_steps // self.num_envs
        return obs, info


def staggered(seed: int) -> VectorEnv:
    """As many as short rollouts take, with the start states that they have."""
    envs = StaggeredPendulums(SHORT["num_envs"])
    envs.reset(seed=env_seeds(seed, envs.num_envs))
    return envs


SEAMS: dict[str, dict[str, Any]] = {
    "short_staggered": {"envs": staggered},
    "state_dependent_std": {"policy": state_dependent_std},
    "tanh": {"policy": tanh},
    "bins_5": {"policy": bins_5},
    "bins_11": {"policy": bins_11},
    "truncation_bug": {"advantage_fn": truncation_as_termination},
    "truncation_bug_gamma": {"advantage_fn": truncation_as_termination},
    "clipped_actions": {"collect_fn": collect_clipped},
    "frozen_std": {"policy": frozen_std},
}
