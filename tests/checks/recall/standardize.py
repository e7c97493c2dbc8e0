"""Answers to standardize, written from the lesson and the stub alone."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def wrong_not_centred(x):
    """Divides by the standard deviation and leaves the mean where it is."""
    return x / (x.std(correction=0) + 1e-8)


def wrong_only_centred(x):
    """Takes the mean away and forgets the scale."""
    return x - x.mean()


def wrong_divided_by_the_variance(x):
    """Takes the variance for the standard deviation."""
    var, mean = torch.var_mean(x, correction=0)
    return (x - mean) / (var + 1e-8)


def wrong_each_column_by_itself(x):
    """Standardises along the first axis, as one does with a table of features."""
    if x.dim() == 0:
        return torch.zeros_like(x)
    return (x - x.mean(dim=0)) / (x.std(dim=0, correction=0) + 1e-8)


def wrong_single_element_is_nan(x):
    """Uses torch's unbiased default, which divides by 0 for a single element."""
    return (x - x.mean()) / (x.std() + 1e-8)


def wrong_nothing_added(x):
    """Forgets the tiny number: 0 / 0 where all elements are equal."""
    d = x - x.mean()
    return d / d.square().mean().sqrt()


def wrong_to_the_unit_interval(x):
    """Scales between minimum and maximum."""
    low, high = x.min(), x.max()
    return 2 * (x - low) / (high - low + 1e-8) - 1


def wrong_in_place(x):
    """Shifts and scales the caller's tensor and returns it."""
    x -= x.mean()
    x /= x.std(correction=0) + 1e-8
    return x


def wrong_unit_length(x):
    """Gives the centred vector length 1, with torch's normalize."""
    centred = (x - x.mean()).reshape(-1)
    return F.normalize(centred, dim=0).reshape(x.shape)


def wrong_mean_absolute_deviation(x):
    """Measures the spread by the mean distance from the mean."""
    centred = x - x.mean()
    return centred / (centred.abs().mean() + 1e-8)


def wrong_left_in_double(x):
    """Works in double precision and returns it."""
    d = x.double()
    d = d - d.mean()
    return d / (d.pow(2).mean().sqrt() + 1e-8)


def wrong_flattened(x):
    """Flattens to treat all elements together, and stays flat."""
    flat = x.flatten()
    return (flat - flat.mean()) / (flat.std(correction=0) + 1e-8)


def wrong_scaled_before_shifted(x):
    """Divides first and then subtracts the old mean."""
    mean, std = x.mean(), x.std(correction=0)
    return x / (std + 1e-8) - mean


def wrong_outliers_clipped(x):
    """Clips at five standard deviations, as observation normalisers do."""
    z = (x - x.mean()) / (x.std(correction=0) + 1e-8)
    return z.clamp(-5, 5)


def wrong_equal_elements_untouched(x):
    """Where there is no spread, gives x back, since there is nothing to scale."""
    std = x.std(correction=0)
    if std < 1e-8:
        return x.clone()
    return (x - x.mean()) / std


def wrong_spread_of_at_least_one(x):
    """Never divides by less than 1, so that small noise is not blown up."""
    std = x.std(correction=0).clamp(min=1.0)
    return (x - x.mean()) / std


def wrong_layer_norm_default(x):
    """Uses layer_norm over all axes, whose epsilon of 1e-5 stands beside the variance."""
    return F.layer_norm(x.reshape(1, -1), (x.numel(),)).reshape(x.shape)


_history = []


def wrong_statistics_of_all_calls(x):
    """Remembers what came before and standardises by the mean and spread of everything seen so far."""
    _history.extend(x.detach().flatten().tolist())
    seen = np.array(_history)
    return (x - float(seen.mean())) / (float(seen.std()) + 1e-8)


def right_biased(x):
    """Measured from the first element, then as the docstring says, with the biased deviation."""
    x = x - x.reshape(-1)[0]
    return (x - x.mean()) / (x.std(correction=0) + 1e-8)


def right_unbiased_where_it_exists(x):
    """The unbiased deviation, the biased one for a single element."""
    first = x - x.flatten()[:1].sum()
    std, mean = torch.std_mean(first, correction=min(1, x.numel() - 1))
    return (first - mean) / (std + 1e-8)


def right_numpy(x):
    """Numpy in double precision, zeros where all are equal."""
    a = x.detach().numpy().astype(np.float64)
    if np.ptp(a) == 0:
        return torch.zeros_like(x)
    return torch.as_tensor((a - a.mean()) / (a.std(ddof=1) + 1e-8)).to(x.dtype).reshape(x.shape)


def right_layer_norm_tiny_epsilon(x):
    """layer_norm over one long row, with an epsilon so small that its root is 1e-8."""
    row = x.double().reshape(1, -1)
    row = row - row[:, :1]
    return F.layer_norm(row, row.shape[1:], eps=1e-16).to(x.dtype).view(x.shape)


def right_welford(x):
    """One pass in plain Python with Welford's recurrences."""
    mean, total = 0.0, 0.0
    numbers = x.flatten().tolist()
    for count, number in enumerate(numbers, start=1):
        delta = number - mean
        mean += delta / count
        total += delta * (number - mean)
    scale = math.sqrt(total / len(numbers)) + 1e-8
    return torch.tensor([(number - mean) / scale for number in numbers], dtype=x.dtype).reshape(x.shape)
