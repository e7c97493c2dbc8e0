"""Lesson 05, tables of sections 3.4, 5, 6, 6.4 and 6.5: PPO on Pendulum with one setting or one policy changed, and bugs.

Section 6 takes Pendulum's settings back to CartPole's, one by one (`TAKEN_BACK`) and the other way round (`GIVEN`).
"""

from dataclasses import replace
from typing import Any

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from pgcourse import ppo
from pgcourse.algorithms.ppo import PENDULUM
from pgcourse.envs import PendulumVectorEnv, env_seeds
from pgcourse.envs.pendulum import MAX_TORQUE
from pgcourse.networks import GaussianPolicy
from pgcourse.returns import gae
from pgcourse.rollout import Rollout, collect_rollout
from pgcourse.statistics import episodes_to_threshold
from pgcourse.study.policies import BinnedPolicy, StateDependentGaussian, TanhGaussianPolicy
from pgcourse.study.seeds import Run

from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, last_mean, metric_mean

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

    scored_on = "Pendulum-v1"  # `run_seeds` scores there: what is different here is for training alone

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


SOLVED = -200.0  # return of an episode
WINDOW = 2 * PENDULUM.num_envs  # episodes: two rounds, so that every point holds whole rounds
STD, ENTROPY, KL, NORM = "charts/action_std", "losses/entropy", "losses/approx_kl", "losses/policy_grad_norm"
EXPLAINED, VALUES, RETURNS = "losses/explained_variance", "charts/value_mean", "charts/return_mean"
WIDTH = (STD, ENTROPY, KL, NORM)
CRITIC = (VALUES, RETURNS, EXPLAINED)


def solved(run: Run) -> float | None:
    """The held-out return where it is good enough, else None."""
    return held_out(run) if held_out(run) >= SOLVED else None


def steps_to_solved(run: Run) -> int | None:
    """Environment steps taken when the mean of the last 48 training episodes first reached the threshold."""
    episode = episodes_to_threshold(run.episodes["episodic_return"], threshold=SOLVED, window=2 * WINDOW)
    return None if episode is None else int(run.episodes["env_step"][episode - 1])


def last_std(run: Run) -> float | None:
    """Standard deviation of the policy at the end; None where it is no single number."""
    return float(run.metrics[STD][-1]) if STD in run.metrics else None


def early_explained_variance(run: Run) -> float:
    """Mean explained variance over the first half of the training."""
    numbers = run.metrics[EXPLAINED]
    return float(numbers[: len(numbers) // 2].mean())


STUDY = Study(
    description="PPO on Pendulum-v1 for 100,000 environment steps: the package's settings, each of them taken back to "
    "CartPole's, other policies for the same actions, and four ways to spoil it.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics={
        "held_out": Metric("return", OF_RETURN, held_out),
        "solved": Metric("return", ["count"], solved),
        "last_100": Metric("return", OF_RETURN, last_mean),
        "steps_to_solved": Metric("environment steps", TO_THRESHOLD, steps_to_solved),
        "last_std": Metric("N m", [IQM], last_std),
        "grad_norm": Metric("norm", [IQM], lambda run: metric_mean(run, NORM)),
        "kl": Metric("nats", [IQM], lambda run: metric_mean(run, KL)),
        "early_explained_variance": Metric("of the variance", [IQM], early_explained_variance),
    },
    x="env_step",
    every=PENDULUM.batch_size,
    until=100_800,
    window=WINDOW,
    diagnosed={
        "pendulum": (*WIDTH, *CRITIC),
        **dict.fromkeys(("constant_lr", "clipped_actions", "frozen_std", "std_01"), WIDTH),
        **dict.fromkeys(("all", "all_but_reward_scale"), CRITIC),
    },
    updates_a_point=2,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/pendulum.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
