"""Key and door: a corridor with a key at one end and a door at the other; only the door with the key pays, and only then.

The agent starts in the middle, between them, and walks left or right. It picks the key up by reaching the left end, which
is not paid. Reaching the right end with the key pays 1 and ends the episode; without the key nothing happens there. So
the shortest way takes 36 steps, of which the first 12 lead away from the door, and an episode is cut after 64. How often
a walk of coin tosses arrives is computed exactly.

In some squares the two actions are switched, so that a network that leans to one action everywhere does not get far by
that. The idea is that of the deep sea of Osband et al. (2020), "Behaviour suite for reinforcement learning": a long chain
of right steps, switched at random, and a reward at its end alone.
"""

from typing import Any, ClassVar

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from .tensor import TensorVectorEnv

LENGTH = 25  # squares: the key lies in the first, the door is in the last
START = LENGTH // 2
NUM_PLACES = 2 * LENGTH  # each square without the key, and with it
SHORTEST = START + LENGTH - 1  # steps: to the key, and from there to the door
EPISODE_STEPS = 64
SWITCHED_SQUARES = (0, 1, 2, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22)  # drawn once, each with probability 1/2
PIXEL = 16  # of a drawn square


def remaining_steps(place: Tensor) -> Tensor:
    """Steps still to go on the shortest way, [N]: to the key and then to the door; 0 at the door with the key.

    Args: place: [N], index of the 1 in the observation.
    """
    square, with_key = place % LENGTH, place >= LENGTH
    return LENGTH - 1 + torch.where(with_key, -square, square)


def success_probability(right_probability: float = 0.5, *, episode_steps: int = EPISODE_STEPS) -> float:
    """How probable it is that an episode ends at the door if every step goes right with this probability.

    Exact, by dynamic programming: the probability of being at each place after each step, [2, LENGTH].
    """
    at = np.zeros((2, LENGTH))
    at[0, START] = 1.0
    arrived = 0.0
    for _ in range(episode_steps):
        after = np.zeros_like(at)
        after[:, 1:] += right_probability * at[:, :-1]
        after[:, -1] += right_probability * at[:, -1]  # the wall
        after[:, :-1] += (1 - right_probability) * at[:, 1:]
        after[:, 0] += (1 - right_probability) * at[:, 0]
        after[1, 0] += after[0, 0]  # the key is picked up
        after[0, 0] = 0.0
        arrived += float(after[1, -1])
        after[1, -1] = 0.0  # the episode is over
        at = after
    return arrived


def optimal_return(*, gamma: float) -> float:
    """Discounted return of the shortest way: the reward of 1 comes with step number `SHORTEST`, gamma^(SHORTEST - 1)."""
    return gamma ** (SHORTEST - 1)


class KeyDoorVectorEnv(TensorVectorEnv):
    """N corridors. State [N, 2]: square, and 1 with the key, else 0. Actions: 0 left, 1 right; switched in some squares.

    Observation [N, NUM_PLACES]: 1 at the place where the agent is, 0 elsewhere; places with the key come second.
    switched: False makes action 1 go right in every square, as in "StraightKeyDoor-v0".
    """

    start_size = 1  # every episode starts alike

    def __init__(
        self,
        num_envs: int = 1,
        *,
        switched: bool = True,
        max_episode_steps: int = EPISODE_STEPS,
        device: str | torch.device = "cpu",
    ) -> None:
        super().__init__(num_envs, max_episode_steps=max_episode_steps, device=device)
        squares = SWITCHED_SQUARES if switched else ()
        self.directions = torch.ones(LENGTH, device=self.device)  # of action 1, in squares
        self.directions[list(squares)] = -1.0

    def spaces(self) -> tuple[spaces.Box, spaces.Discrete]:
        return spaces.Box(0.0, 1.0, (NUM_PLACES,), np.float32), spaces.Discrete(2)

    def start_states(self, numbers: Tensor) -> Tensor:
        return torch.cat([torch.full_like(numbers, START), torch.zeros_like(numbers)], dim=-1)

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        square, key = state.unbind(-1)  # [N] each
        direction = self.directions[square.long()] * (2 * actions - 1)
        square = (square + direction).clamp(0, LENGTH - 1)
        key = torch.where(square == 0, 1.0, key)
        opened = (square == LENGTH - 1) & (key == 1)
        return torch.stack([square, key], dim=-1), opened.float(), opened

    def observe(self, state: Tensor) -> Tensor:
        square, key = state.long().unbind(-1)
        obs = torch.zeros(len(state), NUM_PLACES, device=state.device)
        return obs.scatter(1, (square + LENGTH * key)[:, None], 1.0)


class KeyDoorEnv(gymnasium.Env[NDArray[np.float32], int]):
    """One corridor with NumPy observations: what `gymnasium.make("pgcourse/KeyDoor-v0")` gives."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}  # type: ignore[misc]

    def __init__(self, render_mode: str | None = None, *, switched: bool = True) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (NUM_PLACES,), np.float32)
        self.action_space = spaces.Discrete(2)  # type: ignore[assignment]
        self.render_mode = render_mode
        self.switched_squares = SWITCHED_SQUARES if switched else ()
        self.square, self.key = START, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        self.square, self.key = START, 0
        return self._observation(), {}

    def step(self, action: int) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        right = (int(action) == 1) != (self.square in self.switched_squares)
        self.square = min(max(self.square + (1 if right else -1), 0), LENGTH - 1)
        if self.square == 0:
            self.key = 1
        opened = self.key == 1 and self.square == LENGTH - 1
        return self._observation(), float(opened), opened, False, {}

    def render(self) -> NDArray[np.uint8]:
        """Three rows of squares, [3 * PIXEL, LENGTH * PIXEL, 3]: key (yellow), door (green), agent (white, or yellow with it)."""
        picture = np.full((3, LENGTH, 3), 40, np.uint8)
        picture[1] = 80
        picture[:, -1] = (0, 158, 115)
        yellow = (240, 228, 66)
        if not self.key:
            picture[1, 0] = yellow
        picture[1, self.square] = yellow if self.key else (255, 255, 255)
        return picture.repeat(PIXEL, axis=0).repeat(PIXEL, axis=1)

    def _observation(self) -> NDArray[np.float32]:
        observation = np.zeros(NUM_PLACES, np.float32)
        observation[self.square + LENGTH * self.key] = 1.0
        return observation
