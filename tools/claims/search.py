"""A random search with PPO on CartPole, and two pools of many seeds, for lesson 07."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pgcourse import ppo
from pgcourse.study.seeds import Run

from .runs import kept_runs
from .summary import rounded

STEPS = 40_960  # 40 rollouts of the preset, while it still learns
DRAWS = 12
LAST = 50  # episodes in a score
SEARCH_SEEDS = tuple(range(300, 303))
FRESH_SEEDS = tuple(range(310, 320))
POOL_SEEDS = tuple(range(200, 240))
CONFIRMED = 3  # settings that are measured again on fresh seeds
BASE = replace(ppo.CARTPOLE, total_timesteps=STEPS)
POOLS = {"pool_32": BASE, "pool_64": replace(BASE, hidden_sizes=(64, 64))}


def drawn(generator: np.random.Generator) -> dict[str, Any]:
    """One point of the search: rates on a logarithmic scale, over a decade on either side of common values."""
    return {
        "policy_lr": round(float(10 ** generator.uniform(-4, -2)), 6),
        "critic_lr": round(float(10 ** generator.uniform(-3, -1.5)), 6),
        "clip_coef": round(float(generator.uniform(0.1, 0.4)), 2),
        "update_epochs": int(generator.integers(2, 13)),
        "gae_lambda": float(generator.choice([0.9, 0.95, 0.98])),
        "num_steps": int(generator.choice([16, 32, 64])),
    }


def settings() -> dict[str, dict[str, Any]]:
    """The search's points, the same each time."""
    generator = np.random.default_rng(7)
    return {f"search_{number}": drawn(generator) for number in range(DRAWS)}


def score(run: Run) -> float:
    """Mean return of the last 50 episodes, which every run has.

    Not of those that end within the last so many steps: short episodes end there more often than long ones.
    """
    return float(run.episodes["episodic_return"][-LAST:].mean())


def scores(runs: Sequence[Run]) -> list[float | int | None]:
    """One a run."""
    return [rounded(score(run)) for run in runs]


def search(num_seeds: int | None) -> dict[str, Any]:
    """Points, what they scored on the search's seeds, and what the best and the preset score on fresh ones."""
    points = settings()
    configs = {name: replace(BASE, **point) for name, point in points.items()}
    found = kept_runs(configs, SEARCH_SEEDS[:num_seeds], seams={})
    means = {name: float(np.mean([score(run) for run in group])) for name, group in found.items()}
    best = sorted(means, key=lambda name: -means[name])[:CONFIRMED]
    again = kept_runs({name: configs[name] for name in best} | {"preset": BASE}, FRESH_SEEDS[:num_seeds], seams={})
    return {
        "points": points,
        "seeds": list(SEARCH_SEEDS),
        "scores": {name: scores(group) for name, group in found.items()},
        "fresh_seeds": list(FRESH_SEEDS),
        "fresh_scores": {name: scores(group) for name, group in again.items()},
    }


def pools(num_seeds: int | None) -> dict[str, Any]:
    """Scores of two networks over many seeds: to draw small experiments from."""
    seeds = POOL_SEEDS[:num_seeds]
    runs = kept_runs(POOLS, seeds, seams={})
    return {"seeds": list(seeds)} | {name: scores(group) for name, group in runs.items()}
