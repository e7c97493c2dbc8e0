"""Lesson 07, section 5.3: units that ReLU switches off, initial weights, and dropout, in PPO's networks.

How ReLU, torch's own initial weights and a large last layer learn is measured in claims/sensitivity.json and claims/ppo.json;
here are the units that are off under ReLU, and the first update of the others.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pgcourse import ppo
from pgcourse.study.seeds import Run

from .network_parts import (
    counted,
    ddpg_policy,
    dropout_policy,
    he_critic,
    he_policy,
    watched,
    xavier_critic,
    xavier_policy,
)
from .ppo import (
    CLIPFRAC,
    COMPARED,
    ENTROPY,
    KL,
    MILLI,
    SHORT,
    default_critic,
    default_policy,
    large_last_layer,
    late_mean,
    steps_within,
)
from .runs import kept_runs
from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, metric_mean, metric_values

LAST_UPDATES = 10

VARIANTS: dict[str, ppo.PPOConfig] = {
    "relu": replace(SHORT, activation="relu"),
    "dropout": SHORT,
}
SEAMS: dict[str, dict[str, Any]] = {
    "relu": {"update_fn": counted},
    "dropout": {"policy": dropout_policy, "update_fn": watched},
}
# One update each, for what the first policy is like.
FIRST: dict[str, dict[str, Any]] = {
    "first": {},
    "first_large_last": {"policy": large_last_layer},
    "first_default": {"policy": default_policy, "critic": default_critic},
    "first_ddpg": {"policy": ddpg_policy},
    "first_xavier": {"policy": xavier_policy, "critic": xavier_critic},
    "first_he": {"policy": he_policy, "critic": he_critic},
}
BEFORE, BEFORE_CLIPPED = "charts/first_ratio_std", "charts/first_clipfrac"


def at_the_end(name: str) -> Callable[[Run], float]:
    """Mean of a metric over the last updates."""
    return lambda run: metric_mean(run, name, last=LAST_UPDATES)


LEARNING = {
    "late": Metric("return", OF_RETURN, late_mean),
    "held_out": Metric("return", OF_RETURN, held_out),
    "steps_to_475": Metric("environment steps", TO_THRESHOLD, steps_within),
    "kl": Metric(MILLI, [IQM], lambda run: 1000 * metric_mean(run, KL)),
    "clipfrac": Metric("of the rows", [IQM], lambda run: metric_mean(run, CLIPFRAC)),
    "end_entropy": Metric("nats", [IQM], at_the_end(ENTROPY)),
}
UNITS = {
    f"{kind}_{network}": Metric("of the units", [IQM, "worst"], at_the_end(f"charts/{kind}_{network}"))
    for kind in ("off", "dead")
    for network in ("policy", "critic")
}
LIES = {
    "first_ratio_std": Metric("of the ratio", [IQM], lambda run: metric_mean(run, BEFORE)),
    "first_clipfrac": Metric("of the rows", [IQM], lambda run: metric_mean(run, BEFORE_CLIPPED)),
    "end_first_ratio_std": Metric("of the ratio", [IQM], at_the_end(BEFORE)),
    "end_first_clipfrac": Metric("of the rows", [IQM], at_the_end(BEFORE_CLIPPED)),
}
FIRST_METRICS = {
    "entropy": Metric("nats", [IQM], lambda run: float(run.metrics[ENTROPY][0])),
    "kl": Metric(MILLI, [IQM], lambda run: 1000 * float(run.metrics[KL][0])),
}
# ReLU's learning is told in claims/sensitivity.json.
TOLD: dict[str, dict[str, Metric]] = {"relu": UNITS, "dropout": LEARNING | LIES}
STUDY = Study(
    description=f"PPO on CartPole-v1: for {COMPARED:,} environment steps with ReLU, with the share of units that are off, and "
    "with dropout in the policy, with the ratio before an update's first step; for one update with other initial weights.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics={},
    x="env_step",
    every=4096,
    until=98_304,
    window=50,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/networks.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    runs = kept_runs(VARIANTS, content["seeds"], seams=SEAMS, num_workers=num_workers)
    for name, metrics in TOLD.items():
        content["values"] |= {f"{name}/{key}": metric_values(metric, runs[name]) for key, metric in metrics.items()}
    one_update = replace(SHORT, total_timesteps=SHORT.batch_size)
    first = kept_runs(dict.fromkeys(FIRST, one_update), content["seeds"], seams=FIRST, num_workers=num_workers)
    for name, group in first.items():
        content["values"] |= {f"{name}/{key}": metric_values(metric, group) for key, metric in FIRST_METRICS.items()}
    return content
