"""Collecting experience with the current policy."""

from typing import NamedTuple

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn


class Episode(NamedTuple):
    """One complete episode of T steps under one policy."""

    obs: Tensor  # [T, D]
    actions: Tensor  # [T] or [T, A]
    rewards: Tensor  # [T]


def collect_episodes(policy: nn.Module, envs: VectorEnv) -> list[Episode]:
    """One complete episode in each environment, all under the policy as it stands.

    Waiting for every environment is what keeps the batch on-policy and unbiased: taking the first to finish would
    prefer short episodes, and updating in between would mix policies within an episode. An environment that has
    finished goes on stepping until the last one has; those steps belong to no episode and are dropped.

    Returns: N episodes in the order of the environments.
    """
    steps: list[tuple[Tensor, Tensor, Tensor]] = []
    # inference_mode spares the bookkeeping of no_grad: a fifth off a step. Its tensors cannot be used in a loss, but
    # what torch.stack makes of them outside can.
    with torch.inference_mode():
        obs, _ = envs.reset()
        running = torch.ones(envs.num_envs, dtype=torch.bool, device=obs.device)
        lengths = torch.zeros(envs.num_envs, dtype=torch.int64, device=obs.device)
        while bool(running.any()):
            actions = policy(obs).sample()
            next_obs, rewards, terminated, truncated, _ = envs.step(actions)
            steps.append((obs, actions, rewards))
            lengths += running
            running &= ~(terminated | truncated)
            obs = next_obs
    all_obs, all_actions, all_rewards = (torch.stack(column) for column in zip(*steps, strict=True))  # [T, N, ...]
    return [
        Episode(all_obs[:length, n], all_actions[:length, n], all_rewards[:length, n])
        for n, length in enumerate(lengths.tolist())
    ]
