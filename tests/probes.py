"""Environments with known answers: each isolates one thing that an algorithm must get right, and takes a second.

The first to fail names the part that is broken. Values here are of the discounted return.
"""

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from pgcourse.envs import TensorVectorEnv


class Probe(TensorVectorEnv):
    """State [N, 2]: a sign of -1 or +1 that the seed draws, and the step within the episode."""

    start_size = 1
    episode_steps = 1

    def __init__(self, num_envs: int, *, max_episode_steps: int = 1000) -> None:
        super().__init__(num_envs, max_episode_steps=max_episode_steps)

    def spaces(self) -> tuple[spaces.Box, spaces.Space]:
        return spaces.Box(-1.0, 1.0, (1,), np.float32), spaces.Discrete(2)

    def start_states(self, numbers: Tensor) -> Tensor:
        return torch.cat([(numbers < 0.5) * 2.0 - 1.0, torch.zeros_like(numbers)], dim=-1)

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rewards = self.rewards(state, actions)
        state = state + torch.tensor([0.0, 1.0])
        return state, rewards, state[:, 1] >= self.episode_steps

    def observe(self, state: Tensor) -> Tensor:
        return torch.ones_like(state[:, :1])

    def rewards(self, state: Tensor, actions: Tensor) -> Tensor:
        return torch.ones_like(state[:, 0])


class ConstantReward(Probe):
    """One step, one observation, reward 1: V = 1. Fails where the critic's loss or step is broken."""


class ObservationPredictsReward(Probe):
    """One step; the observation is the reward: V(s) = s. Fails where observations do not reach the critic."""

    def observe(self, state: Tensor) -> Tensor:
        return state[:, :1]

    def rewards(self, state: Tensor, actions: Tensor) -> Tensor:
        return state[:, 0]


class DelayedReward(Probe):
    """Two steps, reward 1 at the second: V(first) = gamma, V(second) = 1. Fails where discounting is broken."""

    episode_steps = 2

    def observe(self, state: Tensor) -> Tensor:
        return state[:, 1:]

    def rewards(self, state: Tensor, actions: Tensor) -> Tensor:
        return state[:, 1]


class ActionDecidesReward(Probe):
    """One step; action 1 earns 1, action 0 costs 1. Fails where the policy's loss or its sign is broken."""

    def rewards(self, state: Tensor, actions: Tensor) -> Tensor:
        return 2.0 * actions - 1


class ObservationAndAction(Probe):
    """One step; action 1 is right where the observation is +1, action 0 where it is -1. Fails where rows get mixed."""

    def observe(self, state: Tensor) -> Tensor:
        return state[:, :1]

    def rewards(self, state: Tensor, actions: Tensor) -> Tensor:
        return state[:, 0] * (2.0 * actions - 1)


class ContinuousTarget(Probe):
    """One step; reward -(a - 0.5)^2: the mean of the policy goes to 0.5."""

    def spaces(self) -> tuple[spaces.Box, spaces.Space]:
        return spaces.Box(-1.0, 1.0, (1,), np.float32), spaces.Box(-1.0, 1.0, (1,), np.float32)

    def rewards(self, state: Tensor, actions: Tensor) -> Tensor:
        return -(actions[:, 0] - 0.5).square()


class Endless(Probe):
    """Reward 1 for ever, cut by a time limit of 8 steps: V = 1 / (1 - gamma), for whoever tells cut from ended."""

    episode_steps = 10**6

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs, max_episode_steps=8)
