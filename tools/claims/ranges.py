"""Lesson 06, table of section 6.2: ranges of the diagnostics of healthy runs, by preset.

It trains nothing of its own: the runs are those of the studies of lessons 03, 04 and 05.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pgcourse import a2c, ppo
from pgcourse.study.seeds import Run

from .factorial import SHOWN
from .runs import kept_runs
from .study import IQM, Metric, Study, last_mean, metric_values, steps_to

KL, CLIPFRAC, ENTROPY, EXPLAINED = SHOWN[:4]
POLICY_NORM, CRITIC_NORM = "losses/policy_grad_norm", "losses/critic_grad_norm"
STUDY = Study(
    description="What the diagnostics of healthy runs are: PPO on CartPole-v1, A2C on CartPole-v1 and PPO on Pendulum-v1, from "
    "the runs of lessons 03 to 05. Each number is a quantile over the updates of one run.",
    variants={"cartpole": ppo.CARTPOLE},
    metrics={"last_100": Metric("return", [IQM], last_mean)},
    every=2000,
    until=200_000,
    x="env_step",
    window=100,
)
# Preset -> (its name in the study that ran it, settings).
PRESETS: Mapping[str, tuple[str, Any]] = {
    "ppo": ("cartpole", ppo.CARTPOLE),
    "a2c": ("cartpole", a2c.CARTPOLE),
    "pendulum": ("pendulum", ppo.PENDULUM),
}
QUANTILES = {"low": 0.05, "middle": 0.5, "high": 0.95}
UNITS = {
    KL: "nats",
    CLIPFRAC: "of the rows",
    ENTROPY: "nats",
    EXPLAINED: "of the variance",
    POLICY_NORM: "gradient norm",
    CRITIC_NORM: "gradient norm",
    "charts/ratio_std": "ratio",
    "charts/advantage_std": "reward",
}


def range_values(preset: str, runs: Sequence[Run]) -> dict[str, Any]:
    """Entries "PRESET/METRIC/low", "/middle" and "/high" of "values": quantiles over a run's updates."""
    found = {}
    for name, unit in UNITS.items():
        if name not in runs[0].metrics:
            continue
        for key, share in QUANTILES.items():
            quantile = Metric(unit, [IQM], lambda run, name=name, share=share: _quantile(run, name, share))  # type: ignore[misc]
            found[f"{preset}/{name.partition('/')[2]}/{key}"] = metric_values(quantile, runs)
    return found


def _quantile(run: Run, name: str, share: float) -> float:
    return float(np.nanquantile(run.metrics[name], share))


def learning_values(preset: str, runs: Sequence[Run]) -> dict[str, Any]:
    """The same for explained variance over the updates before CartPole is solved: after that there is no variance left.

    "PRESET/explained_variance_learning/low" and so on.
    """
    return {
        f"{preset}/explained_variance_learning/{key}": metric_values(
            Metric(UNITS[EXPLAINED], [IQM], lambda run, share=share: _quantile(while_learning(run), EXPLAINED, share)),
            runs,  # type: ignore[misc]
        )
        for key, share in QUANTILES.items()
    }


def while_learning(run: Run) -> Run:
    """The run's metrics up to where the mean of 100 episodes first reaches 475; all of them where it never does."""
    steps = steps_to(run, 475) or np.inf
    before = run.metrics["charts/env_step"] <= steps
    return replace(run, metrics={name: numbers[before] for name, numbers in run.metrics.items()})


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Read all runs, or train what is not there. Returns: the content of `claims/ranges.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    for preset, (name, config) in PRESETS.items():
        runs = kept_runs({name: config}, content["seeds"], seams={}, num_workers=num_workers)[name]
        content["values"] |= range_values(preset, runs)
        if preset != "pendulum":
            content["values"] |= learning_values(preset, runs)
    return content
