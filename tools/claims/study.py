"""What a study is: configs times seeds, the numbers taken of each run, and learning curves with their intervals."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pgcourse.statistics import bootstrap_interval, episodes_to_threshold, interquartile_mean, moving_average
from pgcourse.study.seeds import Run

from .runs import PREFIX, kept_runs, plain

SEEDS = tuple(range(100, 110))
IQM = "interquartile mean"
TO_THRESHOLD = (IQM, "count", "best", "worst")
OF_RETURN = (IQM, "best", "worst")


@dataclass(frozen=True)
class Metric:
    """One number a run, and how it is summed up over the runs.

    Fields: statistics: names that `study.claims.describe_values` knows. measure: run -> number; None for "never".
    """

    unit: str
    statistics: Sequence[str]
    measure: Callable[[Run], float | int | None]


@dataclass(frozen=True)
class Study:
    """Configs times seeds, the numbers taken of each run, and the grid of the curves.

    Fields:
      seams: config's name -> keyword arguments of `train`.
      x, every, until: the curves' grid, in episodes or environment steps.
      window: episodes in each point's moving average.
      diagnosed: config's name -> metrics of the updates that are kept as curves, each point the mean of
        `updates_a_point` updates.
    """

    description: str
    variants: Mapping[str, Any]
    metrics: Mapping[str, Metric]
    every: int
    until: int
    x: Literal["episode", "env_step"] = "episode"
    window: int = 50
    seams: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seeds: Sequence[int] = SEEDS
    diagnosed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    updates_a_point: int = 10

    def measure(self, *, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
        """Run or read all runs. Returns: what the claims file holds besides figures and origin."""
        seeds = self.seeds[:num_seeds]
        runs = kept_runs(self.variants, seeds, seams=self.seams, num_workers=num_workers)
        return {
            "description": self.description,
            "seeds": list(seeds),
            "configs": {name: self.describe_config(name) for name in self.variants},
            "values": {
                f"{name}/{key}": metric_values(metric, runs[name])
                for name in self.variants
                for key, metric in self.metrics.items()
            },
            "curves": {
                **{name: self.return_curve(runs[name]) for name in self.variants},
                **{
                    f"{name}/{key}": self.metric_curve(runs[name], key)
                    for name, keys in self.diagnosed.items()
                    for key in keys
                },
            },
            "prefixes": {name: plain(runs[name][0].episodes["episodic_return"][:PREFIX]) for name in self.variants},
        }

    def describe_config(self, name: str) -> dict[str, Any]:
        """The settings of a variant, and the functions it replaces, as JSON can hold them."""
        seams = {key: str(getattr(seam, "__name__", seam)) for key, seam in self.seams.get(name, {}).items()}
        settings = {**dataclasses.asdict(self.variants[name]), **seams}
        settings.pop("seed")
        return settings

    def return_curve(self, runs: Sequence[Run]) -> dict[str, Any]:
        """Moving average of the return: each run's, and their interquartile mean with its interval."""
        grid = np.arange(self.every, self.until + 1, self.every)
        smooth = [moving_average(run.episodes["episodic_return"], self.window) for run in runs]
        if self.x == "episode":
            grid = grid[grid <= min(len(run.episodes) for run in runs)]  # a run may be bounded by steps instead
            ended = [grid for _ in runs]
        else:  # how many episodes had ended by each step of the grid
            ended = [np.searchsorted(run.episodes["env_step"], grid, side="right") for run in runs]
            first = max(int(np.argmax(count > 0)) for count in ended)
            grid, ended = grid[first:], [count[first:] for count in ended]
        curves = np.round([line[count - 1] for line, count in zip(smooth, ended, strict=True)], 1)
        return {**band(grid, self.x, curves), "window": self.window, "per_seed": curves.tolist()}

    def metric_curve(self, runs: Sequence[Run], metric: str) -> dict[str, Any]:
        """A metric of the updates: interquartile mean and interval."""
        step = self.updates_a_point
        length = min(len(run.metrics[metric]) for run in runs) // step * step
        curves = np.stack([run.metrics[metric][:length].reshape(-1, step).mean(axis=1) for run in runs])
        if self.x == "env_step":
            return band(runs[0].metrics["charts/env_step"][step - 1 : length : step].astype(int), "env_step", curves)
        return band(np.arange(step, length + 1, step), "update", curves)


def metric_values(metric: Metric, runs: Sequence[Run]) -> dict[str, Any]:
    """An entry of "values": one number a seed."""
    per_seed = [rounded(metric.measure(run)) for run in runs]
    return {"unit": metric.unit, "statistics": list(metric.statistics), "per_seed": per_seed}


def band(x: NDArray[np.int64], x_unit: str, curves: NDArray[np.float64]) -> dict[str, Any]:
    """Interquartile mean over runs [R, X] at each point, with its bootstrap 95 % interval, and the first run's own line."""
    low, high = bootstrap_interval(curves.T)
    bounds = {"mean": interquartile_mean(curves, axis=0), "low": low, "high": high, "first": curves[0]}
    # Four significant digits: returns go to 500, gradient norms down to 1e-9.
    rounded = {name: [float(f"{number:.4g}") for number in numbers] for name, numbers in bounds.items()}
    return {"x": x.tolist(), "x_unit": x_unit, **rounded, "n": len(curves)}


def rounded(value: float | None) -> float | int | None:
    """Four decimals, which is more than any figure shows."""
    return value if value is None or isinstance(value, int) else round(float(value), 4)


def last_mean(run: Run, episodes: int | None = None) -> float:
    """Mean of the last 100 episodic returns, of the first so many episodes where a number is given."""
    return float(run.episodes["episodic_return"][:episodes][-100:].mean())


def collapsed_mean(run: Run, episodes: int | None = None) -> float | None:
    """`last_mean` where it is below 30, about a random agent's; else None."""
    last = last_mean(run, episodes)
    return last if last < 30 else None


def best_mean(run: Run, episodes: int | None = None) -> float:
    """Highest mean of 100 episodic returns in a row."""
    return float(moving_average(run.episodes["episodic_return"][:episodes], 100)[99:].max())


def episodes_to(run: Run, threshold: float, episodes: int | None = None) -> int | None:
    """Episodes played when the mean of the last 100 first reached the threshold."""
    return episodes_to_threshold(run.episodes["episodic_return"][:episodes], threshold=threshold)


def steps_to(run: Run, threshold: float) -> int | None:
    """Environment steps taken when the mean of the last 100 episodes first reached the threshold."""
    episode = episodes_to(run, threshold)
    return None if episode is None else int(run.episodes["env_step"][episode - 1])


def held_out(run: Run) -> float:
    """Mean return of 100 deterministic episodes from held-out start states, after training."""
    return float(run.evaluation.mean())


def metric_mean(run: Run, name: str, last: int | None = None) -> float:
    """Mean of a metric over all updates, or over the last ones."""
    return float(run.metrics[name][-last if last else 0 :].mean())
