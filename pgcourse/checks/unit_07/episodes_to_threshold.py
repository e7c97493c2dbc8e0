"""episodes_to_threshold(episodic_returns, *, threshold, window): when was a task learnt for the first time?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.cases import generator, integers
from pgcourse.checks.compare import CORRECT, Verdict
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.record import Arrays, Case
from pgcourse.checks.observe.statistics import Number
from pgcourse.checks.unit_07.episodes_to_threshold_wrong import MISCONCEPTIONS
from pgcourse.checks.wording import number
from pgcourse.statistics import episodes_to_threshold


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. Only windows of 1, 2 and 4 meet a threshold exactly: their means have no rounding error."""
    for returns, threshold, window in (
        ([1.0, 5.0, 6.0, 7.0], 5.0, 2),
        ([2.0, 1.0, 5.0, 0.0], 3.0, 2),  # exactly, then never again
        ([1.0, 2.0, 3.0], 9.0, 2),  # never
        ([4.0, 4.0], 2.0, 3),  # too short
        ([9.0, 1.0, 2.0, 7.0, 8.0], 7.0, 2),  # a lucky start, then with the last episode
        ([-5.0, -1.0, -3.0, -1.0], -2.0, 2),
        ([7.0, 8.0, 1.0, 9.0, 9.0, 9.0], 4.0, 4),  # with the first window
        ([3.0, 6.0, 4.0], 6.0, 1),
    ):
        yield {"episodic_returns": torch.tensor(returns), "threshold": threshold, "window": window}
    source = generator(seed)
    rising = torch.arange(40) + integers(source, 25, 40)
    yield {"episodic_returns": rising.float(), "threshold": 26.37, "window": 5}
    hill = 30 - (torch.arange(30) - 15).abs() + integers(source, 9, 30)
    yield {"episodic_returns": hill.double() - 60, "threshold": -31.37, "window": 5}


def judge(case: Case, arrays: Arrays) -> Verdict:
    """Compare with the reference. None is an answer like any other here; the kind says what was returned."""
    expected = episodes_to_threshold(case["episodic_returns"], threshold=case["threshold"], window=case["window"])
    wanted = "None" if expected is None else number(expected)
    kind = str(arrays["result.kind"])
    if kind not in ("number", "NoneType"):
        text = f"Your result is a {kind}, expected a number of episodes or None."
        return Verdict(False, f"returns {kind}", text, f"Expected {wanted}.")
    got = float(arrays["result"]) if kind == "number" else None
    if arrays["mutated"].size:
        return Verdict(False, "mutated", "Your function changed its input episodic_returns in place.")
    if got == expected:
        return CORRECT
    shown = "None" if got is None else number(got) if np.isfinite(got) else str(got)
    return Verdict(False, f"returns {shown}", "", f"Got {shown}, expected {wanted}.", "result")


def _with_unfold(episodic_returns: Tensor, *, threshold: float, window: int) -> int | None:
    if len(episodic_returns) < window:
        return None
    reached = (episodic_returns.unfold(0, window, 1).mean(-1) >= threshold).nonzero()
    return int(reached[0]) + window if len(reached) else None


def _with_loop(episodic_returns: Tensor, *, threshold: float, window: int) -> int | None:
    for played in range(window, len(episodic_returns) + 1):
        if episodic_returns[played - window : played].mean() >= threshold:
            return played
    return None


def _with_cumulative_sums(episodic_returns: Tensor, *, threshold: float, window: int) -> Tensor | None:
    totals = torch.cat([torch.zeros(1, dtype=torch.float64), episodic_returns.double().cumsum(0)])
    means = (totals[window:] - totals[:-window]) / window
    reached = torch.nonzero(means >= threshold)
    return reached[0, 0] + window if len(reached) else None


def _with_a_queue(episodic_returns: Tensor, *, threshold: float, window: int) -> float | None:
    last: list[float] = []
    for played, value in enumerate(episodic_returns.tolist(), start=1):
        last = [*last, value][-window:]
        if len(last) == window and sum(last) / window >= threshold:
            return float(played)
    return None


def _with_numpy(episodic_returns: Tensor, *, threshold: float, window: int) -> np.int64 | None:
    values = episodic_returns.numpy()
    if values.size < window:
        return None
    means = np.lib.stride_tricks.sliding_window_view(values, window).mean(axis=1)
    return np.int64(np.argmax(means >= threshold) + window) if (means >= threshold).any() else None


EXERCISE = Exercise(
    id="episodes_to_threshold",
    unit="07",
    title="Episodes to a threshold",
    points=1,
    minutes=10,
    difficulty=2,
    cases=cases,
    observe=Number("episodic_returns, *, threshold, window"),
    judge=judge,
    reference=episodes_to_threshold,
    alternatives=(_with_unfold, _with_loop, _with_cumulative_sums, _with_a_queue, _with_numpy),
    hints=(
        "Work the first case by hand. After 2 episodes the mean of the last two is 3, after 3 it is 5.5. How many episodes "
        "have been played when it first reaches 5?",
        "Loop over how many episodes have been played, from `window` to all of them. The last `window` of them are "
        "episodic_returns[played - window : played]. Return `played` at the first mean that reaches the threshold, and None "
        "after the loop.",
        "for played in range(window, len(episodic_returns) + 1): if episodic_returns[played - window : played].mean() >= "
        "threshold: return played. After the loop: return None",
    ),
    misconceptions=MISCONCEPTIONS,
)
