"""What a learning curve says in words: what was reached, beside the reference and a random agent, and what to do next."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

WINDOW = 50  # episodes in the average where no reference says how many it took
FAR_BELOW = 0.4  # of a random agent's return: below it by more, something works against learning
# Of the way from a random agent to the interval's lower end. Single runs scatter more widely than the interval, which is of
# their mean: of 24 right runs (units 01 to 05) the lowest ended 0.23 of that way below it, two broken ones 0.66 and 0.81.
NEAR = 0.25
OTHER_SEEDS = "Another seed gives another curve: run the cell with `seed=5` and `seed=6`."
OF_X = {"episode": "episodes", "env_step": "steps"}


def average_window(reference: Mapping[str, Any] | None) -> int:
    """Episodes in the moving average of the curve: those of the reference, so that the two can be compared."""
    return int(reference.get("window", WINDOW)) if reference else WINDOW


def verdict(
    returns: NDArray[np.float64],
    end: float,
    *,
    reference: Mapping[str, Any] | None,
    x_unit: str,
    random: float,
    poor: float,
    good: float,
    advice: str,
) -> str:
    """One or two sentences about a run of at least one episode.

    Args: end: where the curve ends, in `x_unit`. random: mean return of a random agent. poor: below it hardly anything was
    learnt. good: from it on there is nothing to say. advice: where to look when something is wrong.
    """
    window = min(average_window(reference), len(returns))
    last = float(returns[-window:].mean())
    text = f"The last {window} of {len(returns)} episodes returned {last:.0f} on average"
    low = None
    if reference:
        at = int(np.argmin(np.abs(np.asarray(reference["x"]) - end)))
        low = float(reference["low"][at])
        text += f"; at the same number of {OF_X[x_unit]} the reference's interval is {low:.0f} to "
        text += f"{reference['high'][at]:.0f}"
        if low - NEAR * (low - random) <= last < low:
            text += " (of the mean of its runs; a single run scatters around it)"
    if last < random - FAR_BELOW * abs(random):
        return (
            f"{text}. That is far below a random agent's {random:.0f}: it learns the opposite, or the environments are "
            f"disturbed. {advice}"
        )
    if last < poor:
        if low is not None and low <= last:
            return f"{text}. Both are still near a random agent's {random:.0f}: only a longer run can tell."
        return f"{text}. That is near a random agent's {random:.0f}: it has hardly learnt. {advice}"
    if low is not None and last < low - NEAR * (low - random):
        return (
            f"{text}. It learns, but more slowly than the reference: does every exercise pass its check? {advice} "
            "A right solution may be slow with one seed, hardly with three: run the cell with `seed=5` and `seed=6`."
        )
    if last < good:
        return f"{text}. It learns. {OTHER_SEEDS}"
    return f"{text}. Your own functions drove every update of this agent."


def stopped(seconds: float, done: int, planned: int, unit: str) -> str:
    """Why a run ended before its plan, and what to do about it."""
    longer = max(60, round(3 * seconds))
    return (
        f"After {seconds:g} s of computing the time was up, at {done:,} of {planned:,} {OF_X[unit]}; a faster computer gets "
        f"further, `seconds={longer}` gives it longer. That is no fault of your code."
    )
