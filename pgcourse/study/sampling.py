"""Small experiments drawn from many runs: what three seeds say, and how often they say the wrong thing."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InvalidInput
from ..statistics import bootstrap_interval, interquartile_mean

RESAMPLES = 400  # of a bootstrap inside a simulation; an interval that is shown uses more


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
