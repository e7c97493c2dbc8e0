"""All numbers of a run so far."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..study.diagnose import diagnose


class History:
    """All numbers of a run so far, in the form of a Result."""

    def __init__(self) -> None:
        self._metrics: dict[str, list[float]] = {}
        self._env_steps: list[int] = []
        self._returns: list[float] = []
        self.rung: dict[str, int] = {}  # alarm -> environment step at which it was first seen to ring

    @classmethod
    def of(cls, result: Any) -> Self:
        """All of a finished run, its Result or Run."""
        history = cls()
        metrics = {name: numbers.tolist() for name, numbers in result.metrics.items()}
        history.add(metrics, result.episodes["env_step"].tolist(), result.episodes["episodic_return"].tolist())
        return history

    def add(self, metrics: Mapping[str, list[float]], env_steps: Any, returns: Any) -> None:
        """Append what a report brings."""
        for name, numbers in metrics.items():
            self._metrics.setdefault(name, []).extend(numbers)
        self._env_steps.extend(env_steps)
        self._returns.extend(returns)

    @property
    def metrics(self) -> dict[str, NDArray[np.float64]]:
        """Name -> one number an update, [U]."""
        return {name: np.array(numbers) for name, numbers in self._metrics.items()}

    @property
    def episodes(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Environment step at the end of each episode, and its return, [E] each."""
        return np.array(self._env_steps, dtype=np.int64), np.array(self._returns, dtype=np.float64)

    @property
    def updates(self) -> int:
        """Updates so far."""
        return len(self._metrics.get("charts/env_step", ()))

    @property
    def env_step(self) -> int:
        """Environment steps so far."""
        return int(self._metrics["charts/env_step"][-1]) if self.updates else 0

    def recent_return(self, window: int = 100) -> float | None:
        """Mean return of the last episodes; None before the first has ended."""
        return float(np.mean(self._returns[-window:])) if self._returns else None

    def look_for_alarms(self) -> None:
        """Note the alarms that ring now."""
        for alarm in diagnose(self.metrics) if self.updates else ():
            self.rung.setdefault(alarm, self.env_step)
