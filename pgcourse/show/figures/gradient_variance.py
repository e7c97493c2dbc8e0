"""How noisy a gradient estimate is, by what is subtracted from the return."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ...errors import InvalidInput
from ..page.style import PALETTE, new_figure

MARKERS = ("o", "s", "^", "D", "v")
SPREAD = 0.6  # of a row's height that its series share


def variance_ladder(
    rungs: Mapping[str, Sequence[Mapping[str, Any]]],
    series: Sequence[str],
    *,
    x_label: str = "variance of a one-episode gradient, reward-to-go = 1",
    title: str = "",
) -> Figure:
    """One row for each rung, one marker with its 95 % interval for each series, on a logarithmic axis.

    Args: rungs: label -> one figure of a claims file ({"value", "low", "high"}) for each series, from the top row down.
    series: names for the legend, such as stages of training. Raises: InvalidInput where a rung has another number of
    figures than there are series.
    """
    if not rungs or any(len(entries) != len(series) for entries in rungs.values()):
        raise InvalidInput(f"each rung needs one figure for each of {', '.join(series)}")
    rows = np.arange(len(rungs), dtype=np.float64)
    shifts = np.linspace(-0.5, 0.5, len(series)) * SPREAD if len(series) > 1 else np.zeros(1)
    figure, ax = new_figure(height=1.3 + 0.5 * len(rungs))
    for i, name in enumerate(series):
        entries = [each[i] for each in rungs.values()]
        centre = np.array([entry["value"] for entry in entries])
        ends = np.array([[entry["value"] - entry["low"], entry["high"] - entry["value"]] for entry in entries]).T
        ax.errorbar(
            centre,
            rows + shifts[i],
            xerr=ends.clip(min=0),
            fmt=MARKERS[i % len(MARKERS)],
            color=PALETTE[i % len(PALETTE)],
            markersize=6,
            capsize=3,
            label=name,
        )
    ax.axvline(1.0, color="#666666", linewidth=0.8)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    ax.set_yticks(rows, list(rungs))
    ax.set_ylim(len(rungs) - 0.4, -0.6)  # the first rung on top
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(x_label)
    ax.set_title(title, loc="left")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return figure
