"""Returns and lengths of the episodes of a run, counted by us: vector wrappers under-report in some modes."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

EPISODE_FIELDS = np.dtype(
    [("env_step", np.int64), ("wall_time", np.float64), ("episodic_return", np.float64), ("length", np.int64)]
)


class EpisodeLog:
    """Complete episodes in order of completion, and the running one of each environment."""

    def __init__(self, num_envs: int) -> None:
        self._records = np.zeros(1024, EPISODE_FIELDS)
        self._count = 0
        self.running_return = np.zeros(num_envs)  # of the episode that each environment is in
        self.running_length = np.zeros(num_envs, np.int64)

    def __len__(self) -> int:
        return self._count

    @property
    def records(self) -> NDArray[Any]:
        """All complete episodes so far, fields of EPISODE_FIELDS; a view."""
        return self._records[: self._count]

    def add(
        self, env_step: NDArray[Any], episodic_return: NDArray[Any], length: NDArray[Any], *, wall_time: float
    ) -> None:
        """Record complete episodes, [E] each, in order of completion; `env_step` is the count when each ended."""
        end = self._count + len(length)
        while end > len(self._records):
            self._records = np.concatenate([self._records, np.zeros_like(self._records)])
        new = self._records[self._count : end]
        new["env_step"], new["episodic_return"], new["length"] = env_step, episodic_return, length
        new["wall_time"] = wall_time
        self._count = end

    def add_rollout(self, rewards: NDArray[Any], done: NDArray[Any], *, env_step: int, wall_time: float) -> None:
        """Record the episodes that end within a rollout [T, N], which began after `env_step` steps."""
        num_envs = rewards.shape[1]
        for t, (reward, ended) in enumerate(zip(rewards, done, strict=True)):
            self.running_return += reward
            self.running_length += 1
            if ended.any():
                steps = np.full(int(ended.sum()), env_step + (t + 1) * num_envs)
                self.add(steps, self.running_return[ended], self.running_length[ended], wall_time=wall_time)
                self.running_return[ended] = 0
                self.running_length[ended] = 0

    def add_batch(self, rewards: list[NDArray[Any]], *, env_step: int, wall_time: float) -> None:
        """Record complete episodes that began together after `env_step` steps; rewards: one array [T] an episode."""
        lengths = np.array([len(reward) for reward in rewards])
        returns = np.array([float(reward.sum(dtype=np.float64)) for reward in rewards])
        order = np.argsort(lengths, kind="stable")  # they began together, so the shorter ended first
        # When an episode of length L ends, each of the others has taken its own length or L steps, whichever is less.
        taken = np.minimum(lengths[None, :], lengths[order][:, None]).sum(axis=1)
        self.add(env_step + taken, returns[order], lengths[order], wall_time=wall_time)

    def drop_running(self) -> None:
        """Forget the unfinished episodes, because the environments begin anew."""
        self.running_return[:] = 0
        self.running_length[:] = 0

    def state_dict(self) -> dict[str, Any]:
        """Everything as tensors."""
        running = {"return": torch.tensor(self.running_return), "length": torch.tensor(self.running_length)}
        return {"records": pack_episodes(self.records), "running": running}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._records = unpack_episodes(state["records"])
        self._count = len(self._records)
        self._records = np.concatenate([self._records, np.zeros(1024, EPISODE_FIELDS)])
        self.running_return = state["running"]["return"].numpy().copy()
        self.running_length = state["running"]["length"].numpy().copy()


def pack_episodes(episodes: NDArray[Any]) -> dict[str, torch.Tensor]:
    """The structured array of episodes as one tensor a field."""
    return {name: torch.from_numpy(episodes[name].copy()) for name in EPISODE_FIELDS.names or ()}


def unpack_episodes(fields: dict[str, torch.Tensor]) -> NDArray[Any]:
    """The structured array of `pack_episodes`."""
    episodes = np.zeros(len(fields["length"]), EPISODE_FIELDS)
    for name in EPISODE_FIELDS.names or ():
        episodes[name] = fields[name].numpy()
    return episodes
