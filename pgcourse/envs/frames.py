"""Frame stacking: the last k observations as one, the smallest memory that an agent can have.

What stands before an episode's first observation is that observation, repeated: the stack then says "at rest". Zeros would
say that everything has just jumped. Source: Mnih et al. (2015), with k = 4 pictures.
"""

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from ..errors import InvalidInput
from .tensor import TensorVectorEnv


class FrameStack(TensorVectorEnv):
    """Tensor environments whose observation [N, k * D] is the last k observations [N, D] of the episode, oldest first.

    The stack is part of the state [N, S + k * D], behind that of the environment: `TensorVectorEnv` resets it with the state,
    and `final_obs` is the stack of the episode that ended. A stack that is kept outside has to be reset at every end, or an
    episode begins with frames of the one before it.
    """

    def __init__(self, base: TensorVectorEnv, num_frames: int) -> None:
        if num_frames < 1:
            raise InvalidInput(f"num_frames={num_frames} is not positive; use at least 1")
        if len(base.single_observation_space.shape or ()) != 1:
            raise InvalidInput(
                f"observations have shape {base.single_observation_space.shape}, frames are stacked of flat ones (D,); choose "
                "another environment"
            )
        self.base, self.num_frames, self.start_size = base, num_frames, base.start_size  # type: ignore[misc]
        start = base.start_states(torch.zeros(1, base.start_size, device=base.device))
        self.state_size, self.obs_dim = start.shape[-1], base.observe(start).shape[-1]
        super().__init__(base.num_envs, max_episode_steps=base.max_episode_steps, device=base.device)

    def spaces(self) -> tuple[spaces.Box, gymnasium.Space[Any]]:
        one = self.base.single_observation_space
        assert isinstance(one, spaces.Box)
        low, high = (np.tile(bound, self.num_frames) for bound in (one.low, one.high))
        return spaces.Box(low, high, dtype=np.float32), self.base.single_action_space

    def start_states(self, numbers: Tensor) -> Tensor:
        state = self.base.start_states(numbers)
        return torch.cat([state, self.base.observe(state).repeat(1, self.num_frames)], dim=-1)

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        inner, frames = state[:, : self.state_size], self.observe(state)
        inner, rewards, terminated = self.base.dynamics(inner, actions)
        newest = self.base.observe(inner)  # [N, D]
        return torch.cat([inner, frames[:, self.obs_dim :], newest], dim=-1), rewards, terminated

    def observe(self, state: Tensor) -> Tensor:
        return state[:, self.state_size :]


def stack_frames(env: gymnasium.Env[Any, Any], num_frames: int) -> gymnasium.Env[Any, Any]:
    """One NumPy environment whose observation [k * D] is stacked as `FrameStack` does it."""
    from gymnasium.wrappers import FlattenObservation, FrameStackObservation

    return FlattenObservation(FrameStackObservation(env, num_frames, padding_type="reset"))
