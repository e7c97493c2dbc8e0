"""Wrong answers to episodes_to_threshold."""

from __future__ import annotations

import numpy as np
import torch

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_07.episodes_to_threshold_parts import (
    convolved,
    first_of_none,
    first_of_none_unless_short,
    first_window,
    mean_so_far,
    mean_so_far_after_a_window,
    stays,
    unfolded,
    zeros_in_front,
)

MISCONCEPTIONS = (
    Misconception(
        "index-for-number",
        "You returned the index of the last episode in the window. Indices begin at 0, so the number of episodes played is "
        "one more.",
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
        "You looked for the first single episode that reaches the threshold. One episode may be luck, which is why the mean of "
        "the last `window` episodes decides.",
        first_window(measure=lambda window: window[-1], ends=lambda episodes, window: range(1, episodes + 1)),
        (first_window(measure=lambda window: window[-1]),),
    ),
    Misconception(
        "mean-since-the-start",
        "You averaged all episodes since the start. The bad ones from the beginning would weigh for ever, and a late learner "
        "would look later than it is. Average the last `window` only.",
        mean_so_far,
        (mean_so_far_after_a_window,),
    ),
    Misconception(
        "short-windows-count",
        "You accept means of fewer than `window` episodes at the beginning. One lucky first episode would then do: begin when "
        "`window` episodes have been played.",
        first_window(ends=lambda episodes, window: range(1, episodes + 1)),
    ),
    Misconception(
        "zeros-in-front",
        "Your first windows are filled up with zeros, as convolutions and running sums do. With negative returns (Pendulum) a "
        "0 is better than any of them. Begin when `window` episodes have been played.",
        zeros_in_front,
    ),
    Misconception(
        "windows-side-by-side",
        "You cut the episodes into blocks that do not overlap, and looked only at the end of each. The window moves on by one "
        "episode at a time.",
        first_window(ends=lambda episodes, window: range(window, episodes + 1, window)),
    ),
    Misconception(
        "last-window-missed",
        "You never look at the last window: the loop ends one too early. A run that reaches the threshold with its very last "
        "episode has reached it.",
        first_window(ends=lambda episodes, window: range(window, episodes)),
    ),
    Misconception(
        "last-instead-of-first",
        "You returned the last time, or the time from which on the mean stays above. Asked for is the first, even where the "
        "agent gets worse again; that it does is another question.",
        first_window(pick=lambda found: found[-1]),
        (stays,),
    ),
    Misconception(
        "windows-counted",
        "You counted how many windows reach the threshold. Asked for is how many episodes it took until the first one did.",
        first_window(pick=len),
    ),
    Misconception(
        "every-episode-above",
        "You ask that each episode of the window reaches the threshold. Their mean decides; single ones may lie below.",
        first_window(measure=min),
    ),
    Misconception(
        "any-episode-above",
        "You ask that the best episode of the window reaches the threshold. Their mean decides; one lucky episode is not "
        "enough.",
        first_window(measure=max),
    ),
    Misconception(
        "median-for-mean",
        "You took the median of the window. The usual thresholds (195, 475) are about the mean of the last 100.",
        first_window(measure=lambda window: float(np.median(window))),
        (first_window(measure=lambda window: float(torch.tensor(window).median())),),
    ),
    Misconception(
        "sum-for-mean",
        "You compared the sum of the window with the threshold. The threshold is a return for each episode: divide by `window`.",
        first_window(measure=sum),
    ),
    Misconception(
        "number-for-never",
        "Where the threshold is never reached you returned a number (-1, 0, the number of episodes, infinity). An average over "
        "runs would take it for a result. Return None, which cannot be mistaken.",
        first_window(never=lambda episodes, window: -1),
        (
            first_window(never=lambda episodes, window: 0),
            first_window(never=lambda episodes, window: episodes),
            first_window(never=lambda episodes, window: float("inf")),
            first_window(never=lambda episodes, window: float("nan")),
            first_window(never=lambda episodes, window: False),
        ),
    ),
    Misconception(
        "first-of-none",
        "Where no window reaches the threshold you return `window`: argmax of nothing but False is 0. Ask first whether there "
        "is one.",
        first_of_none_unless_short,
        (first_of_none,),
    ),
    Misconception(
        "fewer-than-a-window",
        "With fewer episodes than `window` your code fails or makes up a window. Nothing has been reached then: return None. "
        "np.convolve exchanges its two inputs where the second is longer.",
        unfolded,
        (convolved("valid"),),
    ),
)
