"""Conjugate gradient: its residuals, and the spectrum that it works on."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from ...errors import InvalidInput
from ..page.style import COLOURS, OTHERS, new_figure

CONJUGATE, STEEPEST = COLOURS["trpo"], "#0072B2"


def convergence(
    residuals: Mapping[str, ArrayLike], *, usual: int | None = None, tolerance: float | None = None
) -> Figure:
    """Relative residuals over the iterations, one line for each label.

    Args: residuals: label -> [K], from iteration 0. usual: a number of iterations to mark. tolerance: a level to mark.
    Raises: InvalidInput where there is nothing to draw.
    """
    if not residuals:
        raise InvalidInput("no residuals to draw; give {'label': [1.0, 0.3, ...]}")
    figure, ax = new_figure(height=3.9)
    looks = [(CONJUGATE, "-", "o"), (STEEPEST, "--", "s"), *((colour, ":", "^") for colour in OTHERS)]
    for (label, values), (colour, style, marker) in zip(residuals.items(), looks, strict=False):
        heights = np.asarray(values, dtype=np.float64)
        ax.plot(np.arange(len(heights)), heights, style, color=colour, marker=marker, markersize=4, label=label)
    if usual is not None:
        ax.axvline(usual, color=COLOURS["threshold"], linestyle=":", linewidth=1)
    if tolerance is not None:
        ax.axhline(tolerance, color=COLOURS["threshold"], linestyle=":", linewidth=1)
    ax.set(yscale="log", xlabel="iterations", ylabel="‖b − A x‖ / ‖b‖")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="best", fontsize=9)
    return figure


def spectrum(eigenvalues: ArrayLike, *, num_parameters: int, damping: float, shown: int = 60) -> Figure:
    """The largest eigenvalues of F in order, and the damping that is added to each.

    Args: eigenvalues: [K], of any order; tiny negative ones are rounding. num_parameters: P. shown: how many at most.
    """
    ordered = np.sort(np.asarray(eigenvalues, dtype=np.float64))[::-1]
    figure, ax = new_figure(height=3.9)
    rank = np.arange(1, min(len(ordered), shown) + 1)
    above = ordered[: len(rank)] > damping
    heights = np.maximum(ordered[: len(rank)], 1e-12)
    large = int((ordered > damping).sum())
    for chosen, marker, colour, count, words in (
        (above, "o", CONJUGATE, large, "above the damping"),
        (~above, "s", "pg:grey", num_parameters - large, "below it"),
    ):
        ax.plot(rank[chosen], heights[chosen], marker, color=colour, markersize=5, label=f"{count:,} {words}")
    if damping > 0:
        ax.axhline(damping, color="black", linestyle="--", linewidth=1.2, label=f"damping {damping:g}")
    ax.set(yscale="log", xlabel="eigenvalues of F, largest first", ylabel="size")
    ax.set_title(f"{len(rank)} of {num_parameters:,} eigenvalues")
    ax.legend(loc="upper right", fontsize=9)
    return figure
