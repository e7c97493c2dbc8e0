"""Probe environments, whose answers are known: each isolates one thing that an algorithm must get right, and takes a second.

The first to fail names the part that is broken. Values are of the discounted return. An idea of A. L. Jones (2021),
"Debugging RL, without the agonizing pain".
"""

from typing import ClassVar

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from .tensor import TensorVectorEnv


class Probe(TensorVectorEnv):
    """State [N, 2]: a sign of -1 or +1 that the seed draws, and the step within the episode.

    What a right algorithm finds, by observation: `expected_values`, and the probability of action 1 as far as it is
    `expected_actions`. `suspect`: what is broken where this probe is the first to fail.
    """

    start_size = 1
    episode_steps = 1
    suspect: ClassVar[str] = ""
    expected_actions: ClassVar[dict[float, int]] = {}

    def __init__(self, num_envs: int, *, max_episode_steps: int = 1000) -> None:
        super().__init__(num_envs, max_episode_steps=max_episode_steps)

    @classmethod
    def expected_values(cls, gamma: float) -> dict[float, float]:
        """Observation -> V, where the value does not depend on the policy; else nothing."""
        return {}

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
        """Rewards [N] for the actions [N] or [N, A] in these states [N, 2]."""
        return torch.ones_like(state[:, 0])


class ConstantReward(Probe):
    """One step, one observation, reward 1: V = 1."""

    suspect = "the critic's loss, or its gradient step"

    @classmethod
    def expected_values(cls, gamma: float) -> dict[float, float]:
        return {1.0: 1.0}


class ObservationPredictsReward(Probe):
    """One step; the observation, -1 or +1, is the reward: V(s) = s."""

    suspect = "how observations reach the critic, or the shapes in its loss"

    @classmethod
    def expected_values(cls, gamma: float) -> dict[float, float]:
        return {-1.0: -1.0, 1.0: 1.0}

    def observe(self, state: Tensor) -> Tensor:
        return state[:, :1]

    def rewards(self, state: Tensor, actions: Tensor) -> Tensor:
        return state[:, 0]


class DelayedReward(Probe):
    """Two steps, reward 1 at the second: V(first) = gamma, V(second) = 1."""

    episode_steps = 2
    suspect = "discounting, or whether the value of the next state is used"

    @classmethod
    def expected_values(cls, gamma: float) -> dict[float, float]:
        return {0.0: gamma, 1.0: 1.0}

    def observe(self, state: Tensor) -> Tensor:
        return state[:, 1:]

    def rewards(self, state: Tensor, actions: Tensor) -> Tensor:
        return state[:, 1]


class Endless(Probe):
    """Reward 1 for ever, cut by a time limit of 8 steps: V = 1 / (1 - gamma), for whoever tells cut from ended."""

    episode_steps = 10**6
    suspect = "terminated and truncated, which are not told apart"

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs, max_episode_steps=8)

    @classmethod
    def expected_values(cls, gamma: float) -> dict[float, float]:
        return {1.0: 1 / (1 - gamma)}


class ActionDecidesReward(Probe):
    """One step; action 1 earns 1, action 0 costs 1."""

    suspect = "the policy's loss, its sign, or its gradient step"
    expected_actions: ClassVar[dict[float, int]] = {1.0: 1}

    def rewards(self, state: Tensor, actions: Tensor) -> Tensor:
        return 2.0 * actions - 1


class ObservationAndAction(Probe):
    """One step; action 1 is right where the observation is +1, action 0 where it is -1."""

    suspect = "rows that got mixed: log-probabilities, advantages and observations of different steps"
    expected_actions: ClassVar[dict[float, int]] = {-1.0: 0, 1.0: 1}

    def observe(self, state: Tensor) -> Tensor:
        return state[:, :1]

    def rewards(self, state: Tensor, actions: Tensor) -> Tensor:
        return state[:, 0] * (2.0 * actions - 1)


class ContinuousTarget(Probe):
    """One step; reward -(a - 0.5)^2: the mean of the policy goes to 0.5."""

    suspect = "the Gaussian's log-probability"

    def spaces(self) -> tuple[spaces.Box, spaces.Space]:
        return spaces.Box(-1.0, 1.0, (1,), np.float32), spaces.Box(-1.0, 1.0, (1,), np.float32)

    def rewards(self, state: Tensor, actions: Tensor) -> Tensor:
        return -(actions[:, 0] - 0.5).square()


# In the order in which to try them: each relies on what the ones before it show. Those of discrete actions.
PROBES: tuple[type[Probe], ...] = (
    ConstantReward,
    ObservationPredictsReward,
    DelayedReward,
    Endless,
    ActionDecidesReward,
    ObservationAndAction,
)
