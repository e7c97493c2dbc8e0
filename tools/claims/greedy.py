"""Lesson 03, section 7.2: how long A2C's return on CartPole stays flat, and the most probable action against samples."""

from dataclasses import replace
from typing import Any

import numpy as np

from pgcourse import a2c
from pgcourse.evaluation import evaluate
from pgcourse.statistics import moving_average
from pgcourse.study import comparison
from pgcourse.study.seeds import Run

from .runs import kept_runs
from .study import IQM, OF_RETURN, Metric, Study, held_out, metric_values

CHECKPOINTS = (100, 200, 300, 400, 500)  # episodes
FLAT, SOLVED, WINDOW = 50, 475, 50
EPISODES = 100  # of an evaluation
# Constant learning rates: the run of 100 episodes is then the beginning of the run of 500, and its last policy a checkpoint.
CONSTANT = replace(a2c.CARTPOLE, anneal_lr=False)
VARIANTS = {f"at_{episodes}": replace(CONSTANT, num_episodes=episodes) for episodes in CHECKPOINTS}
LONGEST = f"at_{CHECKPOINTS[-1]}"
ENTROPY, EXPLAINED = "losses/entropy", "losses/explained_variance"


def sampled(run: Run) -> float:
    """Mean return of 100 episodes with sampled actions, from the start states of the held-out return."""
    policy = comparison.policy_of(run, CONSTANT)
    return evaluate(policy, CONSTANT.env_id, num_episodes=EPISODES, seed=run.seed, deterministic=False).mean


def flat_episodes(run: Run) -> int | None:
    """Episodes played when the mean of the last 50 first reached 50."""
    means = moving_average(run.episodes["episodic_return"], WINDOW)
    return int(np.argmax(means >= FLAT)) + 1 if means.max() >= FLAT else None


def flat_updates(run: Run) -> int | None:
    """Updates made by then."""
    episode = flat_episodes(run)
    return None if episode is None else int(run.episodes["env_step"][episode - 1]) // CONSTANT.batch_size


def flat(run: Run, metric: str) -> float | None:
    """Mean of a metric over the last ten updates of the flat line."""
    updates = flat_updates(run)
    return None if updates is None else float(np.nanmean(run.metrics[metric][updates - 10 : updates]))


STUDY = Study(
    description="A2C on CartPole-v1 with constant learning rates: its policies after 100 to 500 episodes, evaluated by "
    "their most probable action and by sampled actions on the same held-out start states, and the time until the return "
    "leaves its flat line.",
    variants=VARIANTS,
    metrics={"greedy": Metric("return", OF_RETURN, held_out), "sampled": Metric("return", OF_RETURN, sampled)},
    every=10,
    until=CHECKPOINTS[-1],
    window=WINDOW,
    diagnosed={LONGEST: (ENTROPY, EXPLAINED)},
)
OF_THE_LONGEST = {
    "flat_episodes": Metric("episodes", [IQM, "best", "worst"], flat_episodes),
    "flat_updates": Metric("updates", [IQM, "best", "worst"], flat_updates),
    "updates": Metric("updates", [IQM], lambda run: len(run.metrics[ENTROPY])),
    "flat_entropy": Metric("nats", [IQM], lambda run: flat(run, ENTROPY)),
    "first_entropy": Metric("nats", [IQM], lambda run: float(run.metrics[ENTROPY][:10].mean())),
    "flat_explained": Metric("of the variance", [IQM], lambda run: flat(run, EXPLAINED)),
    "first_explained": Metric("of the variance", [IQM], lambda run: float(np.nanmean(run.metrics[EXPLAINED][:10]))),
}


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/greedy.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    runs = kept_runs({LONGEST: VARIANTS[LONGEST]}, content["seeds"], seams={}, num_workers=num_workers)[LONGEST]
    content["values"] |= {f"{LONGEST}/{key}": metric_values(metric, runs) for key, metric in OF_THE_LONGEST.items()}
    return content
