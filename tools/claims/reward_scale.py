"""Lesson 03, section 8.1: A2C on CartPole with rewards of 1 and of 0.2, over forty seeds, since few of them fail."""

from dataclasses import replace
from typing import Any

import numpy as np

from pgcourse import a2c
from pgcourse.study.seeds import Run

from .study import IQM, TO_THRESHOLD, Metric, Study, episodes_to, held_out, last_mean

EPISODES = 1000
UNSCALED = replace(a2c.CARTPOLE, reward_scale=1.0, policy_lr=1e-3)
VARIANTS = {
    "unscaled": UNSCALED,
    "scaled": replace(UNSCALED, reward_scale=a2c.CARTPOLE.reward_scale),
    "preset": a2c.CARTPOLE,
}
EXPLAINED = "losses/explained_variance"
EARLY = slice(20, 120)  # updates: the critic's way up to the values of episodes of a few hundred steps


def kept(run: Run) -> float | None:
    """The last 100 episodes' mean return where it is at least 475; else None."""
    last = last_mean(run, EPISODES)
    return last if last >= 475 else None


STUDY = Study(
    description="A2C on CartPole-v1 for 1,000 episodes, forty seeds: rewards of 1, and rewards of 0.2, with the same learning "
    "rates; and the package's settings, which have a slower policy besides.",
    variants=VARIANTS,
    metrics={
        "kept": Metric("return", ["count"], kept),
        "episodes_to_475": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 475, EPISODES)),
        "held_out": Metric("return", [IQM, "worst"], held_out),
        "early_explained_variance": Metric(
            "of the variance", [IQM], lambda run: float(np.nanmean(run.metrics[EXPLAINED][EARLY]))
        ),
    },
    seeds=tuple(range(200, 240)),
    every=20,
    until=EPISODES,
    diagnosed=dict.fromkeys(VARIANTS, (EXPLAINED,)),
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/reward_scale.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
