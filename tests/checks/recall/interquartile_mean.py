"""Answers to interquartile_mean, written from the lesson and the stub alone."""

import statistics

import numpy as np
import torch
from scipy import stats


def wrong_quartile_mask_strict(x):
    """Keeps what lies strictly between the quartiles; runs equal to a quartile fall out."""
    low, high = torch.quantile(x, 0.25), torch.quantile(x, 0.75)
    return x[(x > low) & (x < high)].mean()


def wrong_quartile_mask_inclusive(x):
    """Keeps all runs from quartile to quartile, both included, so ties at a quartile are all kept."""
    values = x.numpy()
    q1, q3 = np.percentile(values, [25, 75])
    return float(values[(q1 <= values) & (values <= q3)].mean())


def wrong_median(x):
    """Takes the middle of the sorted runs for the middle half."""
    ordered = sorted(x.tolist())
    n = len(ordered)
    return (ordered[n // 2 - 1] + ordered[n // 2]) / 2


def wrong_not_sorted(x):
    """Cuts the quarters off the runs in the order in which they come."""
    quarter = len(x) // 4
    return x[quarter:-quarter].mean()


def wrong_sorts_callers_array(x):
    """Sorts through numpy, believing that .numpy() makes a copy."""
    values = x.numpy()
    values.sort()
    quarter = len(values) // 4
    return float(np.mean(values[quarter : 3 * quarter], dtype=np.float64))


def wrong_midhinge(x):
    """Averages the two quartiles: the mean 'of the interquartiles'."""
    return torch.quantile(x, torch.tensor([0.25, 0.75], dtype=x.dtype)).mean()


def wrong_interquartile_range(x):
    """Remembers the interquartile range: third quartile minus first."""
    q = np.quantile(x.double().numpy(), [0.25, 0.75])
    return float(q[1] - q[0])


def wrong_lowest_quarter_only(x):
    """Leaves out the broken runs, the lowest quarter, and keeps the lucky ones."""
    ordered, _ = x.sort()
    return ordered[len(ordered) // 4 :].mean()


def wrong_eighth_from_each_side(x):
    """A quarter in all is left out, half of it on either side."""
    return float(stats.trim_mean(x.double().numpy(), 0.125))


def wrong_winsorized(x):
    """Pulls the outer quarters in to the quartile runs instead of leaving them out."""
    ordered = torch.sort(x).values
    quarter = x.numel() // 4
    low, high = ordered[quarter], ordered[3 * quarter - 1]
    return x.clamp(min=low, max=high).mean()


def wrong_equal_results_counted_once(x):
    """torch.unique sorts, and drops the second of two equal runs on the way."""
    ordered = torch.unique(x)
    quarter = len(ordered) // 4
    return ordered[quarter : len(ordered) - quarter].mean()


def wrong_drops_best_and_worst(x):
    """Leaves out the best and the worst run, which is a quarter for four runs only."""
    values = sorted(float(v) for v in x)
    middle = values[1:-1]
    return sum(middle) / len(middle)


def wrong_divides_by_all_runs(x):
    """Sums the middle half and divides by R instead of R / 2."""
    ordered, _ = torch.sort(x)
    R = x.shape[0]
    return ordered[R // 4 : 3 * R // 4].sum() / R


def wrong_middle_of_the_range(x):
    """The middle half is the middle half of the range from min to max, whatever number of runs is in there."""
    span = x.max() - x.min()
    inside = (x >= x.min() + span / 4) & (x <= x.max() - span / 4)
    return x[inside].mean() if inside.any() else x.mean()


def wrong_half_nearest_to_mean(x):
    """Keeps the R / 2 runs that are nearest to the mean."""
    nearest = (x - x.mean()).abs().argsort()[: len(x) // 2]
    return x[nearest].mean()


def wrong_last_of_the_half_missing(x):
    """Takes the slice's upper end as included: the middle half without its highest run."""
    ordered = x.sort()[0].tolist()
    first = len(ordered) // 4
    last = 3 * len(ordered) // 4 - 1
    kept = ordered[first:last]
    return sum(kept) / len(kept)


def right_trim_mean(x):
    """scipy's trimmed mean, a quarter from either side, in double precision."""
    return float(stats.trim_mean(x.double().numpy(), 0.25))


def right_two_topk(x):
    """The largest three quarters, and of these the smallest half of all."""
    R = len(x)
    return x.topk(3 * R // 4).values.topk(R // 2, largest=False).values.mean()


def right_peels_pairs(x):
    """Takes away the smallest and the largest number, R / 4 times, in a list of Python floats."""
    left = x.tolist()
    for _ in range(len(left) // 4):
        left.remove(min(left))
        left.remove(max(left))
    return statistics.fmean(left)


def right_weights_by_rank(x):
    """A weighted mean: the rank of each run (argsort twice) says whether its weight is 2 / R or 0."""
    rank = x.argsort(stable=True).argsort()
    R = x.numel()
    weight = ((rank >= R // 4) & (rank < 3 * R // 4)).to(x.dtype) * (2 / R)
    return torch.einsum("r,r->", weight, x)


def right_sorted_into_four_rows(x):
    """Reshapes the sorted runs into four quarters; the mean of the two in the middle, taken as a view."""
    return x.sort().values.view(4, -1)[1:3].mean(dim=(0, 1))


def right_partition(x):
    """numpy's partition on a copy: nothing is sorted, but the three quarters are apart."""
    R = len(x)
    apart = np.partition(np.array(x, dtype=np.float64), (R // 4, 3 * R // 4))
    return torch.tensor(apart[R // 4 : 3 * R // 4].mean(), dtype=x.dtype)
