"""Gymnasium's NumPy vector environments with the interface of ours: tensors in and out, dense `final_obs`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from torch import Tensor

from ..errors import InvalidInput
from .tensor import TensorVectorEnv


class TensorAdapter(VectorWrapper):
    """A NumPy vector environment in SAME_STEP mode, seen through tensors; see `TensorVectorEnv` for `info`."""

    def __init__(self, env: VectorEnv, *, device: str | torch.device = "cpu") -> None:
        super().__init__(env)
        self.device = torch.device(device)
        space = env.single_action_space
        self.obs = torch.empty(0)  # the last that were returned, for `envs.snapshot`
        self.first_action = int(space.start) if isinstance(space, spaces.Discrete) else 0

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        observations, info = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        self.obs = self._floats(observations)
        return self.obs, info

    def step(self, actions: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, dict[str, Any]]:
        array = torch.as_tensor(actions).cpu().numpy()
        if self.first_action:
            array = array + self.first_action
        elif isinstance(self.single_action_space, spaces.Box):  # the sample stays unclipped; clipping is the env's part
            array = np.clip(array, self.single_action_space.low, self.single_action_space.high)
        observations, rewards, terminated, truncated, info = self.env.step(array)
        done = terminated | truncated
        final_obs = observations
        if done.any():
            final_obs = observations.copy()
            for index in np.flatnonzero(done):
                final_obs[index] = info["final_obs"][index]
        info = {**info, "final_obs": self._floats(final_obs), "_final_obs": self._tensor(done)}
        self.obs = self._floats(observations)
        return self.obs, self._floats(rewards), self._tensor(terminated), self._tensor(truncated), info

    def _floats(self, array: np.ndarray) -> Tensor:
        # A copy: an environment made with copy=False writes its next observation into the same array.
        return torch.tensor(np.asarray(array, dtype=np.float32), device=self.device)

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(array, device=self.device)


def as_tensor_envs(envs: VectorEnv, *, device: str | torch.device = "cpu") -> VectorEnv:
    """An environment of the user's own, ready for the training loops. Raises: InvalidInput for what they cannot take."""
    mode = envs.metadata.get("autoreset_mode")
    if mode != AutoresetMode.SAME_STEP:
        raise InvalidInput(
            f"the vector environment resets in mode {getattr(mode, 'name', mode)}, pgcourse needs SAME_STEP: make it with "
            "SyncVectorEnv(env_fns, autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP), or with pgcourse.make_envs"
        )
    require_supported_spaces(envs.single_observation_space, envs.single_action_space)
    return envs if isinstance(envs, TensorVectorEnv | TensorAdapter) else TensorAdapter(envs, device=device)


def require_supported_spaces(observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> None:
    """Raises: InvalidInput unless observations are a flat Box and actions Discrete or a flat Box."""
    if not isinstance(observation_space, spaces.Box) or len(observation_space.shape) != 1:
        kind = "an image" if len(observation_space.shape or ()) > 1 else type(observation_space).__name__
        raise InvalidInput(
            f"observations are {kind} ({describe(observation_space)}), pgcourse takes a flat Box of shape (D,): "
            "choose another environment, or wrap it with gymnasium.wrappers.FlattenObservation"
        )
    flat_box = isinstance(action_space, spaces.Box) and len(action_space.shape) == 1
    if not flat_box and not isinstance(action_space, spaces.Discrete):
        raise InvalidInput(
            f"actions are {type(action_space).__name__} ({describe(action_space)}), pgcourse takes Discrete or a flat Box: "
            "choose another environment, or write a wrapper that maps one Discrete action to yours"
        )


def describe(space: spaces.Space[Any]) -> str:
    """A space in one short line, without the bounds of every element."""
    return f"Box{space.shape}" if isinstance(space, spaces.Box) else str(space)
