"""episodes_to_threshold(episodic_returns, *, threshold, window): when was a task learnt for the first time?"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.cases import generator, integers
from pgcourse.checks.compare import CORRECT, Verdict
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.record import Arrays, Case
from pgcourse.checks.observe.statistics import Number
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
        ([1.0, 5.0, 6.0, 1.0, 0.0, 1.0, 1.0], 5.0, 2),  # early, then lost for good
        ([-1e6, 0.01, 0.01, 0.01], 0.005, 2),  # small returns after a disaster
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


def first_window(
    *,
    measure: Callable[[list[float], int, int], float] = lambda r, end, window: sum(r[end - window : end]) / window,
    reached: Callable[[float, float], bool] = lambda mean, threshold: mean >= threshold,
    ends: Callable[[int, int], range] = lambda episodes, window: range(window, episodes + 1),
    pick: Callable[[dict[int, float], list[int]], int | None] = lambda means, found: found[0],
    count: Callable[[Any, int], Any] = lambda end, window: end,
    never: Callable[[int, int], Any] = lambda episodes, window: None,
) -> Callable[..., Any]:
    """The right function with some of its parts exchanged. An end is a number of episodes played."""

    def attempt(episodic_returns: Tensor, *, threshold: float, window: int) -> Any:
        returns = episodic_returns.tolist()
        means = {end: measure(returns, end, window) for end in ends(len(returns), window)}
        found = [end for end, mean in means.items() if reached(mean, threshold)]
        return count(pick(means, found), window) if found else never(len(returns), window)

    return attempt


def for_good(means: dict[int, float], found: list[int]) -> int | None:
    """The number of episodes from which on the mean never falls below the threshold again."""
    return next((end for end in found if all(later in found for later in means if later > end)), None)


def from_one(episodes: int, window: int) -> range:
    """All numbers of episodes played, those before the first full window too."""
    return range(1, episodes + 1)


def centred(episodic_returns: Tensor, *, threshold: float, window: int) -> int | None:
    """NumPy's convolution in the mode "same", which puts each mean into the middle of its window."""
    returns = episodic_returns.double().numpy()
    reached = np.flatnonzero(np.convolve(returns, np.ones(window), mode="same") / window >= threshold)
    return int(reached[0]) + 1 if reached.size and len(returns) >= window else None


