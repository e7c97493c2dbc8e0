"""A constant is subtracted from the return: how the estimates scatter, and their variance against the constant."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ....errors import InvalidInput
from .. import chart
from ..explainer import Choice, Explainer, Slider

LOW, HIGH = -60, 10  # of the constant [reward]
REACH, WIDTH = 200, 10  # of the histogram and of its bins
TALLEST = 0.5
EQUAL = 0.005  # of a ratio that reads 1.00


def pack(scores: ArrayLike, returns: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """Episodes with the same score and return as one row, and how many there are of each.

    Args: scores: [M], of one parameter. returns: [M]. Raises: InvalidInput where their shapes differ, or all scores are 0.
    """
    scores, returns = (np.asarray(array, dtype=np.float64) for array in (scores, returns))
    if scores.ndim != 1 or scores.shape != returns.shape or not np.any(scores):
        raise InvalidInput(
            f"scores of shape {scores.shape} and returns of shape {returns.shape} do not fit; give two of shape [M], "
            "with a score that is not 0"
        )
    rows, counts = np.unique(np.stack([scores.round(4), returns], axis=1), axis=0, return_counts=True)
    return {"scores": rows[:, 0], "returns": rows[:, 1], "counts": counts.astype(np.float64)}


def figure(p: str, b: float, data: Any) -> chart.Chart:
    """The estimates score * (return - b) of single episodes as a histogram; their variance against b."""
    scores, returns, counts = (np.asarray(data[p][name], dtype=np.float64) for name in ("scores", "returns", "counts"))
    total = counts.sum()

    def spread(constant: float) -> tuple[float, float]:
        """Mean and variance of the estimates with this constant subtracted."""
        estimates = scores * (returns - constant)
        mean = (counts * estimates).sum() / total
        return float(mean), float((counts * (estimates - mean) ** 2).sum() / (total - 1))

    estimates = scores * (returns - b)
    squares = counts * scores**2
    best, mean_return = (squares * returns).sum() / squares.sum(), (counts * returns).sum() / total
    bins = np.clip(np.floor((estimates + REACH) / WIDTH), 0, 2 * REACH // WIDTH - 1).astype(int)
    shares = np.bincount(bins, weights=counts, minlength=2 * REACH // WIDTH) / total
    middles = np.arange(-REACH, REACH, WIDTH) + WIDTH / 2
    mean, variance = spread(b)
    _, at_zero = spread(0.0)
    ratio = variance / at_zero
    grid = range(LOW, HIGH + 1)
    compared = "as much as" if abs(ratio - 1) < EQUAL else "less than" if ratio < 1 else "more than"
    return chart.chart(
        chart.panel(
            chart.axis("estimate from one episode: score · (G − b)", -REACH, REACH),
            chart.axis("share of the episodes", 0, TALLEST),
            chart.bars(middles, shares, "sky", width=0.9 * WIDTH),
            chart.rule("x", mean, "ink", label="their mean"),
        ),
        chart.panel(
            chart.axis("constant b that is subtracted [reward]", LOW, HIGH),
            chart.axis("variance, as multiple of that at b = 0", 0, 2.5),
            chart.line(grid, [spread(each)[1] / at_zero for each in grid], "blue"),
            chart.rule("x", mean_return, "orange", dash="6 4", label="mean return"),
            chart.rule("x", best, "green", dash="2 4", width=2.5, label="least variance"),
            chart.points([b], [ratio], "ink", size=6),
        ),
        words=f"b = {b:.0f}: single estimates scatter by {variance**0.5:.1f} around their mean {mean:+.1f}. The variance is "
        f"{ratio:.2f} times that at b = 0, {compared} without a baseline.",
    )


def baseline_constant(episodes: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Explainer:
    """The figure for these episodes. Args: episodes: what the menu shows -> scores [M] and whole returns [M]."""
    return Explainer(
        "explainers/baseline_constant",
        figure,
        {
            "p": Choice(tuple(episodes), next(iter(episodes)), "probability of going right"),
            "b": Slider(LOW, HIGH, 0, 1, "constant b"),
        },
        alt="Left: a histogram of gradient estimates, one from each episode, with a line at their mean. Right: a parabola, the "
        "variance of the estimates against the constant that is subtracted, with lines at the mean return and at the least "
        "variance.",
        caption="Move b: the histogram becomes narrow and wide again, and its mean stays, but for the luck of finitely many "
        "episodes. The outermost bars hold all that lies beyond. Subtracting the mean return helps; the lowest point of the "
        "parabola is elsewhere.",
        data={name: pack(*pair) for name, pair in episodes.items()},
        size=(7.6, 3.6),
    )
