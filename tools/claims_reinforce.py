"""The study behind lesson 01: what each repair of a naive REINFORCE buys, over ten seeds."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pgcourse.statistics import bootstrap_interval, episodes_to_threshold, interquartile_mean, moving_average
from pgcourse.study.seeds import Run

from .claims_reinforce_variants import SEAMS, SEEDS, VARIANTS
from .claims_runs import kept_runs
from .claims_step_size import step_growth

EPISODES = 1000
WINDOW = 50  # episodes, of the curves' moving average
EVERY = 10  # episodes between two points of a curve
PREFIX = 40  # episodes of the first seed that the test runs again
DIAGNOSED = ("no_baseline", "patient")  # whose gradient norm and entropy the lesson shows

DESCRIPTION = (
    "REINFORCE on CartPole-v1 for 1,000 episodes: the naive version, its repairs one by one, the same with a "
    "baseline, and three ways to spoil it; and how much an update grows with the episode's length."
)
IQM = "interquartile mean"
NORM, ENTROPY = SHOWN = ("losses/policy_grad_norm", "losses/entropy")


class Metric(NamedTuple):
    """One number a run, and how it is summed up over runs."""

    unit: str
    statistics: list[str]
    measure: Callable[[NDArray[np.float64], Run], float | int | None]  # of the episodic returns [E] and the run


def last_mean(returns: NDArray[np.float64]) -> float:
    """Mean of the last 100 episodic returns."""
    return float(returns[-100:].mean())


def best_mean(returns: NDArray[np.float64]) -> float:
    """Highest mean of 100 episodic returns in a row."""
    return float(moving_average(returns, 100)[99:].max())


def collapsed_mean(returns: NDArray[np.float64]) -> float | None:
    """Mean of the last 100 episodic returns where it is below 30, about a random agent's; else None."""
    return last_mean(returns) if last_mean(returns) < 30 else None


TO_THRESHOLD = [IQM, "count", "best", "worst"]
METRICS = {
    "episodes_to_475": Metric("episodes", TO_THRESHOLD, lambda x, run: episodes_to_threshold(x, threshold=475)),
    "episodes_to_195": Metric("episodes", TO_THRESHOLD, lambda x, run: episodes_to_threshold(x, threshold=195)),
    "last_100": Metric("return", [IQM, "best", "worst"], lambda x, run: last_mean(x)),
    "best_100": Metric("return", [IQM, "best", "worst"], lambda x, run: best_mean(x)),
    "lost": Metric("return lost", [IQM, "worst"], lambda x, run: best_mean(x) - last_mean(x)),
    "collapsed": Metric("return", ["count"], lambda x, run: collapsed_mean(x)),
    "clipped": Metric("of updates", [IQM], lambda x, run: float((run.metrics[NORM] > 0.5).mean())),
    "last_entropy": Metric("nats", [IQM], lambda x, run: float(run.metrics[ENTROPY][-100:].mean())),
}


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: what `claims/reinforce.json` holds besides figures and origin."""
    seeds = SEEDS[:num_seeds]
    runs = kept_runs(VARIANTS, seeds, seams=SEAMS, num_workers=num_workers)
    values = {
        f"{name}/{key}": {
            "unit": metric.unit,
            "statistics": metric.statistics,
            "per_seed": [_rounded(metric.measure(episodic_returns(run), run)) for run in runs[name]],
        }
        for name in VARIANTS
        for key, metric in METRICS.items()
    }
    growth = [step_growth(seed) for seed in seeds]
    for name in growth[0]:
        per_seed = [_rounded(each[name]) for each in growth]
        values[f"step/{name}"] = {"unit": "times", "statistics": [IQM], "per_seed": per_seed}
    return {
        "description": DESCRIPTION,
        "seeds": list(seeds),
        "configs": {name: describe_config(name) for name in VARIANTS},
        "values": values,
        "curves": {
            **{name: curve(runs[name]) for name in VARIANTS},
            **{f"{name}/{key}": metric_curve(runs[name], key) for name in DIAGNOSED for key in (NORM, ENTROPY)},
        },
        "prefixes": {name: episodic_returns(runs[name][0])[:PREFIX].astype(int).tolist() for name in VARIANTS},
    }


def describe_config(name: str) -> dict[str, Any]:
    """The settings of a variant, and the functions it replaces, as JSON can hold them."""
    seams = {key: str(getattr(seam, "__name__", seam)) for key, seam in SEAMS.get(name, {}).items()}
    settings = {**dataclasses.asdict(VARIANTS[name]), **seams}
    settings.pop("seed")
    return settings


def curve(runs: Sequence[Run]) -> dict[str, Any]:
    """Moving average of the return: each run's, and their interquartile mean with its interval."""
    ends = np.arange(EVERY, EPISODES + 1, EVERY)
    curves = np.round([moving_average(episodic_returns(run), WINDOW)[ends - 1] for run in runs], 1)
    return {**band(ends, "episode", curves), "window": WINDOW, "per_seed": curves.tolist()}


def metric_curve(runs: Sequence[Run], metric: str) -> dict[str, Any]:
    """A metric of the updates, averaged over EVERY of them at a time: interquartile mean and interval."""
    length = min(len(run.metrics[metric]) for run in runs) // EVERY * EVERY
    curves = np.stack([run.metrics[metric][:length].reshape(-1, EVERY).mean(axis=1) for run in runs])
    return band(np.arange(EVERY, length + 1, EVERY), "update", curves)


def band(x: NDArray[np.int64], x_unit: str, curves: NDArray[np.float64]) -> dict[str, Any]:
    """Interquartile mean over runs [R, X] at each point, with its bootstrap 95 % interval."""
    low, high = bootstrap_interval(curves.T)
    bounds = {"mean": interquartile_mean(curves, axis=0), "low": low, "high": high}
    # Four significant digits: returns go to 500, gradient norms down to 1e-9.
    rounded = {name: [float(f"{number:.4g}") for number in numbers] for name, numbers in bounds.items()}
    return {"x": x.tolist(), "x_unit": x_unit, **rounded, "n": len(curves)}


def episodic_returns(run: Run) -> NDArray[np.float64]:
    """The first 1,000 episodic returns: the last update of a run may bring more."""
    return run.episodes["episodic_return"][:EPISODES]


def _rounded(value: float | None) -> float | int | None:
    return value if value is None or isinstance(value, int) else round(float(value), 4)
