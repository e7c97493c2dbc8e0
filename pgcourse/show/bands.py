"""One line with a band on given axes, and the finish that every learning curve has."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import ArrayLike, NDArray

from ..errors import InvalidInput
from ..statistics import bootstrap_interval, interquartile_mean
from .style import COLOURS, LINE_STYLES, algorithm_of

POINTS = 200  # of a curve: more cannot be seen, and each costs a bootstrap
X_LABELS = {"episode": "episode", "env_step": "environment steps"}


def band(
    ax: Axes, x: ArrayLike, curves: ArrayLike, *, label: str, colour: str | None = None, style: Any = None
) -> None:
    """Draw R runs as one line with a band: their interquartile mean and its bootstrap 95 % interval.

    One run is a line alone: it has no interval.
    Args: x: [X]. curves: [R, X], or [X] for one run. colour: of matplotlib, or a key of COLOURS; default its
    algorithm's.
    Raises: InvalidInput where the shapes do not fit.
    """
    positions, values = np.asarray(x, dtype=np.float64), np.atleast_2d(np.asarray(curves, dtype=np.float64))
    if values.ndim != 2 or positions.shape != values.shape[1:] or not values.size:
        raise InvalidInput(
            f"x has shape {positions.shape} and curves {np.shape(curves)}; give x [X] and curves [runs, X]"
        )
    keep = _thin(len(positions))
    positions, values = positions[keep], values[:, keep]
    colour, style = _look(label, colour, style)
    ax.plot(positions, interquartile_mean(values, axis=0), color=colour, linestyle=style, label=label)
    if len(values) > 1:
        low, high = bootstrap_interval(values.T, num_resamples=1000)
        ax.fill_between(positions, low, high, color=colour, alpha=0.2, linewidth=0)


def claimed_band(
    ax: Axes, curve: Mapping[str, Any], *, label: str, colour: str | None = None, style: Any = None
) -> None:
    """Draw one curve of a claims file: {"x", "mean", "low", "high", ...}, lists of equal length."""
    colour, style = _look(label, colour, style)
    ax.plot(curve["x"], curve["mean"], color=colour, linestyle=style, label=label)
    ax.fill_between(curve["x"], curve["low"], curve["high"], color=colour, alpha=0.2, linewidth=0)


def caption_of(counts: Sequence[int], smoothing: str = "") -> str:
    """What line and band are, and over how many seeds."""
    seeds = sorted(set(counts))
    number = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    what = f"Line: interquartile mean of {number} seeds. Band: its 95 % bootstrap interval."
    if seeds == [1]:
        what = "Line: one seed, so no interval."
    return what + (f" {smoothing[0].upper()}{smoothing[1:]}." if smoothing else "")


def finish(
    figure: Figure,
    ax: Axes,
    x: str,
    counts: list[int],
    *,
    smoothing: str,
    threshold: float | None,
    title: str | None,
    y_label: str,
) -> None:
    """Threshold, labels, title, legend, and the line below that says what is drawn, over how many seeds."""
    if threshold is not None:
        ax.axhline(
            threshold,
            color=COLOURS["threshold"],
            linestyle=LINE_STYLES["threshold"],
            label=f"threshold {threshold:g}",
        )
    ax.set_xlabel(X_LABELS.get(x, x.replace("_", " ")))
    ax.set_ylabel(y_label)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    if title:
        ax.set_title(title, loc="left")
    ax.legend(loc="best", frameon=False)
    figure.supxlabel(caption_of(counts, smoothing), x=0.01, ha="left", fontsize=9, color="#444444")


def _look(label: str, colour: str | None, style: Any) -> tuple[str, Any]:
    """Colour and line style: as asked, else those of the algorithm that the label names."""
    key = algorithm_of(label) or ""
    colour = COLOURS.get(colour, colour) if colour else COLOURS.get(key, COLOURS["learner"])
    return colour, style if style is not None else LINE_STYLES.get(key, "-")


def _thin(length: int) -> NDArray[np.int64]:
    """At most POINTS indices of a curve, both ends among them."""
    return np.unique(np.linspace(0, length - 1, min(length, POINTS)).round().astype(np.int64))
