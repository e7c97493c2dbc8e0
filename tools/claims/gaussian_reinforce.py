"""Lesson 05, section 5.1: REINFORCE with a Gaussian, on a point that is to be moved to a target and on Pendulum."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.envs.registration import register
from torch import Tensor

from pgcourse import reinforce
from pgcourse.envs import TensorVectorEnv
from pgcourse.registration import NAMESPACE
from pgcourse.study.seeds import Run

from .study import IQM, OF_RETURN, Metric, Study, held_out, last_mean

STEPS, LIMIT = 5, 2.0  # of an episode; of a move


class PointVectorEnv(TensorVectorEnv):
    """N points on a line, to be brought to 0.

    State [N, 2]: place and steps taken. Observation [N, 2]: place and share of the steps left.
    Action [N, 1]: the move, clipped to [-2, 2]. Reward: minus the squared distance after it. Five steps, then the end.
    The best move is minus the place: with it and a width sigma every step costs sigma squared on average.
    """

    start_size = 1

    def __init__(self, num_envs: int = 1, *, max_episode_steps: int = 1000, device: str | torch.device = "cpu") -> None:
        super().__init__(num_envs, max_episode_steps=max_episode_steps, device=device)

    def spaces(self) -> tuple[spaces.Box, spaces.Box]:
        return spaces.Box(-np.inf, np.inf, (2,), np.float32), spaces.Box(-LIMIT, LIMIT, (1,), np.float32)

    def start_states(self, numbers: Tensor) -> Tensor:
        return torch.cat([2 * numbers - 1, torch.zeros_like(numbers)], dim=-1)

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        place = state[:, 0] + actions[:, 0].clamp(-LIMIT, LIMIT)
        taken = state[:, 1] + 1
        return torch.stack([place, taken], dim=-1), -place.square(), taken >= STEPS

    def observe(self, state: Tensor) -> Tensor:
        return torch.stack([state[:, 0], 1 - state[:, 1] / STEPS], dim=-1)


register(f"{NAMESPACE}Point-v0", vector_entry_point=PointVectorEnv)

# The settings of unit 01 but for the size of the batch: five steps an episode are few.
POINT = replace(
    reinforce.CARTPOLE, env_id="Point-v0", num_episodes=None, total_timesteps=64_000, num_envs=16, hidden_sizes=(32, 32)
)
# The best of eight settings on other seeds: discount 0.93 or 0.99, rate 3e-3 or 1e-2, 4 or 12 episodes an update.
PENDULUM = replace(
    reinforce.CARTPOLE, env_id="Pendulum-v1", num_episodes=None, total_timesteps=100_000, hidden_sizes=(32, 32), gamma=0.93,
    policy_lr=1e-2,
)  # fmt: skip
VARIANTS = {
    "point": POINT,
    "point_raw": replace(POINT, baseline=False, normalize_weights=False),
    "pendulum": PENDULUM,
}
STD, NORM = "charts/action_std", "losses/policy_grad_norm"
LAST, EARLY = slice(-50, None), slice(50, 100)  # updates


def last_500(run: Run) -> float:
    """Mean return of the last 500 training episodes."""
    return float(run.episodes["episodic_return"][-500:].mean())


def of_the_width(run: Run) -> float:
    """What the width at the end costs an agent whose mean is exact: minus sigma squared in each of the five steps."""
    return -STEPS * float(run.metrics[STD][-1]) ** 2


def norm_growth(run: Run) -> float:
    """Gradient norm of the last 50 updates over that of updates 51 to 100."""
    return float(run.metrics[NORM][LAST].mean() / run.metrics[NORM][EARLY].mean())


def width_shrinking(run: Run) -> float:
    """Width of updates 51 to 100 over that of the last 50."""
    return float(run.metrics[STD][EARLY].mean() / run.metrics[STD][LAST].mean())


STUDY = Study(
    description="REINFORCE with a Gaussian policy: a point that is moved to a target in five steps, 64,000 steps, with "
    "standardised weights and a baseline and with raw returns; and Pendulum-v1 for 100,000 steps.",
    variants=VARIANTS,
    metrics={
        "held_out": Metric("return", OF_RETURN, held_out),
        "last_100": Metric("return", OF_RETURN, last_mean),
        "last_500": Metric("return", [IQM], last_500),
        "of_the_width": Metric("return", [IQM], of_the_width),
        "last_std": Metric("unit of the action", [IQM], lambda run: float(run.metrics[STD][-1])),
        "norm_growth": Metric("times", [IQM], norm_growth),
        "width_shrinking": Metric("times", [IQM], width_shrinking),
    },
    x="env_step",
    every=1600,
    until=64_000,
    window=100,
    diagnosed=dict.fromkeys(("point", "point_raw"), (STD, NORM)),
    updates_a_point=20,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/gaussian_reinforce.json`; Pendulum without the point's numbers."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    for key in ("last_500", "of_the_width", "norm_growth", "width_shrinking"):
        del content["values"][f"pendulum/{key}"]
    return content
