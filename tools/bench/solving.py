"""When a task counts as solved, and as kept to the end: one definition for every library.

CartPole: the mean of the last 100 training episodes reaches 475; kept: that mean is at least 450 at the end.
Pendulum: the mean of 100 deterministic held-out episodes is at least -200 on a common grid of steps, confirmed on 100
fresh starts; kept: at least -200 at the end. Evaluation time is not counted.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from pgcourse.envs import env_seeds, make_envs
from pgcourse.statistics import episodes_to_threshold

Act = Callable[[np.ndarray], np.ndarray]  # observations [N, D] -> deterministic actions [N, A]


class Grid(NamedTuple):
    """When a policy is looked at, and by which clock its training is timed.

    Fields: every: environment steps. clock: seconds. to_the_end: also after it has solved the task, for a curve.
    """

    every: int
    clock: Callable[[], float] = time.perf_counter
    to_the_end: bool = False


BENCH = Grid(every=5_000)  # the benchmark's own


def pendulum_score(act: Act, *, seed: int) -> float:
    """Mean return of 100 held-out episodes, by our batched environment, for any library's policy."""
    envs = make_envs("Pendulum-v1", 100, seed=0)
    obs, _ = envs.reset(seed=env_seeds(seed, 100, "evaluation"))
    total = 0.0
    for _ in range(200):
        obs, rewards, _, _, _ = envs.step(torch.as_tensor(act(obs.numpy())))
        total += float(rewards.sum())
    return total / 100


class PendulumWatch:
    """Looks at a policy on a common grid of steps; its own time is subtracted from the training time."""

    def __init__(self, act: Act, grid: Grid = BENCH) -> None:
        self.act, self.grid = act, grid
        self.next_step = grid.every
        self.spent = 0.0
        self.solved: tuple[int, float] | None = None  # env steps, training seconds
        self.curve: list[tuple[int, float, float]] = []  # env steps, training seconds, held-out return

    def __call__(self, env_step: int, seconds: float) -> None:
        """Evaluate when a grid point has been passed; `seconds` of training so far, this watch included."""
        if env_step < self.next_step or (self.solved is not None and not self.grid.to_the_end):
            return
        start = self.grid.clock()
        self.next_step = (env_step // self.grid.every + 1) * self.grid.every
        score, training = pendulum_score(self.act, seed=1), seconds - self.spent
        if self.solved is None and score >= -200 and pendulum_score(self.act, seed=2) >= -200:
            self.solved = (env_step, training)
        self.curve.append((env_step, training, score))
        self.spent += self.grid.clock() - start

    def outcome(self) -> dict[str, Any]:
        """The figures of one run; with its curve where the grid is to the end."""
        final = pendulum_score(self.act, seed=3)
        steps, seconds = self.solved if self.solved is not None else (None, None)
        figures = {"solved_steps": steps, "solved_seconds": seconds, "final": final, "kept": final >= -200}
        return figures | ({"curve": self.curve} if self.grid.to_the_end else {})


def cartpole_outcome(returns: np.ndarray, steps: np.ndarray, seconds: np.ndarray) -> dict[str, Any]:
    """The figures of one run from its training episodes, [E] each."""
    episode = episodes_to_threshold(returns, threshold=475)
    final = float(returns[-100:].mean())
    return {
        "solved_episode": episode,
        "solved_steps": None if episode is None else int(steps[episode - 1]),
        "solved_seconds": None if episode is None else float(seconds[episode - 1]),
        "final": final,
        "kept": final >= 450,
    }
