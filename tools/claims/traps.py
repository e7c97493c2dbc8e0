"""Lesson 06, section 6: each named bug beside its healthy run, and which alarms tell the two apart.

The alarms' thresholds are derived from healthy runs of other seeds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pgcourse import a2c, ppo, reinforce
from pgcourse.study.alarms import ALARMS, FAMILIES, Alarm, derive, derived, family_of, measure
from pgcourse.study.diagnose import diagnose, suspects
from pgcourse.study.seeds import Run
from pgcourse.study.traps import TRAPS
from pgcourse.study.traps.table import healthy_name, ill_name

from .runs import PREFIX, kept_runs, plain
from .study import OF_RETURN, Metric, Study, band, held_out, last_mean, rounded

THRESHOLD_SEEDS = tuple(range(100, 110))
SEEDS = tuple(range(110, 120))
POINTS = 25  # of a curve, at most
SHOWN = (
    "losses/approx_kl", "losses/clipfrac", "losses/entropy", "losses/explained_variance", "losses/policy_grad_norm",
    "losses/critic_grad_norm", "charts/value_mean", "charts/return_mean", "charts/ratio_std", "charts/action_std",
    "charts/episodes",
)  # fmt: skip


# The whole runs of the presets too: alarms have to be silent in them, early and late.
WHOLE = {"cartpole": ppo.CARTPOLE, "pendulum": ppo.PENDULUM, "a2c": a2c.CARTPOLE, "reinforce": reinforce.CARTPOLE}
HEALTHY = {healthy_name(trap): trap.base for trap in TRAPS} | WHOLE
ILL = {ill_name(trap): trap for trap in TRAPS}
SEAMS = {
    **{healthy_name(trap): dict(trap.base_seams) for trap in TRAPS if trap.base_seams},
    **{name: dict(trap.seams) for name, trap in ILL.items() if trap.seams},
}
RETURNS = {
    "last_100": Metric("return", OF_RETURN, last_mean),
    "held_out": Metric("return", OF_RETURN, held_out),
}
STUDY = Study(
    description="Each bug of lesson 06 in short runs beside its healthy run (seeds 110 to 119), and how often the alarms tell "
    "the two apart and name the bug. Their thresholds are derived from healthy runs of seeds 100 to 109.",
    variants=HEALTHY | {name: trap.config for name, trap in ILL.items()},
    seams=SEAMS,
    seeds=SEEDS,
    metrics=RETURNS,
    every=1000,
    until=200_000,
    x="env_step",
)


def worst_so_far(alarm: Alarm, run: Run) -> float | None:
    """What the alarm looks at, at its worst over the run's updates: thresholds hold while a run goes on, too."""
    family = family_of(run.metrics)
    series = {**run.metrics, **derived(run.metrics)}.get(alarm.metric, np.zeros(0))
    context = {"charts/action_std": series} if "charts/action_std" in run.metrics else {}
    found = [measure(alarm, {**context, alarm.metric: series[:count]}, family) for count in range(1, len(series) + 1)]
    numbers = [number for number in found if number is not None]
    if not numbers:
        return None
    return max(numbers) if alarm.side == "above" else min(numbers)


def threshold_values(runs: dict[str, list[Run]]) -> dict[str, dict[str, Any]]:
    """Entries of "values", "ALARM/VARIANT": each healthy run's worst number."""
    values = {}
    for alarm in ALARMS:
        for name, of_seeds in runs.items():
            worst = [worst_so_far(alarm, run) for run in of_seeds]
            if alarm.threshold is None and None not in worst:
                numbers = [float(f"{number:.4g}") for number in worst]  # type: ignore[str-format]
                values[f"{alarm.id}/{name}"] = {"unit": "of the metric", "statistics": ["worst"], "per_seed": numbers}
    return values


def thresholds_from(values: dict[str, dict[str, Any]], families: dict[str, str]) -> dict[str, dict[str, float]]:
    """Thresholds for each kind of run. One that is a setting, the same in all seeds, is none."""
    thresholds: dict[str, dict[str, float]] = {family: {} for family in FAMILIES}
    for family in FAMILIES:
        for alarm in ALARMS:
            healthy = [
                values[f"{alarm.id}/{name}"]["per_seed"]
                for name, its in families.items()
                if its == family and f"{alarm.id}/{name}" in values
            ]
            if any(len(set(numbers)) > 1 for numbers in healthy):
                thresholds[family][alarm.id] = min(alarm.factor * derive(healthy, alarm.side), alarm.at_most)
    return thresholds


def curves_of(name: str, runs: Sequence[Run]) -> dict[str, Any]:
    """Metrics of the updates, for the panels: interquartile mean over the seeds with its interval."""
    curves = {}
    count = min(len(run.metrics["charts/env_step"]) for run in runs)
    kept = np.unique(np.linspace(0, count - 1, min(count, POINTS)).astype(int))
    for metric in SHOWN:
        if metric in runs[0].metrics:
            numbers = np.nan_to_num(np.stack([run.metrics[metric][kept] for run in runs]))
            curves[f"{name}/{metric}"] = band(kept + 1, "update", numbers)
    return curves


def seeds_with(numbers: Sequence[Any]) -> dict[str, Any]:
    """An entry of "values" that counts the seeds with a truth."""
    return {"unit": "seeds", "statistics": ["count"], "per_seed": [1 if number else None for number in numbers]}


def study(
    *, num_workers: int = 1, num_seeds: int | None = None, given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/traps.json`.

    given: that content, where fewer seeds are run: thresholds follow from all seeds, and are then those of its values.
    """
    seams = {name: SEAMS[name] for name in HEALTHY if name in SEAMS}
    calm = kept_runs(HEALTHY, THRESHOLD_SEEDS[:num_seeds], seams=seams, num_workers=num_workers)
    runs = kept_runs(STUDY.variants, SEEDS[:num_seeds], seams=SEAMS, num_workers=num_workers)
    families = {name: family_of(of_seeds[0].metrics) for name, of_seeds in runs.items()}
    values = threshold_values(calm)
    thresholds = thresholds_from(given["values"] if given else values, families)
    alarms: dict[str, list[list[str]]] = {}
    curves: dict[str, Any] = {}
    for name, variant_runs in runs.items():
        rung = [diagnose(run.metrics, thresholds=thresholds[families[name]]) for run in variant_runs]
        alarms[name] = [sorted(each) for each in rung]
        for key, metric in RETURNS.items():
            per_seed = [rounded(metric.measure(run)) for run in variant_runs]
            values[f"{name}/{key}"] = {"unit": metric.unit, "statistics": list(metric.statistics), "per_seed": per_seed}
        values[f"{name}/alarmed"] = seeds_with(rung)
        if name in ILL:
            values[f"{name}/named"] = seeds_with(
                [
                    suspects(each, run.metrics)[:1] == [ILL[name].id]
                    for each, run in zip(rung, variant_runs, strict=True)
                ]
            )
        if name not in WHOLE:
            curves |= curves_of(name, variant_runs)
    return {
        "description": STUDY.description,
        "seeds": list(SEEDS[:num_seeds]),
        "threshold_seeds": list(THRESHOLD_SEEDS[:num_seeds]),
        "configs": {name: STUDY.describe_config(name) for name in STUDY.variants},
        "families": families,
        "thresholds": thresholds,
        "alarms": alarms,
        "values": values,
        "curves": curves,
        "prefixes": {name: plain(of_seeds[0].episodes["episodic_return"][:PREFIX]) for name, of_seeds in runs.items()},
    }
