"""Alarms: which metric of a training run, out of which range, means what.

A threshold comes from healthy runs (`derive`), and differs between kinds of run. Where a bug makes a number exactly
zero, the threshold is fixed: nothing but rounding lies below it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]  # one number an update
ROUNDING = 1e-6

# One number out of a series. A NaN, as explained variance is for constant returns, counts for nothing.
STATISTICS: dict[str, Callable[[Series], float]] = {
    "first": lambda x: float(x[0]),
    "highest": lambda x: float(np.nanmax(x)),
    "lowest": lambda x: float(np.nanmin(x)),
    "median": lambda x: float(np.nanmedian(x)),
    "range": lambda x: float(np.nanmax(x) - np.nanmin(x)),
    "mean change": lambda x: float(np.abs(np.diff(x)).mean()) if len(x) > 1 else 0.0,
    "late mean": lambda x: float(np.nanmean(x[-max(len(x) // 4, 1) :])),  # of the last quarter
}


@dataclass(frozen=True)
class Alarm:
    """One row of the table: the alarm rings where the statistic of the metric lies on that side of the threshold.

    Fields:
      metric: a name of `Result.metrics`, or of `derived`. statistic: a name of STATISTICS.
      threshold: a fixed one; None where it is derived from healthy runs, and found in THRESHOLDS.
      at_most: a derived threshold is not set above this, however well the healthy runs do.
      factor: a derived threshold is multiplied by this. families: the only kinds of run that it is for; None for all.
      epochs: looked at only where an update goes over its batch more than once, if the metrics say how often.
      settled: looked at only after SETTLED updates. early: only the first EARLY updates count.
      sentence: what the alarm says, in words.
    """

    id: str
    metric: str
    statistic: str
    side: Literal["above", "below"]
    sentence: str
    threshold: float | None = None
    at_most: float = math.inf
    factor: float = 1.0
    families: tuple[str, ...] | None = None
    epochs: bool = False
    settled: bool = False
    early: bool = False


ALARMS: tuple[Alarm, ...] = (
    Alarm("few-updates", "charts/episodes", "first", "above",
          "the first update has used up many episodes: a budget counted in episodes allows few updates",
          families=("ppo, discrete",)),
    Alarm("kl-high", "losses/approx_kl", "highest", "above",
          "an update moved the policy far from the one that acted: the KL is above that of every healthy run"),
    Alarm("kl-zero", "losses/approx_kl", "highest", "below",
          "the KL is zero in every update: the policy does not move, or is compared with itself", ROUNDING,
          epochs=True),
    Alarm("clip-fraction-high", "losses/clipfrac", "highest", "above",
          "in some update a large share of the ratios left the clip interval"),
    Alarm("ratio-always-one", "charts/ratio_std", "highest", "below",
          "all ratios are 1 in every epoch: the old log-probability is not that of the policy that acted", ROUNDING,
          epochs=True),
    Alarm("entropy-impossible", "perplexity", "first", "above",
          "the first entropy is above the logarithm of a whole number of actions: its formula is wrong", 0.02),
    Alarm("entropy-collapsed", "losses/entropy", "lowest", "below",
          "the policy is nearly deterministic long before a healthy one is", early=True),
    Alarm("entropy-never-falls", "losses/entropy", "lowest", "above",
          "the policy stays undecided: its entropy never falls as in a healthy run", settled=True),
    Alarm("entropy-jumps", "losses/entropy", "mean change", "above",
          "the entropy jumps from one update to the next: the batches have little to do with one another", settled=True),
    Alarm("explained-variance-low", "losses/explained_variance", "highest", "below",
          "the critic never explains the differences between returns", settled=True),
    Alarm("value-offset", "value_offset", "late mean", "above",
          "the mean value is far from the mean return: the critic lags behind", settled=True),
    Alarm("critic-gradient-huge", "losses/critic_grad_norm", "median", "above",
          "the critic's gradient is far larger than in a healthy run: look at the scale of the rewards", factor=10.0),
    Alarm("policy-gradient-zero", "losses/policy_grad_norm", "highest", "below",
          "the policy's gradient is zero: nothing that it does changes its loss", ROUNDING),
    Alarm("return-falls", "return_change", "late mean", "below",
          "returns have fallen since the first update", at_most=0.0, settled=True),
    Alarm("part-not-updated", "smallest_update", "highest", "below",
          "a part of a network has never moved: the optimiser does not know its parameters", ROUNDING),
    Alarm("std-pinned", "charts/action_std", "range", "below",
          "the standard deviation never changes", ROUNDING, settled=True),
    Alarm("std-low", "charts/action_std", "highest", "below",
          "the standard deviation is tiny from the start: the policy hardly explores", 0.2),
    Alarm("std-high", "charts/action_std", "lowest", "above",
          "the standard deviation stays huge: most actions are clipped by the environment", 2.5),
    Alarm("std-collapsed", "charts/action_std", "lowest", "below",
          "the standard deviation falls faster than in a healthy run", early=True),
)  # fmt: skip
BY_ID = {alarm.id: alarm for alarm in ALARMS}

# Kinds of run, told apart by the metrics that they have. For any other kind, only the fixed thresholds count.
OTHER = "other"
FAMILIES = ("ppo, discrete", "ppo, continuous", "a2c", "reinforce")
SETTLED = {"ppo, discrete": 25, "ppo, continuous": 12, "a2c": 80, "reinforce": 10, OTHER: 25}  # updates
EARLY = {"ppo, discrete": 59, "ppo, continuous": 12, "a2c": 160, "reinforce": 50, OTHER: 59}  # updates

# What `derive` makes of the healthy runs in claims/traps.json; a test holds the two together.
THRESHOLDS: dict[str, dict[str, float]] = {
    "ppo, discrete": {
        "few-updates": 42.0, "kl-high": 0.032, "clip-fraction-high": 0.41, "entropy-collapsed": 0.32,
        "entropy-never-falls": 0.57, "entropy-jumps": 0.019, "explained-variance-low": 0.87, "value-offset": 0.059,
        "critic-gradient-huge": 310.0, "return-falls": 0.0,
    },
    "ppo, continuous": {
        "kl-high": 0.032, "clip-fraction-high": 0.3, "explained-variance-low": 0.67, "value-offset": 0.33,
        "critic-gradient-huge": 620.0, "return-falls": -1.8, "std-collapsed": 0.98,
    },
    "a2c": {
        "entropy-collapsed": 0.5, "entropy-never-falls": 0.63, "entropy-jumps": 0.023,
        "explained-variance-low": -0.16, "value-offset": 0.15, "critic-gradient-huge": 320.0, "return-falls": 0.0,
    },
    "reinforce": {
        "entropy-collapsed": 0.15, "entropy-never-falls": 0.72, "entropy-jumps": 0.035, "explained-variance-low": -0.07,
        "value-offset": 0.58, "critic-gradient-huge": 1600.0, "return-falls": -1.2,
    },
    OTHER: {},
}  # fmt: skip


def family_of(metrics: Mapping[str, Series]) -> str:
    """The kind of run that has these metrics."""
    continuous = "charts/action_std" in metrics
    ratios = "losses/approx_kl" in metrics or "losses/clipfrac" in metrics
    if "charts/step_accepted" in metrics or (continuous and not ratios):  # TRPO's line search; no measured kind
        return OTHER
    if ratios:
        return "ppo, continuous" if continuous else "ppo, discrete"
    return "a2c" if "charts/advantage_std" in metrics else "reinforce"


def derived(metrics: Mapping[str, Series]) -> dict[str, Series]:
    """The series that are made of others, where those are there.

    value_offset: distance between mean value and mean return, in units of the mean return.
    return_change: how far the mean return has risen since the first update, in units of that one.
    smallest_update: the smallest update norm among the parts of the networks, each by its largest so far.
    perplexity: exp(entropy) less the nearest whole number, of discrete policies. A uniform one over A actions has A.
    """
    made: dict[str, Series] = {}
    if {"charts/value_mean", "charts/return_mean"} <= metrics.keys():
        returns = np.asarray(metrics["charts/return_mean"], dtype=np.float64)
        made["value_offset"] = np.abs(metrics["charts/value_mean"] - returns) / np.maximum(np.abs(returns), 1e-12)
    if "charts/return_mean" in metrics:
        returns = np.asarray(metrics["charts/return_mean"], dtype=np.float64)
        made["return_change"] = (returns - returns[0]) / max(abs(returns[0]), 1e-12)
    updates = [np.asarray(series) for name, series in metrics.items() if name.startswith("updates/")]
    if updates:
        made["smallest_update"] = np.min([np.maximum.accumulate(series) for series in updates], axis=0)
    if "losses/entropy" in metrics and "charts/action_std" not in metrics:
        perplexity = np.exp(np.asarray(metrics["losses/entropy"], dtype=np.float64))
        made["perplexity"] = perplexity - np.round(perplexity)
    return made


def measure(alarm: Alarm, metrics: Mapping[str, Series], family: str) -> float | None:
    """The number that the alarm compares with its threshold; None where the run does not have it, or not yet.

    Args: metrics: with those of `derived`.
    """
    series = np.asarray(metrics.get(alarm.metric, ()), dtype=np.float64)
    if alarm.families is not None and family not in alarm.families:
        return None
    if alarm.epochs and max(metrics.get("charts/epochs", (2.0,))) <= 1:
        return None  # the KL is taken before each step, so a single one compares the policy with itself
    if alarm.metric == "losses/entropy" and "charts/action_std" in metrics:
        return None  # of a density, whose zero means nothing: look at the standard deviation
    if alarm.early:
        series = series[: EARLY[family]]
    if len(series) < (SETTLED[family] if alarm.settled else 1) or np.isnan(series).all():
        return None
    return STATISTICS[alarm.statistic](series)


def derive(healthy: Sequence[Sequence[float]], side: Literal["above", "below"]) -> float:
    """A threshold from healthy runs: as far beyond the worst of them as that is from their median.

    Args: healthy: for each setting, one number a seed. Returns: the widest of them, rounded outwards to two digits.
    """
    sign, bounds = (1 if side == "above" else -1), []
    for numbers in healthy:
        worst = max(sign * number for number in numbers)
        bounds.append(2 * worst - sign * float(np.median(numbers)))
    return sign * _round_up(max(bounds))


def _round_up(number: float) -> float:
    unit = 10.0 ** (math.floor(math.log10(abs(number))) - 1) if number else 1.0
    return float(f"{math.ceil(number / unit - 1e-9) * unit:.6g}")
