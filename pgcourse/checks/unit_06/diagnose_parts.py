"""diagnose in exchangeable parts, from which its wrong answers are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

KL, CLIP_FRACTION, ENTROPY, EXPLAINED = (
    f"losses/{name}" for name in ("approx_kl", "clipfrac", "entropy", "explained_variance")
)
VALUE, RETURN = "charts/value_mean", "charts/return_mean"
ALARMS = (
    "kl-high", "kl-zero", "clip-fraction-high", "entropy-collapsed", "entropy-never-falls", "explained-variance-low",
    "value-offset", "part-not-updated",
)  # fmt: skip

Series = Any  # an array [updates]
Metrics = Mapping[str, Series]
Rule = Callable[[Metrics], bool]


def highest(x: Series) -> float:
    """The largest number that is one."""
    return float(np.nanmax(x))


def lowest(x: Series) -> float:
    """The smallest one."""
    return float(np.min(x))


def offset(value: Series, returns: Series) -> float:
    """Right: each update's distance in units of its return, averaged over the last quarter."""
    return float((np.abs(value - returns) / np.abs(returns))[-(len(value) // 4) :].mean())


def build(
    *,
    most: Callable[[Series], float] = highest,
    least: Callable[[Series], float] = lowest,
    of_explained: Callable[[Series], float] = highest,
    of_updates: Callable[[Series], float] = highest,
    early: int | None = 50,
    settled: int = 25,
    offset_of: Callable[[Series, Series], float] = offset,
    rings: Callable[[float, float], bool] = lambda number, limit: number > limit,
    one_only: bool = False,
    skipped: bool = True,
    gather: Callable[[list[str]], Any] = set,
) -> Callable[[Metrics], Any]:
    """The whole function; the defaults are right.

    Args: early: how many entropies count for a collapse. settled: updates that three rules wait for. rings: number beyond
    limit, for the rules of a highest number. skipped: what is missing is left out. one_only: the first alarm ends it.
    """

    def attempt(metrics: Metrics) -> Any:
        found: list[str] = []

        def ring(alarm: str, rule: Callable[[], bool], *names: str, at_least: int = 1) -> None:
            if one_only and found:
                return
            if skipped and any(len(metrics.get(name, ())) < at_least for name in names):
                return
            if rule():
                found.append(alarm)

        ring("kl-high", lambda: rings(most(metrics[KL]), 0.05), KL)
        ring("kl-zero", lambda: most(metrics[KL]) < 1e-6, KL)
        ring("clip-fraction-high", lambda: rings(most(metrics[CLIP_FRACTION]), 0.5), CLIP_FRACTION)
        ring("entropy-collapsed", lambda: least(metrics[ENTROPY][:early]) < 0.25, ENTROPY)
        ring("entropy-never-falls", lambda: least(metrics[ENTROPY]) > 0.55, ENTROPY, at_least=settled)
        ring("explained-variance-low", lambda: of_explained(metrics[EXPLAINED]) < 0.9, EXPLAINED, at_least=settled)
        ring("value-offset", lambda: offset_of(metrics[VALUE], metrics[RETURN]) > 0.1, VALUE, RETURN, at_least=settled)
        updates = [values for name, values in metrics.items() if name.startswith("updates/")]
        ring("part-not-updated", lambda: any(of_updates(values) < 1e-6 for values in updates))
        return gather(found)

    return attempt
