"""How noisy a gradient estimate is, by what is subtracted from the return."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from ...errors import InvalidInput
from ..page.style import PALETTE, new_figure

MARKERS = ("o", "s", "^", "D", "v")
SPREAD = 0.6  # of a row's height that its series share


def variance_of_baseline(scores: ArrayLike, returns: ArrayLike, baseline: Any) -> NDArray[np.float64]:
    """Variance of the estimates scores * (returns - b), for each constant b.

    Args: scores: [M], one number each (a policy of one parameter). returns: [M], in units of reward. baseline: a number
    or [X]. Returns: the shape of baseline.
    """
    scores, returns = (np.asarray(array, dtype=np.float64) for array in (scores, returns))
    levels = np.asarray(baseline, dtype=np.float64)
    estimates = scores * (returns - levels[..., None])  # [..., M]
    return estimates.var(axis=-1, ddof=1)


def baseline_parabola(scores: ArrayLike, returns: ArrayLike, baseline: float, *, title: str = "") -> Figure:
    """Variance of one-episode estimates against the constant that is subtracted, the chosen one marked.

    Drawn as multiples of the variance at 0, where nothing is subtracted. Vertical lines: the mean return, and the
    constant with the least variance, E[s^2 G] / E[s^2].
    Args: scores, returns: [M], of M episodes under one policy of one parameter. Raises: InvalidInput where their shapes
    differ, or all scores are 0.
    """
    scores, returns = (np.asarray(array, dtype=np.float64) for array in (scores, returns))
    if scores.ndim != 1 or scores.shape != returns.shape or not np.any(scores):
        raise InvalidInput(
            f"scores of shape {scores.shape} and returns of shape {returns.shape} do not fit; give two of shape [M], "
            "with a score that is not 0"
        )
    squares = scores**2
    mean, best = returns.mean(), (squares * returns).mean() / squares.mean()
    at_zero = float(variance_of_baseline(scores, returns, 0.0))
    ends = sorted((1.5 * best, -0.75 * best))
    grid = np.linspace(min(ends[0], baseline), max(ends[1], baseline), 161)
    figure, ax = new_figure(height=3.8)
    ax.plot(grid, variance_of_baseline(scores, returns, grid) / at_zero, color=PALETTE[0])
    ax.axvline(mean, color=PALETTE[4], linestyle="--", label=f"mean return, {mean:.1f}")
    ax.axvline(best, color=PALETTE[2], linestyle=":", linewidth=2.5, label=f"least variance, {best:.1f}")
    chosen = float(variance_of_baseline(scores, returns, baseline)) / at_zero
    ax.plot(baseline, chosen, "o", color="black", markersize=9, label=f"yours, {baseline:.1f}: {chosen:.2f}")
    ax.axhline(1.0, color="#666666", linewidth=0.8)
    ax.set(
        xlabel="constant that is subtracted from the return [reward]",
        ylabel="variance / variance without baseline",
        ylim=(0, 2.5),
        xlim=(grid[0], grid[-1]),
    )
    ax.set_title(title, loc="left")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    return figure


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
