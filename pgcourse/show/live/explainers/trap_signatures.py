"""The diagnostics of runs with a bug over those of healthy runs, one bug after the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ....statistics import interquartile_mean
from ....study.traps import Trap
from ....study.traps.table import healthy_name
from ...figures.diagnostics import LOGARITHMIC, PANELS, RETURN, VALUE, trap_runs
from .. import chart
from ..explainer import Choice, Explainer

DIGITS = 3  # of a number: more cannot be seen


def figure(trap: str, data: dict[str, Any]) -> chart.Chart:
    """Returns of each seed, then a panel for each metric: the bug in black, healthy runs in colour behind it."""
    chosen = data["traps"][trap]
    healthy = data["healthy"][chosen["healthy"]]
    runs = [(healthy, "vermillion", "healthy", 3, 0.15), (chosen, "ink", "with the bug", 1.6, -0.15)]
    dots = [
        chart.points([place + shift] * len(numbers), numbers, colour, size=2.5, label="" if place else label)
        for run, colour, label, _, shift in runs
        for place, numbers in enumerate(run["returns"])
    ]
    panels = [
        chart.panel(
            chart.axis("", -0.5, 1.5, ticks=[0, 1], names=["in training", "held out"]),
            chart.axis("", *chosen["limits"]["returns"]),
            *dots,
            title="return, a dot a seed",
            height=120,
        )
    ]
    for metric in data["metrics"]:
        if metric not in chosen["limits"]:
            continue
        marks = []
        for run, colour, _, width, _ in runs:
            for name, dash in ((metric, "5 4" if metric == data["value"] else ""), (data["return"], "")):
                if (name == metric or metric == data["value"]) and (curve := run["curves"].get(name)):
                    marks.append(chart.area(run["x"], curve["low"], curve["high"], colour))
                    marks.append(chart.line(run["x"], curve["mean"], colour, dash=dash, width=width))
        log = metric in chosen["logarithmic"]
        panels.append(
            chart.panel(
                chart.axis("", *chosen["updates"]), chart.axis("", *chosen["limits"][metric], log=log), *marks,
                title=data["titles"][metric], height=120,
            )
        )  # fmt: skip
    ill, well = chosen["middle"], healthy["middle"]
    return chart.chart(
        *panels,
        columns=3,
        words=f"{trap}. Return of the last 100 episodes in training: {ill[0]:.0f} with the bug, {well[0]:.0f} healthy; "
        f"on held-out start states: {ill[1]:.0f} and {well[1]:.0f} (interquartile means of ten seeds).",
    )


def trap_signatures(traps: Sequence[Trap], claims: Mapping[str, Any], *, first: Trap) -> Explainer:
    """The explainer with a menu of traps. Args: claims: content of claims/traps.json. first: of the menu."""
    data: dict[str, Any] = {"traps": {}, "healthy": {}, "metrics": list(PANELS), "value": VALUE, "return": RETURN}
    data["titles"] = {metric: f"{words} [{unit}]" for metric, (words, unit) in PANELS.items()}
    for trap in traps:
        ill, healthy, returns = trap_runs(trap, claims)
        shown = [metric for metric in PANELS if metric in ill or metric in healthy]
        for place, (run, curves) in enumerate(((data["traps"], ill), (data["healthy"], healthy))):
            of_seeds = [pair[place] for pair in returns.values()]
            run[healthy_name(trap) if place else trap.title] = {
                "curves": {metric: _short(curves[metric]) for metric in (*PANELS, RETURN) if metric in curves},
                "x": [float(update) for update in next(iter(curves.values()))["x"]],  # the same for all metrics
                "returns": of_seeds,
                "middle": [float(interquartile_mean(seeds)) for seeds in of_seeds],
            }
        both = (ill, healthy)
        every = [number for pair in returns.values() for seeds in pair for number in seeds]
        limits = {metric: _limits(metric, both) for metric in shown}
        data["traps"][trap.title] |= {
            "healthy": healthy_name(trap),
            "limits": {metric: ends for metric, (ends, _) in limits.items()} | {"returns": _around(every)},
            "logarithmic": [metric for metric, (_, log) in limits.items() if log],
            "updates": [0, max(float(max(curve["x"])) for run in both for curve in run.values())],
        }
    return Explainer(
        "explainers/trap_signatures",
        figure,
        {"trap": Choice(tuple(data["traps"]), first.title, "trap")},
        data=data,
        alt="Small panels of a buggy run in black over the healthy run in colour: returns of each seed, then the "
        "diagnostics of the updates.",
        caption="Ten seeds each, bands are 95 % intervals; below each panel runs the number of the update. In "
        "the panel of V and G, V is dashed.",
        size=(9.6, 8.4),
    )


def _short(curve: Mapping[str, Any]) -> dict[str, list[float]]:
    return {key: [float(f"{number:.{DIGITS}g}") for number in curve[key]] for key in ("mean", "low", "high")}


def _limits(metric: str, runs: Sequence[Mapping[str, Any]]) -> tuple[list[float], bool]:
    """Both ends of a metric's axis, which no wild number stretches, and whether it is logarithmic."""
    names = (metric, RETURN) if metric == VALUE else (metric,)
    means = [number for run in runs for name in names if name in run for number in run[name]["mean"]]
    means = [float(number) for number in means if np.isfinite(number)]
    if metric in LOGARITHMIC and min(means) > 0 and max(means) > 20 * min(means):
        return [min(means) / 1.5, max(means) * 1.5], True
    if metric == "losses/explained_variance":
        return [max(min(means), -1.0) - 0.05, 1.05], False
    return _around(means), False


def _around(numbers: Sequence[float]) -> list[float]:
    low, high = min(numbers), max(numbers)
    room = 0.08 * (high - low) if high - low > 1e-9 else 0.05
    return [low - room, high + room]