EXERCISE = Exercise.listed(
    "episodes_to_threshold",
    cases=cases,
    observe=Number("episodic_returns, *, threshold, window"),
    judge=judge,
    reference=episodes_to_threshold,
    hints=(
        "Work the first case by hand. After 2 episodes the mean of the last two is 3, after 3 it is 5.5. How many episodes "
        "have been played when it first reaches 5?",
        "Loop over how many episodes have been played, from `window` to all of them. The last `window` of them are "
        "episodic_returns[played - window : played]. Return `played` at the first mean that reaches the threshold, and None "
        "after the loop.",
        "for played in range(window, len(episodic_returns) + 1): if episodic_returns[played - window : played].mean() >= "
        "threshold: return played. After the loop: return None",
    ),
    misconceptions=(
        Misconception(
            "index-for-number",
            "You returned the index of the last episode in the window. Indices begin at 0, so the number of episodes played "
            "is one more.",
            first_window(count=lambda end, window: end - 1),
        ),
        Misconception(
            "start-of-the-window",
            "You returned where the window begins. To know its mean, all of its episodes must have been played: the number "
            "counts up to the window's end.",
            first_window(count=lambda end, window: end - window),
            (first_window(count=lambda end, window: end - window + 1),),
        ),
        Misconception(
            "threshold-itself-refused",
            "You ask for a mean above the threshold. Reaching it is enough: the condition is >=. On CartPole nothing is above "
            "500.",
            first_window(reached=lambda mean, threshold: mean > threshold),
        ),
        Misconception(
            "single-episode",
            "You looked for the first single episode that reaches the threshold. One episode may be luck, which is why the "
            "mean of the last `window` episodes decides.",
            first_window(measure=lambda r, end, window: r[end - 1], ends=from_one),
            (first_window(measure=lambda r, end, window: r[end - 1]),),
        ),
        Misconception(
            "mean-since-the-start",
            "You averaged all episodes since the start. The bad ones from the beginning would weigh for ever, and a late "
            "learner would look later than it is. Average the last `window` only.",
            first_window(measure=lambda r, end, window: sum(r[:end]) / end, ends=from_one),
            (first_window(measure=lambda r, end, window: sum(r[:end]) / end),),
        ),
        Misconception(
            "exponential-average",
            "You took an exponential moving average. Every episode since the start keeps a weight in it, and a bad one fades "
            "slowly. Asked for is the plain mean of the last `window` episodes.",
            first_window(measure=lambda r, end, window: functools.reduce(lambda a, v: a + (v - a) / window, r[:end])),
        ),
        Misconception(
            "short-windows-count",
            "You accept means of fewer than `window` episodes at the beginning. One lucky first episode would then do: begin "
            "when `window` episodes have been played.",
            first_window(measure=lambda r, end, window: float(np.mean(r[max(end - window, 0) : end])), ends=from_one),
        ),
        Misconception(
            "filled-with-zeros",
            "Your windows reach beyond the first or the last episode and are filled up with zeros, as convolutions (modes "
            "full and same) do. With negative returns (Pendulum) a 0 is better than any of them. Only full windows count.",
            first_window(measure=lambda r, end, window: sum(r[max(end - window, 0) : end]) / window, ends=from_one),
            (centred,),
        ),
        Misconception(
            "windows-side-by-side",
            "You cut the episodes into blocks that do not overlap, and looked only at the end of each. The window moves on by "
            "one episode at a time.",
            first_window(ends=lambda episodes, window: range(window, episodes + 1, window)),
        ),
        Misconception(
            "last-window-missed",
            "You never look at the last window: the loop ends one too early. A run that reaches the threshold with its very "
            "last episode has reached it.",
            first_window(ends=lambda episodes, window: range(window, episodes)),
        ),
        Misconception(
            "first-window-missed",
            "You never accept the first window: the loop begins one too late, or `if first:` takes the index 0 for nothing "
            "found. A run may be there as soon as `window` episodes have been played.",
            first_window(count=lambda end, window: end if end > window else None),
            (first_window(ends=lambda episodes, window: range(window + 1, episodes + 1)),),
        ),
        Misconception(
            "last-instead-of-first",
            "You returned the last time, the best one, or the time from which on the mean stays above. Asked for is the "
            "first, even where the agent gets better or worse later; what it does then is another question.",
            first_window(pick=lambda means, found: found[-1]),
            (
                first_window(pick=for_good),
                first_window(pick=lambda means, found: max(means, key=lambda end: means[end])),
            ),
        ),
        Misconception(
            "every-episode-above",
            "You ask that each episode of the window reaches the threshold. Their mean decides; single ones may lie below.",
            first_window(measure=lambda r, end, window: min(r[end - window : end])),
        ),
        Misconception(
            "number-for-never",
            "Where the threshold is never reached you returned a number (-1, 0, the number of episodes, infinity). An average "
            "over runs would take it for a result. Return None, which cannot be mistaken.",
            first_window(never=lambda episodes, window: -1),
            (
                first_window(never=lambda episodes, window: episodes),
                *(first_window(never=lambda episodes, window, n=n: n) for n in (0, np.inf, np.nan)),  # type: ignore[misc]
            ),
        ),
        Misconception(
            "first-of-none",
            "Where no window reaches the threshold you return `window`: argmax of nothing but False is 0. Ask first whether "
            "there is one.",
            first_window(never=lambda episodes, window: window if episodes >= window else None),
        ),
        Misconception(
            "fewer-than-a-window",
            "With fewer episodes than `window` your code fails or makes up a window. Nothing has been reached then: return "
            "None.",
            first_window(never=lambda episodes, window: torch.empty(episodes).unfold(0, window, 1)[:0].sum() or None),
        ),
    ),
)
