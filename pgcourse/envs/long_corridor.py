"""The long corridor: one choice, then a long walk with a coin toss at each square, and the prize at the end.

At the fork the agent takes corridor 0 or 1 by its action. Then it walks through `LENGTH` squares, whatever it does. Each
square pays +1 or -1 by a fair coin, in either corridor alike. The last square of corridor 1 pays the prize on top. Only
the first action matters, and its effect comes `LENGTH` steps later, under the noise of all the coins. Every episode has
`LENGTH` + 1 steps, and the values are a formula. In the spirit of the umbrella task of Osband et al. (2020), "Behaviour
suite for reinforcement learning", with a coin at every square.
"""

from typing import Any, ClassVar

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from .tensor import TensorVectorEnv

LENGTH = 20  # squares behind the fork
PRIZE = 1.0
EPISODE_STEPS = LENGTH + 1
NUM_PLACES = 2 * LENGTH + 1  # the fork, corridor 0, corridor 1


def exact_values(prize_probability: float, *, gamma: float) -> Tensor:
    """Value of every place under a policy that takes corridor 1 with this probability, discounted.

    Corridor 0 is worth 0 everywhere, as its coins are fair. In corridor 1 the prize is LENGTH - k steps away from square
    k = 1, ..., LENGTH, so V = gamma^(LENGTH - k) * PRIZE. The fork is one step before square 1.

    Returns: [NUM_PLACES], in the order of the observation's places: fork, corridor 0, corridor 1.
    """
    distance = torch.arange(LENGTH - 1, -1, -1, dtype=torch.float32)  # [LENGTH]
    corridor = gamma**distance * PRIZE
    fork = prize_probability * gamma * corridor[:1]
    return torch.cat([fork, torch.zeros(LENGTH), corridor])


class LongCorridorVectorEnv(TensorVectorEnv):
    """N corridors. State [N, 2 + LENGTH]: square (0 the fork), corridor, the coins; actions: the corridor to take.

    Observation [N, NUM_PLACES]: 1 at the place where the agent is, 0 elsewhere; all 0 behind the last square.
    """

    start_size = LENGTH

    def __init__(self, num_envs: int = 1, *, max_episode_steps: int = 1000, device: str | torch.device = "cpu") -> None:
        super().__init__(num_envs, max_episode_steps=max_episode_steps, device=device)

    def spaces(self) -> tuple[spaces.Box, spaces.Discrete]:
        return spaces.Box(0.0, 1.0, (NUM_PLACES,), np.float32), spaces.Discrete(2)

    def start_states(self, numbers: Tensor) -> Tensor:
        # Tossed before the walk and hidden, so that an episode is a function of its seed and index.
        coins = torch.where(numbers < 0.5, -1.0, 1.0)
        return torch.cat([torch.zeros_like(numbers[:, :2]), coins], dim=-1)

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        square, corridor, coins = state[:, 0], state[:, 1], state[:, 2:]
        at_fork = square == 0
        coin = coins.gather(1, (square.long()[:, None] - 1).clamp(min=0))[:, 0]
        last = square == LENGTH
        rewards = torch.where(at_fork, 0.0, coin + PRIZE * corridor * last)
        corridor = torch.where(at_fork, actions.to(corridor.dtype), corridor)
        return torch.cat([(square + 1)[:, None], corridor[:, None], coins], dim=-1), rewards, last

    def observe(self, state: Tensor) -> Tensor:
        square, corridor = state[:, 0], state[:, 1]
        place = torch.where(square == 0, 0.0, square + corridor * LENGTH).long()  # [N]
        obs = torch.zeros(len(state), NUM_PLACES, device=state.device)
        return obs.scatter(1, place.clamp(max=NUM_PLACES - 1)[:, None], (square <= LENGTH).float()[:, None])


class LongCorridorEnv(gymnasium.Env[np.ndarray, int]):
    """One long corridor with NumPy observations: what `gymnasium.make("pgcourse/LongCorridor-v0")` gives."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}  # type: ignore[misc]

    def __init__(self, render_mode: str | None = None) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (NUM_PLACES,), np.float32)
        self.action_space = spaces.Discrete(2)  # type: ignore[assignment]
        self.render_mode = render_mode
        self.square = self.corridor = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.square = self.corridor = 0
        return self._observation(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict]:
        reward, over = 0.0, self.square == LENGTH
        if self.square == 0:
            self.corridor = int(action)
        else:
            reward = float(self.np_random.choice([-1.0, 1.0]))
            if over and self.corridor == 1:
                reward += PRIZE
        self.square += 1
        return self._observation(), reward, over, False, {}

    def _observation(self) -> np.ndarray:
        observation = np.zeros(NUM_PLACES, np.float32)
        if self.square == 0:
            observation[0] = 1.0
        elif self.square <= LENGTH:
            observation[self.corridor * LENGTH + self.square] = 1.0
        return observation
