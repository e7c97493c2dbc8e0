"""episodes_to_threshold in exchangeable parts, and whole wrong answers to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

Attempt = Callable[..., Any]


def first_window(
    *,
    measure: Callable[[list[float]], float] = lambda window: sum(window) / len(window),
    reached: Callable[[float, float], bool] = lambda mean, threshold: mean >= threshold,
    ends: Callable[[int, int], range] = lambda episodes, window: range(window, episodes + 1),
    count: Callable[[int, int], Any] = lambda end, window: end,
    never: Callable[[int, int], Any] = lambda episodes, window: None,
    pick: Callable[[list[int]], int] = lambda found: found[0],
) -> Attempt:
    """The right function with some of its parts exchanged. An end is a number of episodes played."""

    def attempt(episodic_returns: Tensor, *, threshold: float, window: int) -> Any:
        returns = episodic_returns.tolist()
        found = [
            end
            for end in ends(len(returns), window)
            if reached(measure(returns[max(end - window, 0) : end]), threshold)
        ]
        return count(pick(found), window) if found else never(len(returns), window)

    return attempt


def mean_so_far(episodic_returns: Tensor, *, threshold: float, window: int) -> int | None:
    """The mean of all episodes since the start."""
    counts = torch.arange(1, len(episodic_returns) + 1)
    reached = (episodic_returns.cumsum(0) / counts >= threshold).nonzero()
    return int(reached[0]) + 1 if len(reached) else None


def mean_so_far_after_a_window(episodic_returns: Tensor, *, threshold: float, window: int) -> int | None:
    """The same, looked at from `window` episodes on."""
    returns = episodic_returns.tolist()
    ends = range(window, len(returns) + 1)
    return next((end for end in ends if sum(returns[:end]) / end >= threshold), None)


def zeros_in_front(episodic_returns: Tensor, *, threshold: float, window: int) -> int | None:
    """A running sum that begins before the first episode."""
    means = np.convolve(episodic_returns.double().numpy(), np.ones(window))[: len(episodic_returns)] / window
    reached = np.flatnonzero(means >= threshold)
    return int(reached[0]) + 1 if reached.size else None


def convolved(mode: str) -> Attempt:
    """NumPy's convolution in one of its modes; with fewer entries than `window` it exchanges the two."""

    def attempt(episodic_returns: Tensor, *, threshold: float, window: int) -> int | None:
        means = np.convolve(episodic_returns.double().numpy(), np.ones(window) / window, mode=mode)  # type: ignore[call-overload]
        reached = np.flatnonzero(means >= threshold)
        return int(reached[0]) + window if reached.size else None

    return attempt


def first_of_none(episodic_returns: Tensor, *, threshold: float, window: int) -> int:
    """argmax of what may be all False."""
    if len(episodic_returns) < window:
        return window
    return int((episodic_returns.unfold(0, window, 1).mean(-1) >= threshold).int().argmax()) + window


def first_of_none_unless_short(episodic_returns: Tensor, *, threshold: float, window: int) -> int | None:
    """The same, with the short case taken care of."""
    if len(episodic_returns) < window:
        return None
    return first_of_none(episodic_returns, threshold=threshold, window=window)


def unfolded(episodic_returns: Tensor, *, threshold: float, window: int) -> int | None:
    """Right, but for fewer episodes than `window`."""
    reached = (episodic_returns.unfold(0, window, 1).mean(-1) >= threshold).nonzero()
    return int(reached[0]) + window if len(reached) else None


def stays(episodic_returns: Tensor, *, threshold: float, window: int) -> int | None:
    """The first episode from which on the mean never falls below the threshold again."""
    returns = episodic_returns.tolist()
    reached = [sum(returns[e - window : e]) / window >= threshold for e in range(window, len(returns) + 1)]
    return next((start + window for start in range(len(reached)) if all(reached[start:])), None)
