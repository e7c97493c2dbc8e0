"""Answers to episodes_to_threshold, written from the lesson and the stub alone."""

from collections import deque
from math import fsum

import numpy as np
import torch
from torch.nn import functional as F


def wrong_strictly_above(episodic_returns, *, threshold, window):
    """A mean has to be above the threshold, not at it."""
    for end in range(window, len(episodic_returns) + 1):
        if episodic_returns[end - window : end].mean() > threshold:
            return end
    return None


def wrong_partial_windows(episodic_returns, *, threshold, window):
    """A deque of at most `window` returns, which gives a mean from the first episode on."""
    recent = deque(maxlen=window)
    for count, value in enumerate(episodic_returns.tolist(), start=1):
        recent.append(value)
        if sum(recent) / len(recent) >= threshold:
            return count
    return None


def wrong_start_of_the_window(episodic_returns, *, threshold, window):
    """Returns the position where the good window begins."""
    if len(episodic_returns) < window:
        return None
    means = np.lib.stride_tricks.sliding_window_view(episodic_returns.double().numpy(), window).mean(axis=1)
    good = np.flatnonzero(means >= threshold)
    return int(good[0]) if good.size else None


def wrong_index_of_last_episode(episodic_returns, *, threshold, window):
    """Returns the index of the window's last episode, counted from 0, and not how many were played."""
    for i in range(window - 1, len(episodic_returns)):
        if torch.mean(episodic_returns[i - window + 1 : i + 1]).item() >= threshold:
            return i
    return None


def wrong_has_to_stay(episodic_returns, *, threshold, window):
    """Reached means reached for good: the first window after which no later one falls below."""
    answer = None
    for end in range(len(episodic_returns), window - 1, -1):
        if episodic_returns[end - window : end].mean() < threshold:
            break
        answer = end
    return answer


def wrong_never_is_all_episodes(episodic_returns, *, threshold, window):
    """A run that never arrives gets the number of its episodes."""
    E = len(episodic_returns)
    ends = (e for e in range(window, E + 1) if float(episodic_returns[e - window : e].mean()) >= threshold)
    return next(ends, E)


def wrong_argmax_of_nothing(episodic_returns, *, threshold, window):
    """argmax for the first True; where nothing is True it is 0, too."""
    if episodic_returns.numel() < window:
        return None
    means = episodic_returns.unfold(0, window, 1).mean(dim=-1)
    return int((means >= threshold).int().argmax()) + window


def wrong_single_episode(episodic_returns, *, threshold, window):
    """Takes the first single return at the threshold, once `window` episodes are played."""
    for n, value in enumerate(episodic_returns.tolist(), 1):
        if n >= window and value >= threshold:
            return n
    return None


def wrong_disjoint_blocks(episodic_returns, *, threshold, window):
    """Looks every `window` episodes: blocks that do not overlap."""
    blocks = len(episodic_returns) // window
    means = episodic_returns[: blocks * window].reshape(blocks, window).mean(1)
    for k, mean in enumerate(means):
        if mean >= threshold:
            return (k + 1) * window
    return None


def wrong_all_above(episodic_returns, *, threshold, window):
    """Wants every one of the last `window` episodes at the threshold, not their mean."""
    streak = 0
    for count, value in enumerate(episodic_returns, start=1):
        streak = streak + 1 if value >= threshold else 0
        if streak == window:
            return count
    return None


def wrong_mean_since_the_start(episodic_returns, *, threshold, window):
    """The mean of all episodes so far, looked at from the first full window on."""
    counts = torch.arange(1, len(episodic_returns) + 1)
    means = episodic_returns.double().cumsum(0) / counts
    hits = counts[(means >= threshold) & (counts >= window)]
    return hits[0].item() if len(hits) else None


def wrong_last_window_missed(episodic_returns, *, threshold, window):
    """range stops one short, so the window that ends with the last episode is never looked at."""
    returns = episodic_returns.tolist()
    for start in range(len(returns) - window):
        if sum(returns[start : start + window]) / window >= threshold:
            return start + window
    return None


