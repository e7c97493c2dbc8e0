"""N environments for each of S runs, in one vector environment of S * N tensor environments."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...envs import env_seeds, make_envs
from ...envs.seeding import Purpose
from ...envs.snapshot import restore_envs, save_envs
from ...envs.tensor import TensorVectorEnv


class RowEnvs:
    """Tensors [S, N, ...] in and out; otherwise as `TensorVectorEnv`."""

    def __init__(
        self, env_id: str, seeds: Sequence[int], num_envs: int, device: torch.device, purpose: Purpose = "training"
    ) -> None:
        """Args: seeds: one a run. num_envs: N."""
        self.env_id, self.num_envs, self.device = env_id, num_envs, device
        self.envs = self._make(len(seeds))
        numbers = [number for seed in seeds for number in env_seeds(seed, num_envs, purpose)]
        self.obs = self._by_run(self.envs.reset(seed=numbers)[0])  # the first observations [S, N, D]

    def _make(self, runs: int) -> TensorVectorEnv:
        envs = make_envs(self.env_id, runs * self.num_envs, seed=0, device=self.device)
        assert isinstance(envs, TensorVectorEnv)
        return envs

    def _by_run(self, values: Tensor) -> Tensor:
        return values.view(-1, self.num_envs, *values.shape[1:])

    def reset(self) -> Tensor:
        """Begin the next episode everywhere. Returns: observations [S, N, D]."""
        return self._by_run(self.envs.reset()[0])

    def step(self, actions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Actions [S, N, ...] -> next observations, rewards, terminated, truncated, true next observations."""
        obs, rewards, terminated, truncated, info = self.envs.step(actions.flatten(0, 1))
        columns = (obs, rewards, terminated, truncated, info["final_obs"])
        return tuple(self._by_run(column) for column in columns)  # type: ignore[return-value]

    @property
    def episode(self) -> Tensor:
        """Index of the episode under way, [S, N]; a view that may be written to."""
        return self._by_run(self.envs.episode)

    def select(self, rows: Tensor) -> Tensor:
        """Keep these runs [K] alone. Returns: their observations [K, N, D]."""
        saved: dict[str, Any] | None = save_envs(self.envs)
        assert saved is not None
        kept = {name: self._by_run(value)[rows].flatten(0, 1) for name, value in saved.items()}
        self.envs = self._make(len(rows))
        return self._by_run(restore_envs(self.envs, kept))
