"""Small experiments drawn from many runs: what three seeds say, and how often they say the wrong thing."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from ...errors import InvalidInput
from ...statistics import bootstrap_interval, interquartile_mean
from ..page.style import COLOURS, colours_of, new_figure

RESAMPLES = 400  # of a bootstrap inside a simulation; a figure's own uses more


def draw(pool: ArrayLike, size: int, count: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """`count` experiments of `size` runs each, [count, size], drawn with replacement from the runs of a pool [R]."""
    runs = np.asarray(pool, dtype=np.float64)
    if size < 1 or count < 1 or runs.ndim != 1 or not len(runs):
        raise InvalidInput(f"{count} experiments of {size} runs from {runs.shape} do not work; give at least 1 of each")
    return runs[generator.integers(len(runs), size=(count, size))]


def wrong_order(worse: ArrayLike, better: ArrayLike, size: int, *, count: int = 4000, seed: int = 0) -> float:
    """How often an experiment of `size` runs each gives the worse method the higher mean; ties count half."""
    generator = np.random.default_rng(seed)
    low, high = (draw(pool, size, count, generator).mean(axis=1) for pool in (worse, better))
    return float(np.mean((low > high) + 0.5 * (low == high)))


def intervals(experiments: NDArray[np.float64], *, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bootstrap 95 % intervals of the interquartile means of experiments [K, R]: low [K] and high [K]."""
    return bootstrap_interval(experiments, num_resamples=RESAMPLES, generator=np.random.default_rng(seed))


def coverage(pool: ArrayLike, size: int, *, count: int = 1000, seed: int = 0) -> float:
    """How often the 95 % interval of `size` runs holds the pool's own interquartile mean."""
    low, high = intervals(draw(pool, size, count, np.random.default_rng(seed)), seed=seed + 1)
    truth = interquartile_mean(pool)
    slack = 1e-9 * max(abs(truth), 1)  # equal runs: their weighted mean is off by a rounding
    return float(np.mean((low <= truth + slack) & (truth - slack <= high)))


def told_apart(worse: ArrayLike, better: ArrayLike, size: int, *, count: int = 1000, seed: int = 0) -> float:
    """How often the 95 % interval of the difference of interquartile means lies above 0: found, and rightly so."""
    generator = np.random.default_rng(seed)
    low, high = (draw(pool, size, count, generator) for pool in (worse, better))
    picks = [generator.integers(size, size=(RESAMPLES, size)) for _ in range(2)]  # the runs of each are resampled apart
    differences = [
        interquartile_mean(high[:, second], axis=-1) - interquartile_mean(low[:, first], axis=-1)
        for first, second in zip(*picks, strict=True)
    ]
    return float(np.mean(np.quantile(differences, 0.025, axis=0) > 0))


def experiment_figure(pools: Mapping[str, ArrayLike], size: int, number: int, *, x_label: str) -> Figure:
    """Experiment `number` of `size` runs a method: every run, mean with standard deviation, and the interval.

    The dashed line is the interquartile mean of the whole pool, which nobody with `size` runs would know.
    """
    figure, ax = new_figure(height=0.9 + 1.05 * len(pools))
    colours = colours_of(list(pools))
    generator = np.random.default_rng((number, size))
    for height, (label, pool) in enumerate(pools.items()):
        runs, colour = draw(pool, size, 1, generator)[0], colours[label]
        ax.plot(runs, np.full(size, height), ".", color=COLOURS["random"], markersize=8)
        spread = runs.std(ddof=1) if size > 1 else 0.0
        ax.plot([runs.mean() - spread, runs.mean() + spread], [height + 0.2] * 2, color=COLOURS["random"], linewidth=2)
        ax.plot(
            bootstrap_interval(runs), [height - 0.2] * 2, color=colour, linewidth=5, alpha=0.6, solid_capstyle="butt"
        )
        ax.plot(interquartile_mean(runs), height - 0.2, "o", color=colour, markersize=8)
        truth = interquartile_mean(pool)
        ax.plot([truth, truth], [height - 0.42, height + 0.42], "--", color=colour, linewidth=1.5)
    ax.set_yticks(range(len(pools)), list(pools))
    ax.set_ylim(len(pools) - 0.4, -0.6)
    every = np.concatenate([np.asarray(pool) for pool in pools.values()])
    ax.set_xlim(every.min() - 5, every.max() + 5)  # the same axis for every experiment
    ax.set_xlabel(x_label)
    return figure


def sizes_figure(
    sizes: Sequence[int], lines: Mapping[str, Sequence[float]], *, y_label: str, level: float | None = None
) -> Figure:
    """Shares between 0 and 1 against the number of seeds, one line each; `level`: a share to compare with."""
    figure, ax = new_figure(height=3.6)
    colours = colours_of(list(lines))
    for (label, shares), marker in zip(lines.items(), "osD^v", strict=False):
        ax.plot(sizes, shares, marker=marker, color=colours[label], label=label)
    if level is not None:
        ax.axhline(level, color=COLOURS["threshold"], linestyle=":")
    ax.set_xscale("log")
    ax.set_xticks(list(sizes), [str(size) for size in sizes])
    ax.minorticks_off()
    ax.set(xlabel="seeds of each method", ylabel=y_label, ylim=(0, 1.02))
    if len(lines) > 1:
        ax.legend(loc="best")
    return figure
