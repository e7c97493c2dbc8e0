"""Collecting experience with the current policy: complete episodes, or T steps of N environments."""

from typing import NamedTuple

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn


class Episode(NamedTuple):
    """One complete episode of T steps under one policy."""

    obs: Tensor  # [T, D]
    actions: Tensor  # [T] or [T, A]
    rewards: Tensor  # [T]


class Rollout(NamedTuple):
    """T steps of N environments under one policy; a column goes on over episode ends."""

    obs: Tensor  # [T, N, D]
    actions: Tensor  # [T, N] or [T, N, A], as sampled, never clipped
    log_prob: Tensor  # [T, N], of the policy that acted
    rewards: Tensor  # [T, N]
    values: Tensor  # [T, N], V(s_t)
    next_values: Tensor  # [T, N], V of the true next observation, never of a reset one
    terminated: Tensor  # [T, N] bool
    truncated: Tensor  # [T, N] bool


class Batch(NamedTuple):
    """A rollout with its advantages, flattened: B = T * N rows in which time no longer matters."""

    obs: Tensor  # [B, D]
    actions: Tensor  # [B] or [B, A]
    log_prob: Tensor  # [B]
    advantages: Tensor  # [B]
    returns: Tensor  # [B], targets of the critic: advantages + values


def collect_episodes(policy: nn.Module, envs: VectorEnv) -> list[Episode]:
    """One complete episode in each environment, all under the policy as it stands.

    Waiting for every environment is what keeps the batch on-policy and unbiased: taking the first to finish would
    prefer short episodes, and updating in between would mix policies within an episode. An environment that has
    finished goes on stepping until the last one has; those steps belong to no episode and are dropped.

    Returns: N episodes in the order of the environments.
    """
    steps: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    # inference_mode spares the bookkeeping of no_grad: a fifth off a step. Its tensors cannot be used in a loss, but
    # what torch.stack makes of them outside can.
    with torch.inference_mode():
        obs, _ = envs.reset()
        finished = torch.zeros(envs.num_envs, dtype=torch.bool, device=obs.device)
        while not bool(finished.all()):
            actions = policy(obs).sample()
            next_obs, rewards, terminated, truncated, _ = envs.step(actions)
            done = terminated | truncated
            steps.append((obs, actions, rewards, done))
            finished |= done
            obs = next_obs
    all_obs, all_actions, all_rewards, all_done = (torch.stack(column) for column in zip(*steps, strict=True))
    lengths = all_done.int().argmax(dim=0) + 1  # [N]; argmax over time is where an episode ended first
    return [
        Episode(all_obs[:length, n], all_actions[:length, n], all_rewards[:length, n])
        for n, length in enumerate(lengths.tolist())
    ]


def collect_rollout(
    policy: nn.Module, critic: nn.Module, envs: VectorEnv, obs: Tensor, num_steps: int
) -> tuple[Rollout, Tensor]:
    """`num_steps` steps of every environment from `obs` [N, D], where the last rollout ended.

    Returns: the rollout, and the observations [N, D] from which the next one goes on.
    """
    steps: list[tuple[Tensor, ...]] = []
    with torch.inference_mode():
        for _ in range(num_steps):
            actions = policy(obs).sample()
            next_obs, rewards, terminated, truncated, info = envs.step(actions)
            steps.append((obs, actions, rewards, info["final_obs"], terminated, truncated))
            obs = next_obs
    all_obs, actions, rewards, final_obs, terminated, truncated = (
        torch.stack(column) for column in zip(*steps, strict=True)
    )  # [T, N, ...]
    # The networks do not change within a rollout, so what is not needed to act is computed at once at the end.
    # Flattened first, because a network is only asked to take [B, D]: one that ends in `[:, 0]` would not fail on
    # [T, N, D], it would give another axis.
    with torch.no_grad():
        log_prob = policy(all_obs.flatten(0, 1)).log_prob(actions.flatten(0, 1)).view(rewards.shape)  # [T, N]
        both = torch.stack([all_obs, final_obs]).flatten(0, 2)  # [2 T N, D]
        values, next_values = critic(both).view(2, *rewards.shape).unbind()  # [T, N] each
    return Rollout(all_obs, actions, log_prob, rewards, values, next_values, terminated, truncated), obs.clone()


def flatten(rollout: Rollout, advantages: Tensor) -> Batch:
    """The batch of a rollout and its advantages [T, N]; the critic's targets are advantages + values."""
    returns = advantages + rollout.values
    columns = (rollout.obs, rollout.actions, rollout.log_prob, advantages, returns)
    return Batch(*(column.flatten(0, 1) for column in columns))
