"""Variants of one experiment side by side: each seed as a dot, the interquartile mean with its interval on top."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ..errors import InvalidInput
from ..statistics import bootstrap_interval, interquartile_mean
from ..study.claims import load_claims
from .style import COLOURS, LINE_STYLES, new_figure

COST_TICKS = (-100, -130, -160, -200, -300, -500, -800, -1200, -1600)


def claimed_effects(
    name: str,
    labels: Mapping[str, str],
    *,
    value: str = "held_out",
    x_label: str = "mean return of 100 held-out episodes",
    colour: str = "ppo",
    reference: str | None = None,
    threshold: float | None = None,
    title: str | None = None,
) -> Figure:
    """One row a variant of `claims/NAME.json`: small dots are seeds, the large one their interquartile mean.

    Args: labels: variant -> row's label, first at the top. value: the number, "VARIANT/value" in the file. reference:
    a variant whose interval is drawn through all rows. threshold: a level to draw. Returns below zero, as costs
    are, stand on a logarithmic axis. Raises: InvalidInput for an unknown variant, or a seed without a number.
    """
    stored = load_claims(name)["values"]
    rows = {label: _numbers(stored, name, f"{variant}/{value}") for variant, label in labels.items()}
    if not rows:
        raise InvalidInput("no variants to draw; give {'variant': 'label'}")
    figure, ax = new_figure(width=8.4, height=0.9 + 0.42 * len(rows))
    for height, numbers in enumerate(rows.values()):
        low, high = bootstrap_interval(numbers)
        ax.plot(numbers, np.full(len(numbers), height), ".", color=COLOURS["random"], markersize=7, alpha=0.6)
        ax.plot([low, high], [height, height], color=COLOURS[colour], linewidth=4, solid_capstyle="butt", alpha=0.6)
        ax.plot(interquartile_mean(numbers), height, "o", color=COLOURS[colour], markersize=8)
    if reference is not None:
        ax.axvspan(
            *bootstrap_interval(_numbers(stored, name, f"{reference}/{value}")), color=COLOURS[colour], alpha=0.12
        )
    if threshold is not None:
        ax.axvline(threshold, color=COLOURS["threshold"], linestyle=LINE_STYLES["threshold"])
    every = np.concatenate(list(rows.values()))
    if every.max() < 0:
        ax.set_xscale("function", functions=(lambda x: -np.log(-np.minimum(x, -1e-9)), lambda y: -np.exp(-y)))
        ax.set_xlim(1.1 * every.min(), every.max() / 1.1)
        ax.xaxis.set_major_locator(FixedLocator([tick for tick in COST_TICKS if 1.1 * every.min() < tick]))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}".replace("-", "−")))
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlabel(x_label)
    if title:
        ax.set_title(title)
    return figure


def _numbers(stored: Mapping[str, Mapping[str, list[float | None]]], name: str, key: str) -> np.ndarray:
    if key not in stored:
        raise InvalidInput(f"no values {key!r} in claims {name!r}; it has {', '.join(sorted(stored))}")
    numbers = stored[key]["per_seed"]
    if None in numbers:
        raise InvalidInput(f"{key}: some seeds have no number; draw a value that every seed has, such as held_out")
    return np.array(numbers, dtype=np.float64)
