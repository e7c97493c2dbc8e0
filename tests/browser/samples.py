"""Explainers that need data of a run, with data that a test can make quickly: name -> function that makes one."""

from collections.abc import Callable

import numpy as np

from pgcourse.show.live.explainer import Explainer
from pgcourse.show.live.explainers.step_length import step_length


def line_search() -> Explainer:
    """A direction on which the models are good nearby only, and the surrogate falls in the end."""
    lengths = np.linspace(0, 11, 111)
    return step_length(
        lengths,
        kl=0.009413 * lengths**2 + 0.000817 * lengths**3,
        improvement=0.01207 * lengths - 0.000913 * lengths**2,
        curvature=0.0188,
        slope=0.012,
        max_kl=0.01,
        backtracks=10,
        shrink=0.8,
    )


SAMPLES: dict[str, Callable[[], Explainer]] = {
    "step_length": line_search,
}
