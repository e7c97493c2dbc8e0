"""Comparison of the course's five agents on CartPole: the same number of episodes, the same seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..algorithms import a2c, ppo, reinforce
from ..config import Config
from ..envs import make_envs
from ..networks import make_policy
from ..statistics import (
    bootstrap_interval,
    episodes_to_threshold,
    improvement_interval,
    interquartile_mean,
    probability_of_improvement,
)
from .claims import format_number
from .keep import Run
from .traps import JOINT_CLIPPING

ENV_ID = "CartPole-v1"
SOLVED = 475.0  # mean return of 100 episodes in a row
SEAMS: dict[str, Mapping[str, Any]] = {"ppo_buggy": JOINT_CLIPPING.seams}  # the other two traps are settings of BUGGY


def agents(num_episodes: int) -> dict[str, Any]:
    """Name -> config, in the order of the course. Raises: InvalidInput for a number of episodes below 1."""
    presets: dict[str, Any] = {
        "reinforce_no_baseline": reinforce.CARTPOLE_NO_BASELINE,
        "reinforce": reinforce.CARTPOLE,
        "a2c": a2c.CARTPOLE,
        "ppo": ppo.CARTPOLE,
        "ppo_buggy": ppo.BUGGY,
    }
    # Bounded by episodes alone: what a preset says of steps would stop it early.
    return {name: replace(config, num_episodes=num_episodes, total_timesteps=None) for name, config in presets.items()}


@dataclass(frozen=True)
class Row:
    """What one agent reached, each number over its seeds."""

    name: str
    last: NDArray[np.float64]  # [R] mean return of the last 100 episodes
    held_out: NDArray[np.float64]  # [R] mean return of 100 held-out start states
    solved: NDArray[np.float64]  # [R] episodes until SOLVED; infinite where it never came
    steps: NDArray[np.float64]  # [R] environment steps of all episodes
    better: float  # chance that a run of it ends higher than one of the agent in the row above; NaN in the first
    better_interval: tuple[float, float] = (np.nan, np.nan)  # the chance's bootstrap 95 % interval


def rows_of(runs: Mapping[str, Sequence[Run]], num_episodes: int) -> list[Row]:
    """One row an agent. Only the first `num_episodes` of a run count: a rollout may finish a few more."""
    rows: list[Row] = []
    for name, group in runs.items():
        episodes = [run.episodes[:num_episodes] for run in group]
        returns = [of["episodic_return"] for of in episodes]
        last = np.array([line[-100:].mean() for line in returns])
        held_out = np.array([run.evaluation.mean() for run in group])
        reached = [episodes_to_threshold(line, threshold=SOLVED) for line in returns]
        solved = np.array([np.inf if number is None else number for number in reached])
        steps = np.array([of["env_step"][-1] for of in episodes], dtype=np.float64)
        rows.append(row_of(name, last, held_out, solved, steps, above=rows[-1] if rows else None))
    return rows


def row_of(
    name: str,
    last: NDArray[np.float64],
    held_out: NDArray[np.float64],
    solved: NDArray[np.float64],
    steps: NDArray[np.float64],
    *,
    above: Row | None,
) -> Row:
    """An agent's row, compared with the one above."""
    if above is None:
        return Row(name, last, held_out, solved, steps, np.nan)
    better, interval = probability_of_improvement(last, above.last), improvement_interval(last, above.last)
    return Row(name, last, held_out, solved, steps, better, interval)


def table_of(rows: Sequence[Row], labels: Mapping[str, str], num_episodes: int) -> str:
    """The rows as text: interquartile means with their bootstrap 95 % intervals."""
    head = ["agent", f"last {min(num_episodes, 100)} episodes", "held-out starts", "episodes to 475", "seeds", "steps"]
    cells = [[*head, "P(beats row above)"]]
    for row in rows:
        count = int(np.isfinite(row.solved).sum())
        cells.append(
            [
                labels[row.name],
                estimate(row.last),
                estimate(row.held_out),
                estimate(row.solved),
                f"{count} of {len(row.solved)}",
                format_number(float(interquartile_mean(row.steps))),
                "" if np.isnan(row.better) else "{:.2f} [{:.2f}, {:.2f}]".format(row.better, *row.better_interval),
            ]
        )
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join(lines)


def estimate(values: NDArray[np.float64]) -> str:
    """Interquartile mean and its interval, "289 [274, 301]"; one value alone where there is one run."""

    def text(number: float) -> str:
        return format_number(round(float(number), 1) if np.isfinite(number) else None)

    middle = text(interquartile_mean(values))
    if len(values) == 1 or middle == "never":
        return middle
    low, high = bootstrap_interval(values)
    return f"{middle} [{text(low)}, {text(high)}]"


def middle_run(runs: Sequence[Run]) -> Run:
    """The run whose held-out return is in the middle, the lower one of two: neither the lucky seed nor the unlucky."""
    order = sorted(runs, key=lambda run: (run.evaluation.mean(), run.seed))
    return order[(len(order) - 1) // 2]


def policy_of(run: Run, config: Config) -> nn.Module:
    """The policy that a run ended with."""
    envs = make_envs(config.env_id, 1, seed=0)
    policy = make_policy(
        envs.single_observation_space,
        envs.single_action_space,
        config.hidden_sizes,
        normalize_observations=getattr(config, "normalize_observations", False),
        activation=config.activation,
    )
    envs.close()
    policy.load_state_dict({name: torch.from_numpy(weights) for name, weights in run.policy.items()})
    return policy
