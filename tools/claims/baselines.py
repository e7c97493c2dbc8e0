"""The study behind lesson 02: what a baseline buys, what the critic has to do for it, and how noisy gradients are."""

from typing import Any

import numpy as np

from pgcourse import reinforce
from pgcourse.study.seeds import Run

from .baselines_ladder import ladder
from .baselines_variants import EPISODES, SEAMS, VARIANTS
from .summary import (
    IQM,
    OF_RETURN,
    TO_THRESHOLD,
    Metric,
    Study,
    best_mean,
    episodes_to,
    last_mean,
    rounded,
)

VALUE, RETURN, EXPLAINED = PANELS = ("charts/value_mean", "charts/return_mean", "losses/explained_variance")
POLICY_NORM, CRITIC_NORM = NORMS = ("losses/policy_grad_norm", "losses/critic_grad_norm")


def collapsed_mean(run: Run) -> float | None:
    """Mean of the last 100 episodic returns where it is below 30, about a random agent's; else None."""
    last = last_mean(run, EPISODES)
    return last if last < 30 else None


def explained(run: Run) -> float:
    """Mean explained variance over the updates of the first 400 episodes; 0 without a critic: a constant explains nothing."""
    updates = run.metrics.get(EXPLAINED, np.zeros(1))[: EPISODES // reinforce.CARTPOLE.num_envs]
    return float(np.nanmean(updates))


STUDY = Study(
    description="REINFORCE on CartPole-v1 for 400 episodes: nothing subtracted, constants, a critic; ways to train the "
    "critic, and a bug in it; and the variance of a one-episode gradient by what is subtracted, at stages of training.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics={
        "episodes_to_475": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 475, EPISODES)),
        "episodes_to_195": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 195, EPISODES)),
        "last_100": Metric("return", OF_RETURN, lambda run: last_mean(run, EPISODES)),
        "best_100": Metric("return", OF_RETURN, lambda run: best_mean(run, EPISODES)),
        "explained": Metric("of variance", [IQM], explained),
        "collapsed": Metric("return", ["count"], collapsed_mean),
    },
    every=10,
    until=EPISODES,
    diagnosed={
        "baseline": (*PANELS, *NORMS),
        "slow_critic": PANELS,
        "patient": PANELS,
    },
    updates_a_point=5,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs, and measure the ladder. Returns: the content of `claims/baselines.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    rungs = [ladder(seed) for seed in content["seeds"]]
    for name in rungs[0]:
        per_seed = [rounded(each[name]) for each in rungs]
        content["values"][f"ladder/{name}"] = {"unit": "times", "statistics": [IQM], "per_seed": per_seed}
    return content
