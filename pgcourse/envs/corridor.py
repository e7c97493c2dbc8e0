"""The short corridor with switched actions: small enough that the exact policy gradient is a formula.

Three squares in a row and the goal behind the last. Action 1 (right) moves towards the goal and action 0 (left) away
from it, except in the second square, where they are switched. All squares look the same to the agent. Every step
costs 1. Source: Sutton and Barto (2018), example 13.1.
"""

import math
from typing import Any, ClassVar

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from .tensor import TensorVectorEnv

NUM_SQUARES = 3
SWITCHED_SQUARE = 1


def exact_value(right_probability: float) -> float:
    """Expected undiscounted return from the start when every step goes right with this probability.

    With p for it, the three Bellman equations have the solution v = -(4 - 2 p) / (p (1 - p)).

    Args: a probability; at 0 and 1 the goal is never reached. Returns: reward; minus infinity at 0 and 1.
    """
    p = right_probability
    return -math.inf if p <= 0 or p >= 1 else -(4 - 2 * p) / (p * (1 - p))


def exact_gradient(right_probability: float) -> float:
    """Derivative of the exact value with respect to the logit z of going right, p = sigmoid(z): dv/dp * p (1 - p)."""
    p = right_probability
    slope = (2 * p * (1 - p) + (4 - 2 * p) * (1 - 2 * p)) / (p * (1 - p)) ** 2
    return slope * p * (1 - p)


BEST_RIGHT_PROBABILITY = 2 - math.sqrt(2)  # where the gradient is 0: about 0.586, with a value of about -11.66


class ShortCorridorVectorEnv(TensorVectorEnv):
    """N corridors. State [N, 1]: the square; observation [N, 1]: always 1; actions: 0 left, 1 right."""

    start_size = 1

    def __init__(self, num_envs: int = 1, *, max_episode_steps: int = 1000, device: str | torch.device = "cpu") -> None:
        super().__init__(num_envs, max_episode_steps=max_episode_steps, device=device)

    def spaces(self) -> tuple[spaces.Box, spaces.Discrete]:
        return spaces.Box(1.0, 1.0, (1,), np.float32), spaces.Discrete(2)

    def start_states(self, numbers: Tensor) -> Tensor:
        return torch.zeros_like(numbers)

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        direction = 2.0 * actions[:, None] - 1
        direction = torch.where(state == SWITCHED_SQUARE, -direction, direction)
        state = (state + direction).clamp(min=0)  # [N, 1]
        return state, -torch.ones_like(state[:, 0]), state[:, 0] >= NUM_SQUARES

    def observe(self, state: Tensor) -> Tensor:
        return torch.ones_like(state)


class ShortCorridorEnv(gymnasium.Env[np.ndarray, int]):
    """One corridor with NumPy observations: what `gymnasium.make("pgcourse/ShortCorridor-v0")` gives."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(self, render_mode: str | None = None) -> None:
        self.observation_space = spaces.Box(1.0, 1.0, (1,), np.float32)
        self.action_space = spaces.Discrete(2)  # type: ignore[assignment]
        self.render_mode = render_mode
        self.square = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.square = 0
        return np.ones(1, np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        direction = 1 if action == 1 else -1
        if self.square == SWITCHED_SQUARE:
            direction = -direction
        self.square = max(self.square + direction, 0)
        return np.ones(1, np.float32), -1.0, self.square >= NUM_SQUARES, False, {}
