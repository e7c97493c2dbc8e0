"""Gymnasium's NumPy vector environments with the interface of ours: tensors in and out, dense `final_obs`."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import flatten
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space, iterate
from torch import Tensor

from ..errors import InvalidInput
from ..spaces import flattened, require_supported_spaces, to_env_actions
from .tensor import TensorVectorEnv


class TensorAdapter(VectorWrapper):
    """A NumPy vector environment in SAME_STEP mode, seen through tensors; see `TensorVectorEnv` for `info`.

    Observations are float32, [N, D] where the space is flat or was flattened, [N, H, W, C] for images. Pixels of uint8
    keep their values, 0 to 255, which float32 holds exactly; a network scales them itself.
    """

    def __init__(self, env: VectorEnv, *, device: str | torch.device = "cpu") -> None:
        super().__init__(env)
        self.structured = flattened(env.single_observation_space) is not env.single_observation_space
        if self.structured:
            # Gymnasium's FlattenObservation for vector environments refuses SAME_STEP.
            self.single_observation_space = flattened(env.single_observation_space)
            self.observation_space = batch_space(self.single_observation_space, env.num_envs)
        self.device = torch.device(device)
        self.obs = torch.empty(0)  # the last that were returned, for `envs.snapshot`

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        observations, info = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        self.obs = self._floats(self._flat(observations))
        return self.obs, info

    def step(self, actions: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, dict[str, Any]]:
        array = to_env_actions(torch.as_tensor(actions).cpu().numpy(), self.single_action_space)
        structured, rewards, terminated, truncated, info = self.env.step(array)
        done = terminated | truncated
        final_obs = observations = self._flat(structured)
        if done.any():
            final_obs = observations.copy()
            for index in np.flatnonzero(done):
                last = info["final_obs"][index]
                final_obs[index] = flatten(self.env.single_observation_space, last) if self.structured else last
        info = {**info, "final_obs": self._floats(final_obs), "_final_obs": self._tensor(done)}
        self.obs = self._floats(observations)
        return self.obs, self._floats(rewards), self._tensor(terminated), self._tensor(truncated), info

    def _flat(self, observations: Any) -> np.ndarray:
        if not self.structured:
            return observations
        single = self.env.single_observation_space
        parts = iterate(self.env.observation_space, observations)
        return np.stack([np.asarray(flatten(single, part)) for part in parts])

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


def flat_observations(env: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """One environment with the observations that policies see: flattened where training flattens them."""
    flat = flattened(env.observation_space)
    if flat is env.observation_space:
        return env
    wrapped = gymnasium.wrappers.FlattenObservation(env)
    wrapped.observation_space = flat
    return wrapped
