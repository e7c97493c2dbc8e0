"""Bookkeeping around a training loop: what happened, when to stop, how it ends. No algorithm lives here."""

import dataclasses
import io
import json
import os
import platform
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, Self

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from . import storage
from .errors import InvalidInput
from .networks import describe_network

EPISODE_FIELDS = np.dtype(
    [("env_step", np.int64), ("wall_time", np.float64), ("episodic_return", np.float64), ("length", np.int64)]
)
RUN_FILE = "run.pt"
FORMAT_VERSION = 1


class Progress(NamedTuple):
    """What `on_iteration` sees after each update; returning True stops the run."""

    iteration: int  # 1 after the first update
    env_step: int  # environment steps so far, all environments together
    seconds: float  # training time so far, without the time spent in `on_iteration`
    episodes: NDArray[Any]  # all so far; fields of EPISODE_FIELDS
    metrics: dict[str, float]  # of this update
    policy: nn.Module  # the network itself, not a copy


OnIteration = Callable[[Progress], bool | None]


@dataclasses.dataclass(frozen=True)
class Result:
    """What a training run leaves behind."""

    policy: nn.Module
    critic: nn.Module | None
    config: Any
    device: str
    interrupted: bool
    episodes: NDArray[Any]  # fields env_step, wall_time [s], episodic_return, length; in order of completion
    metrics: dict[str, NDArray[np.float64]]  # one entry an iteration

    def save(self, directory: str | os.PathLike[str]) -> Path:
        """Write the run: `config.json` and `episodes.csv` to read, `run.pt` with everything for `pgcourse.load`.

        Each file is written atomically, `run.pt` last. Files hold tensors and JSON only. Returns: the directory.
        """
        folder = Path(directory)
        description = {
            "format": FORMAT_VERSION,
            "algorithm": self.config.algorithm,
            "config": dataclasses.asdict(self.config),
            "policy": describe_network(self.policy),
            "critic": describe_network(self.critic),
            "device": self.device,
            "interrupted": self.interrupted,
            "versions": versions(),
        }
        content = {
            "description": json.dumps(description),
            "policy": self.policy.state_dict(),
            "critic": self.critic.state_dict() if self.critic is not None else {},
            "episodes": {name: torch.from_numpy(self.episodes[name].copy()) for name in EPISODE_FIELDS.names or ()},
            "metrics": {name: torch.from_numpy(values) for name, values in self.metrics.items()},
        }
        buffer = io.BytesIO()
        torch.save(content, buffer)
        lines = [",".join(EPISODE_FIELDS.names or ())] + [",".join(str(value) for value in row) for row in self.episodes]
        storage.write_json(folder / "config.json", description)
        storage.atomic_write(folder / "episodes.csv", "\n".join(lines) + "\n")
        storage.atomic_write(folder / RUN_FILE, buffer.getvalue())
        return folder


def versions() -> dict[str, str]:
    """Versions that a figure or a saved run depends on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "gymnasium": gymnasium.__version__,
        "numpy": np.__version__,
    }


class Interrupt:
    """Turns Ctrl-C (in a notebook: ■) into a wish to stop at the next safe moment; the second one stops at once.

    Outside the main thread Python delivers no interrupts, and nothing is changed.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


class Recorder:
    """Counts steps and episodes, keeps metrics, and says when the run is over.

    Used as a context manager around the loop: `with Recorder(...) as recorder: while recorder.running: ...`.
    """

    def __init__(self, config: Any, policy: nn.Module, on_iteration: OnIteration | None) -> None:
        self.config, self.policy, self.on_iteration = config, policy, on_iteration
        self.iteration = 0
        self.env_step = 0
        self._episodes = np.zeros(1024, EPISODE_FIELDS)
        self._num_episodes = 0
        self._metrics: dict[str, list[float]] = {}
        self._stopped = False
        self._interrupt = Interrupt()
        self._paused_seconds = 0.0

    def __enter__(self) -> Self:
        self._interrupt.__enter__()
        self._start = time.perf_counter()
        return self

    def __exit__(self, *exception: object) -> None:
        self._interrupt.__exit__(*exception)

    @property
    def seconds(self) -> float:
        """Training time so far [s], without the time spent in `on_iteration`."""
        return time.perf_counter() - self._start - self._paused_seconds

    @property
    def episodes(self) -> NDArray[Any]:
        """All complete episodes so far, in order of completion."""
        return self._episodes[: self._num_episodes]

    @property
    def running(self) -> bool:
        """Whether another iteration is due: no interrupt, no stop asked for, the budget not used up."""
        if self._stopped or self._interrupt.requested:
            return False
        steps, episodes = self.config.total_timesteps, self.config.num_episodes
        return (steps is None or self.env_step < steps) and (episodes is None or self._num_episodes < episodes)

    def add_episodes(self, env_step: NDArray[Any], episodic_return: NDArray[Any], length: NDArray[Any]) -> None:
        """Record complete episodes, [E] each, in order of completion; `env_step` is the count when each ended."""
        end = self._num_episodes + len(length)
        while end > len(self._episodes):
            self._episodes = np.concatenate([self._episodes, np.zeros_like(self._episodes)])
        new = self._episodes[self._num_episodes : end]
        new["env_step"], new["episodic_return"], new["length"] = env_step, episodic_return, length
        new["wall_time"] = self.seconds
        self._num_episodes = end

    def end_iteration(self, env_step: int, metrics: dict[str, Tensor | float]) -> None:
        """Record one update's metrics, at `env_step` steps in all, and ask `on_iteration` whether to go on."""
        self.iteration += 1
        self.env_step = env_step
        numbers = {name: float(value) for name, value in metrics.items()}
        for name, number in numbers.items():
            self._metrics.setdefault(name, []).append(number)
        if self.on_iteration is not None:
            seconds = self.seconds
            progress = Progress(self.iteration, env_step, seconds, self.episodes, numbers, self.policy)
            self._stopped = bool(self.on_iteration(progress))
            self._paused_seconds += self.seconds - seconds

    def result(self, critic: nn.Module | None, device: torch.device) -> Result:
        """The finished run."""
        metrics = {name: np.array(values) for name, values in self._metrics.items()}
        return Result(
            self.policy, critic, self.config, str(device), self._interrupt.requested, self.episodes.copy(), metrics
        )


def require_budget(config: Any) -> None:
    """Raises: InvalidInput where a config bounds the run neither by steps nor by episodes."""
    if config.total_timesteps is None and config.num_episodes is None:
        raise InvalidInput("total_timesteps and num_episodes are both None; give at least one, or the run never ends")
