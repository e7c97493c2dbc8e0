"""The study behind lesson 01: what each repair of a naive REINFORCE buys, over ten seeds."""

from typing import Any

from pgcourse.study.seeds import Run

from .reinforce_variants import SEAMS, VARIANTS
from .step_size import step_growth
from .summary import (
    IQM,
    OF_RETURN,
    TO_THRESHOLD,
    Metric,
    Study,
    best_mean,
    episodes_to,
    last_mean,
    metric_mean,
    rounded,
)

EPISODES = 1000  # the last update of a run may bring more
NORM, ENTROPY = SHOWN = ("losses/policy_grad_norm", "losses/entropy")


def collapsed_mean(run: Run) -> float | None:
    """Mean of the last 100 episodic returns where it is below 30, about a random agent's; else None."""
    last = last_mean(run, EPISODES)
    return last if last < 30 else None


STUDY = Study(
    description="REINFORCE on CartPole-v1 for 1,000 episodes: the naive version, its repairs one by one, the same with a "
    "baseline, and three ways to spoil it; and how much an update grows with the episode's length.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics={
        "episodes_to_475": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 475, EPISODES)),
        "episodes_to_195": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 195, EPISODES)),
        "last_100": Metric("return", OF_RETURN, lambda run: last_mean(run, EPISODES)),
        "best_100": Metric("return", OF_RETURN, lambda run: best_mean(run, EPISODES)),
        "lost": Metric("return lost", [IQM, "worst"], lambda run: best_mean(run, EPISODES) - last_mean(run, EPISODES)),
        "collapsed": Metric("return", ["count"], collapsed_mean),
        "clipped": Metric("of updates", [IQM], lambda run: float((run.metrics[NORM] > 0.5).mean())),
        "last_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, ENTROPY, last=100)),
    },
    every=10,
    until=EPISODES,
    diagnosed={"no_baseline": SHOWN, "patient": SHOWN},
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs, and measure the steps. Returns: the content of `claims/reinforce.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    growth = [step_growth(seed) for seed in content["seeds"]]
    for name in growth[0]:
        per_seed = [rounded(each[name]) for each in growth]
        content["values"][f"step/{name}"] = {"unit": "times", "statistics": [IQM], "per_seed": per_seed}
    return content