def wrong_bisection(episodic_returns, *, threshold, window):
    """Saves time with a binary search, as if the moving average only rose."""
    low, high = window, len(episodic_returns) + 1
    while low < high:
        middle = (low + high) // 2
        if episodic_returns[middle - window : middle].mean() >= threshold:
            high = middle
        else:
            low = middle + 1
    return low if low <= len(episodic_returns) else None


def wrong_too_short_is_an_error(episodic_returns, *, threshold, window):
    """unfold without a look at the length: fewer episodes than the window raise an error."""
    reached = episodic_returns.unfold(0, window, 1).mean(dim=1) >= threshold
    hits = reached.nonzero().flatten()
    return hits[0].item() + window if len(hits) else None


def wrong_first_window_is_falsy(episodic_returns, *, threshold, window):
    """`if first:` is false for position 0, so a run that is there with the first window has never arrived."""
    first = None
    for start in range(len(episodic_returns) - window + 1):
        if episodic_returns[start : start + window].mean() >= threshold:
            first = start
            break
    if first:
        return first + window
    return None


def wrong_centred_window(episodic_returns, *, threshold, window):
    """numpy's convolution with mode 'same' puts each mean into the middle of its window."""
    if len(episodic_returns) < window:
        return None
    smooth = np.convolve(episodic_returns.double().numpy(), np.ones(window), mode="same") / window
    good = np.nonzero(smooth >= threshold)[0]
    return int(good[0]) + 1 if len(good) else None


def wrong_exponential_average(episodic_returns, *, threshold, window):
    """An exponential moving average with the weight 1 / window instead of a window."""
    average = None
    for count, value in enumerate(episodic_returns.tolist(), 1):
        average = value if average is None else average + (value - average) / window
        if count >= window and average >= threshold:
            return count
    return None


def wrong_float32_running_sum(episodic_returns, *, threshold, window):
    """Differences of one long sum in float32, in which small returns vanish behind large ones."""
    total = torch.cat([torch.zeros(1), episodic_returns.float().cumsum(0)])
    for end in range(window, len(episodic_returns) + 1):
        if (total[end] - total[end - window]) / window >= threshold:
            return end
    return None


def wrong_best_window(episodic_returns, *, threshold, window):
    """Finds the best window of the run, and returns its end if that one reaches the threshold."""
    ends = range(window, len(episodic_returns) + 1)
    if not ends:
        return None
    best = max(ends, key=lambda e: float(episodic_returns[e - window : e].mean()))
    return best if episodic_returns[best - window : best].mean() >= threshold else None


def right_next_of_generator(episodic_returns, *, threshold, window):
    """A generator over the ends of all full windows, its first good one or None; exact sums."""
    r = episodic_returns.tolist()
    ends = range(window, len(r) + 1)
    return next((e for e in ends if fsum(r[e - window : e]) / window >= threshold), None)


def right_sliding_window_view(episodic_returns, *, threshold, window):
    """numpy's sliding windows, in double precision; too few episodes are asked for first."""
    if episodic_returns.shape[0] < window:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(episodic_returns.numpy().astype(np.float64), window)
    hits = np.argwhere(windows.mean(axis=-1) >= threshold)
    return None if hits.size == 0 else int(hits[0, 0] + window)


def right_zero_dim_tensor(episodic_returns, *, threshold, window):
    """unfold, and a whole number as a 0-d tensor."""
    if len(episodic_returns) < window:
        return None
    means = episodic_returns.double().unfold(0, window, 1).mean(-1)
    hits = torch.nonzero(means >= threshold)
    return hits.min() + window if hits.numel() else None


def right_full_deque(episodic_returns, *, threshold, window):
    """A deque that is only asked once it is full."""
    recent = deque(maxlen=window)
    for played, value in enumerate(episodic_returns, start=1):
        recent.append(float(value))
        if len(recent) == window and fsum(recent) / window >= threshold:
            return played


def right_convolution(episodic_returns, *, threshold, window):
    """A one-dimensional convolution with ones in double precision; the longest run of failures is counted off."""
    if len(episodic_returns) < window:
        return None
    sums = F.conv1d(episodic_returns.double()[None, None], torch.ones(1, 1, window, dtype=torch.float64)).flatten()
    below = (sums / window < threshold).long()
    waited = int(below.cumprod(0).sum())
    return None if waited == len(below) else waited + window
