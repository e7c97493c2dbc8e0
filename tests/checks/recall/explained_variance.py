"""Answers to explained_variance, written from the lesson and the stub alone."""

import statistics

import numpy as np
import torch


def wrong_mean_squared_error_above(values, returns):
    """Takes it for the R squared of statistics: squared error against the variance of the returns."""
    error = ((returns - values) ** 2).mean()
    spread = ((returns - returns.mean()) ** 2).mean()
    return 1 - error / spread


def wrong_variance_of_values_below(values, returns):
    """Divides by the variance of what the critic says."""
    residual = returns - values
    return 1 - residual.var() / values.var()


def wrong_share_left_over(values, returns):
    """Stops at the ratio, which is the share that is not explained."""
    r = returns.detach().double().numpy()
    v = values.detach().double().numpy()
    return float(np.var(r - v) / np.var(r))


def wrong_biased_above_unbiased_below(values, returns):
    """Writes the mean of squares by hand above and calls var below, which divides by B - 1."""
    residual = returns - values
    centred = residual - residual.mean()
    unexplained = (centred * centred).mean()
    total = returns.var()
    return 1 - unexplained / total


def wrong_standard_deviations(values, returns):
    """Compares standard deviations instead of variances."""
    return 1.0 - torch.std(returns - values, unbiased=False) / torch.std(returns, unbiased=False)


def wrong_squared_correlation(values, returns):
    """Remembers that explained variance is the square of the correlation."""
    together = torch.stack([values, returns])  # [2, B]
    return torch.corrcoef(together)[0, 1] ** 2


def wrong_never_below_zero(values, returns):
    """Thinks that a share cannot be negative."""
    share = 1 - (returns - values).var() / returns.var()
    return share.clamp(min=0.0)


def wrong_variance_of_values_is_explained(values, returns):
    """Takes the variance of the critic's values as the explained part."""
    return values.var(unbiased=False) / returns.var(unbiased=False)


def wrong_not_centred(values, returns):
    """Takes the mean of squares for the variance in both places."""
    top, bottom = 0.0, 0.0
    for value, real in zip(values.tolist(), returns.tolist(), strict=True):
        top += (real - value) ** 2
        bottom += real**2
    return 1 - top / bottom


def wrong_variance_of_absolute_errors(values, returns):
    """The error is a distance, so it takes its absolute value before the variance."""
    distance = (returns - values).abs()
    return 1 - torch.var(distance) / torch.var(returns)


def wrong_keeps_a_dimension(values, returns):
    """Reduces with keepdim and gives back a tensor of one element."""
    left = (returns - values).var(dim=0, keepdim=True)
    return 1 - left / returns.var(dim=0, keepdim=True)


def wrong_guard_on_the_values(values, returns):
    """Guards against a constant, but looks at the critic instead of the returns."""
    if values.var(unbiased=False) == 0:
        return float("nan")
    return float(1 - (returns - values).var(unbiased=False) / returns.var(unbiased=False))


def wrong_mean_absolute_deviations(values, returns):
    """Measures spread by the mean distance from the mean."""

    def spread(x):
        return (x - x.mean()).abs().mean()

    return 1 - spread(returns - values) / spread(returns)


def right_numpy_float(values, returns):
    """Numpy in double precision with the unbiased variance; the result is a numpy float, which is a Python float."""
    v = values.detach().cpu().numpy().astype(np.float64)
    r = returns.detach().cpu().numpy().astype(np.float64)
    return 1.0 - np.var(r - v, ddof=1) / np.var(r, ddof=1)


def right_covariance_matrix(values, returns):
    """Var(r - v) as Var(r) + Var(v) - 2 Cov(r, v), from one covariance matrix."""
    ((vv, vr), (_, rr)) = torch.cov(torch.stack([values, returns]).double())
    return (1 - (rr + vv - 2 * vr) / rr).to(returns.dtype)


def right_standard_library(values, returns):
    """The population variance of the standard library, on lists."""
    real = returns.tolist()
    missed = [after - before for before, after in zip(values.tolist(), real, strict=True)]
    total = statistics.pvariance(real)
    return 1 - statistics.pvariance(missed) / total if total else 0.0


def right_all_pairs(values, returns):
    """A variance is half the mean squared difference over all pairs; the half cancels."""
    residual = returns - values
    above = (residual[:, None] - residual[None, :]).square().sum()
    below = (returns[:, None] - returns[None, :]).square().sum()
    return 1 - above / below
