"""The study behind lesson 03: what the critic, lambda, the entropy bonus and the boundary rules do, over ten seeds."""

from typing import Any

import numpy as np

from pgcourse.study.seeds import Run

from .a2c_variants import ONLINE_STEPS, PRIZE_PROBABILITY, SEAMS, VARIANTS
from .summary import (
    IQM,
    OF_RETURN,
    TO_THRESHOLD,
    Metric,
    Study,
    best_mean,
    episodes_to,
    held_out,
    last_mean,
    metric_mean,
    steps_to,
)

EPISODES = 1000  # the last update of a run may bring more
ENTROPY, EXPLAINED = "losses/entropy", "losses/explained_variance"
OF_THE_CORRIDOR = ("prize_probability", "wrong_corridor", "updates_to_90")
VALUE, RETURN = "charts/value_mean", "charts/return_mean"


def prize_probability(run: Run) -> float | None:
    """Probability of the right corridor after the last update; None on CartPole."""
    series = run.metrics.get(PRIZE_PROBABILITY)
    return None if series is None else float(series[-1])


def wrong_corridor(run: Run) -> float | None:
    """The same where it is below one half; else None."""
    probability = prize_probability(run)
    return probability if probability is not None and probability < 0.5 else None


def updates_to_90(run: Run) -> int | None:
    """Updates after which the right corridor first has a probability of 0.9; None where it never has."""
    series = run.metrics.get(PRIZE_PROBABILITY)
    if series is None or series.max() < 0.9:
        return None
    return int(np.argmax(series >= 0.9)) + 1


def explained_late(run: Run) -> float | None:
    """Mean explained variance over the last half of the updates where it is defined; None where it never is."""
    series = run.metrics[EXPLAINED]
    late = series[len(series) // 2 :]
    return float(np.nanmean(late)) if np.isfinite(late).any() else None  # a batch of one row has no variance


def early_return(run: Run) -> float:
    """Mean return of the last 20 episodes that ended within the steps of the online variant."""
    early = run.episodes["env_step"] <= ONLINE_STEPS
    return float(run.episodes["episodic_return"][early][-20:].mean())


STUDY = Study(
    description="A2C on CartPole-v1 for 1,000 episodes, with one change at a time (no entropy bonus, lambda 0 and 1, truncation "
    "taken for an end, every end bootstrapped), the long corridor with four values of lambda, and the online actor-critic "
    "for 10,000 steps with and without clipped gradients.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics={
        "episodes_to_475": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 475, EPISODES)),
        "episodes_to_195": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 195, EPISODES)),
        "steps_to_475": Metric("steps", [IQM, "count"], lambda run: steps_to(run, 475)),
        "last_100": Metric("return", OF_RETURN, lambda run: last_mean(run, EPISODES)),
        "best_100": Metric("return", OF_RETURN, lambda run: best_mean(run, EPISODES)),
        "early": Metric("return", OF_RETURN, early_return),
        "held_out": Metric("return", OF_RETURN, held_out),
        "last_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, ENTROPY, last=100)),
        "last_value": Metric("reward", [IQM], lambda run: metric_mean(run, VALUE, last=100)),
        "explained_late": Metric("of the variance", [IQM], explained_late),
        "prize_probability": Metric("probability", [IQM, "count"], prize_probability),
        "wrong_corridor": Metric("probability", ["count"], wrong_corridor),
        "updates_to_90": Metric("updates", [IQM, "count"], updates_to_90),
    },
    every=10,
    until=EPISODES,
    diagnosed={
        "cartpole": (ENTROPY, EXPLAINED, VALUE, RETURN),
        "no_entropy": (ENTROPY,),
        "patient": (ENTROPY, EXPLAINED, VALUE, RETURN),
        **{name: (PRIZE_PROBABILITY,) for name in VARIANTS if name.startswith("corridor")},
    },
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/a2c.json`, each environment with the numbers that it has."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    content["values"] = {
        name: entry
        for name, entry in content["values"].items()
        if name.startswith("corridor") == (name.partition("/")[2] in OF_THE_CORRIDOR)
    }
    return content
