"""Catch: a ball falls through a picture of 10 x 10 pixels, and a paddle on the bottom row has to be under it.

The smallest task in which a policy has to see. The only reward comes at the end: +1 if the paddle is under the ball in the
last row, else -1. Source: Osband et al. (2020), "Behaviour suite for reinforcement learning", whose picture is 10 x 5.
"""

from typing import Any, ClassVar

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from .tensor import TensorVectorEnv

SIZE = 10  # rows and columns
EPISODE_STEPS = SIZE - 1  # from the top row to the bottom row
PIXEL = 20  # of a drawn picture, for one of an observation


class CatchVectorEnv(TensorVectorEnv):
    """N games of Catch. Actions: 0 left, 1 stay, 2 right.

    State [N, 3]: row and column of the ball, column of the paddle. Observation [N, 10, 10, 1]: 1 where ball or paddle is,
    else 0. The ball starts in the top row in a random column, the paddle in the middle.
    """

    start_size = 1

    def __init__(self, num_envs: int = 1, *, max_episode_steps: int = 100, device: str | torch.device = "cpu") -> None:
        super().__init__(num_envs, max_episode_steps=max_episode_steps, device=device)

    def spaces(self) -> tuple[spaces.Box, spaces.Discrete]:
        return spaces.Box(0.0, 1.0, (SIZE, SIZE, 1), np.float32), spaces.Discrete(3)

    def start_states(self, numbers: Tensor) -> Tensor:
        column = (numbers * SIZE).floor()  # [N, 1]
        return torch.cat([torch.zeros_like(column), column, torch.full_like(column, SIZE // 2)], dim=-1)

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        row, column, paddle = state.unbind(-1)  # [N] each
        row, paddle = row + 1, (paddle + actions - 1).clamp(0, SIZE - 1)
        landed = row >= SIZE - 1
        rewards = torch.where(landed, torch.where(paddle == column, 1.0, -1.0), 0.0)
        return torch.stack([row, column, paddle], dim=-1), rewards, landed

    def observe(self, state: Tensor) -> Tensor:
        row, column, paddle = state.long().unbind(-1)
        pixels = torch.zeros(len(state), SIZE * SIZE, device=state.device)
        lit = torch.stack([row * SIZE + column, (SIZE - 1) * SIZE + paddle], dim=-1)  # [N, 2]
        return pixels.scatter(1, lit, 1.0).view(-1, SIZE, SIZE, 1)


class CatchEnv(gymnasium.Env[NDArray[np.float32], int]):
    """One game of Catch with NumPy observations: what `gymnasium.make("pgcourse/Catch-v0")` gives."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 5}  # type: ignore[misc]

    def __init__(self, render_mode: str | None = None) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (SIZE, SIZE, 1), np.float32)
        self.action_space = spaces.Discrete(3)  # type: ignore[assignment]
        self.render_mode = render_mode
        self.row = self.column = self.paddle = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        self.row, self.column, self.paddle = 0, int(self.np_random.integers(SIZE)), SIZE // 2
        return self._observation(), {}

    def step(self, action: int) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        self.row += 1
        self.paddle = min(max(self.paddle + int(action) - 1, 0), SIZE - 1)
        landed = self.row == SIZE - 1
        reward = (1.0 if self.paddle == self.column else -1.0) if landed else 0.0
        return self._observation(), reward, landed, False, {}

    def render(self) -> NDArray[np.uint8]:
        """The observation enlarged, [200, 200, 3]: light on dark."""
        grey = (40 + 200 * self._observation()).astype(np.uint8)
        return grey.repeat(PIXEL, axis=0).repeat(PIXEL, axis=1).repeat(3, axis=2)

    def _observation(self) -> NDArray[np.float32]:
        observation = np.zeros((SIZE, SIZE, 1), np.float32)
        observation[self.row, self.column] = observation[SIZE - 1, self.paddle] = 1.0
        return observation
