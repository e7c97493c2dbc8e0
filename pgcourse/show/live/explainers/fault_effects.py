"""What each fault does to an outcome, and each set of faults together: seeds, interquartile mean and interval."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....statistics import bootstrap_interval, interquartile_mean
from ...figures.factorial import EFFECTS, FACTORS, FIVE, FIVE_EFFECTS, numbers_of
from .. import chart
from ..explainer import Choice, Explainer


def figure(outcome: str, data: dict[str, Any]) -> chart.Chart:
    """A row for each effect, those of single faults above."""
    chosen = data[outcome]
    rows, limit = chosen["rows"], chosen["limit"]
    marks, told = [], []
    for place, row in enumerate(rows):
        y, colour = float(len(rows) - 1 - place), "blue" if row["single"] else "grey"
        nothing = row["low"] <= 0 <= row["high"]
        marks += [
            chart.points(row["seeds"], [y] * len(row["seeds"]), "pale", size=2.5),
            chart.line([row["low"], row["high"]], [y, y], colour, width=4),
            chart.points([row["mean"]], [y], colour, size=5, hollow=nothing),
        ]
        if not nothing:
            told.append(f"{row['name']} {row['mean']:+.{chosen['digits']}f}")
    return chart.chart(
        chart.panel(
            chart.axis(chosen["label"], -limit, limit),
            chart.axis("", -0.6, len(rows) - 0.4, ticks=range(len(rows)), names=[row["name"] for row in rows[::-1]]),
            chart.rule("x", 0, "grey", dash="2 4"),
            *marks,
            height=30 + 26 * len(rows),
        ),
        words=f"Told from nothing, {len(told)} of {len(rows)}: {', '.join(told)}."
        if told
        else "None is told from nothing.",
    )


def fault_effects(values: Mapping[str, Any], outcomes: Mapping[str, tuple[str, str, str]]) -> Explainer:
    """The explainer with a menu of outcomes.

    Args: values: of claims/factorial.json. outcomes: words of the menu -> (cube, the claim's outcome, label of the axis).
    Raises: InvalidInput for an effect that is not there.
    """
    data = {}
    for words, (cube, outcome, label) in outcomes.items():
        names, single = (FIVE_EFFECTS, FIVE) if cube == "five" else (EFFECTS, FACTORS)
        rows = []
        for key, name in names.items():
            seeds = numbers_of(values, f"effects/{cube}/{outcome}/{key}")
            low, high = bootstrap_interval(seeds)
            rows.append({"name": name, "single": key in single, "seeds": seeds.tolist(), "low": float(low),
                         "high": float(high), "mean": float(interquartile_mean(seeds))})  # fmt: skip
        largest = max(abs(seed) for row in rows for seed in row["seeds"])
        digits = max(0, 2 - int(np.floor(np.log10(largest))))
        data[words] = {"rows": rows, "limit": 1.08 * largest, "label": label, "digits": digits}
    return Explainer(
        "explainers/fault_effects",
        figure,
        {"outcome": Choice(tuple(outcomes), next(iter(outcomes)), "outcome")},
        data=data,
        alt="Effects of the factors and of their interactions, each as ten dots with an interquartile mean and "
        "an interval.",
        caption="Small dots are seeds; a ring is an effect whose interval holds 0. Left of the dotted line a "
        "fault takes something away.",
        size=(8.4, 4.2),
    )
