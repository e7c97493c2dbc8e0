"""Batched environments whose states are tensors: N copies advance in one call, on any device."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from torch import Tensor

from ..errors import InvalidInput
from .seeding import env_seeds, stream_keys, uniform


class TensorVectorEnv(VectorEnv):
    """N environments as one tensor of states [N, S]; tensors in and out; autoreset in SAME_STEP mode.

    When an episode ends, `step` returns the first observation of the next one, and the true last observation in
    `info["final_obs"]` [N, D], whose valid rows are `info["_final_obs"]` [N]. Rows of running episodes hold their
    current observation, so `final_obs` is the true next observation of every row.

    A start state is a pure function of (environment seed, episode index): any device, any order, resumable.
    """

    metadata: ClassVar[dict[str, Any]] = {"autoreset_mode": AutoresetMode.SAME_STEP}  # type: ignore[misc]
    start_size: ClassVar[int]  # uniform numbers that one start state takes

    def __init__(self, num_envs: int, *, max_episode_steps: int, device: str | torch.device = "cpu") -> None:
        if num_envs < 1:
            raise InvalidInput(f"num_envs={num_envs} is not positive; use at least 1")
        self.num_envs = num_envs
        self.max_episode_steps = max_episode_steps
        self.device = torch.device(device)
        self.single_observation_space, self.single_action_space = self.spaces()
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.keys = self._keys(env_seeds(0, num_envs))
        self.episode = torch.full_like(self.keys, -1)  # index of the running episode; the first reset makes it 0
        self.elapsed = torch.zeros_like(self.keys)  # steps taken in the running episode
        self.state = torch.empty(0)

    @abstractmethod
    def spaces(self) -> tuple[gymnasium.Space[Any], gymnasium.Space[Any]]:
        """Observation and action space of one environment."""

    @abstractmethod
    def start_states(self, numbers: Tensor) -> Tensor:
        """States [N, S] at an episode's start, from uniform numbers [N, start_size] in [0, 1)."""

    @abstractmethod
    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Next states [N, S], rewards [N] and terminated [N] (bool); `state` is not changed."""

    @abstractmethod
    def observe(self, state: Tensor) -> Tensor:
        """Observations [N, D] of states [N, S]; may be the same tensor."""

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Begin a new episode in every environment. With a seed, its first; without, the next of the same stream.

        Args: seed: one for each environment, or one integer from which they are derived. options: none are known.
        Raises: InvalidInput for options, such as a reset mask: in SAME_STEP mode every environment resets itself.
        """
        if options:
            raise InvalidInput(f"options={options} are not known here; reset all environments, or make your own")
        if seed is not None:
            self.keys = self._keys(env_seeds(seed, self.num_envs) if isinstance(seed, int) else seed)
            self.episode = torch.zeros_like(self.keys)
        else:
            self.episode = self.episode + 1
        self.elapsed = torch.zeros_like(self.elapsed)
        self.state = self.start_states(uniform(self.keys, self.episode, self.start_size))
        return self.observe(self.state), {}

    def step(self, actions: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, dict[str, Any]]:
        """Advance all environments by one action each [N] or [N, A]; see the class for `info`."""
        actions = torch.as_tensor(actions, device=self.device)
        state, rewards, terminated = self.dynamics(self.state, actions)
        self.elapsed = self.elapsed + 1
        truncated = self.elapsed >= self.max_episode_steps
        done = terminated | truncated
        final_obs = observations = self.observe(state)
        # On the CPU the look at `done` is cheap and saves the reset; elsewhere it would wait for the device.
        if self.device.type != "cpu" or bool(done.any()):
            self.episode = self.episode + done
            self.elapsed = self.elapsed * ~done
            start = self.start_states(uniform(self.keys, self.episode, self.start_size))
            state = torch.where(done[:, None], start, state)
            observations = self.observe(state)
        self.state = state
        return observations, rewards, terminated, truncated, {"final_obs": final_obs, "_final_obs": done}

    def _keys(self, seeds: Sequence[int]) -> Tensor:
        if len(seeds) != self.num_envs:
            raise InvalidInput(f"{len(seeds)} seeds for {self.num_envs} environments; give one each, or one integer")
        return stream_keys(torch.tensor([int(seed) for seed in seeds], dtype=torch.int64, device=self.device))
