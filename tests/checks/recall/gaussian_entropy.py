"""Answers to gaussian_entropy, written from the lesson and the stub alone."""

import functools
import math

import numpy as np
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

_ONE = 0.5 * math.log(2 * math.pi * math.e)


def wrong_mean_over_dimensions(log_std):
    """Averages over the dimensions, so that the bonus does not depend on D."""
    return (log_std + 0.5 * math.log(2 * math.pi * math.e)).mean(-1)


def wrong_mean_over_the_batch(log_std):
    """Averages over the batch at once, as the loss will do it anyway."""
    entropy = (log_std + 0.5 + 0.5 * math.log(2 * math.pi)).sum(-1)
    return entropy.mean()


def wrong_sum_over_everything(log_std):
    """Sums without an axis."""
    return torch.sum(log_std + 0.5 * math.log(2 * math.pi * math.e))


def wrong_first_axis(log_std):
    """Sums the first axis, which is the dimensions for [D] only."""
    return sum(row + 1.4189385332046727 for row in log_std)


def wrong_not_summed(log_std):
    """Returns the entropy of each dimension."""
    return Normal(torch.zeros_like(log_std), log_std.exp()).entropy()


def wrong_always_a_batch(log_std):
    """Turns [D] into [1, D] and forgets to turn the result back."""
    rows = torch.atleast_2d(log_std)
    return rows.sum(dim=1) + 0.5 * rows.shape[1] * math.log(2 * math.pi * math.e)


def wrong_constant_once(log_std):
    """Adds 1.419 once instead of once for each dimension."""
    return log_std.sum(-1) + 0.5 * math.log(2 * math.pi * math.e)


def wrong_without_the_half(log_std):
    """Takes minus the logarithm of the density at its top, and forgets the 1/2 of the mean square."""
    return (log_std + 0.5 * math.log(2 * math.pi)).sum(dim=-1)


def wrong_bits(log_std):
    """Uses the logarithm to base 2."""
    constant = 0.5 * math.log2(2 * math.pi * math.e)
    return (log_std / math.log(2) + constant).sum(dim=-1)


def wrong_log_variance(log_std):
    """Remembers log(2 pi e sigma^2) / 2 and takes log_std for log(sigma^2)."""
    return 0.5 * (math.log(2 * math.pi * math.e) + log_std).sum(dim=-1)


def wrong_no_constant(log_std):
    """Leaves the constant out: it has no gradient."""
    return log_std.sum(dim=-1)


def wrong_never_negative(log_std):
    """Cuts at 0, because the entropy of unit 00 is never negative."""
    entropy = log_std.sum(-1) + log_std.shape[-1] * 0.5 * math.log(2 * math.pi * math.e)
    return torch.clamp(entropy, min=0)


def wrong_clamped_widths(log_std):
    """Clamps log_std to the range of the package's policy first."""
    log_std = torch.clamp(log_std, -5.0, 2.0)
    return Independent(Normal(torch.zeros_like(log_std), log_std.exp()), 1).entropy()


def wrong_sign(log_std):
    """Returns the mean of log pi, without the minus of the entropy."""
    return -(log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(dim=-1)


def wrong_one_sample(log_std):
    """Estimates the entropy by minus the log-density of a sample."""
    distribution = Independent(Normal(torch.zeros_like(log_std), log_std.exp()), 1)
    return -distribution.log_prob(distribution.rsample())


def wrong_numpy(log_std):
    """Computes in numpy, where the gradient is lost."""
    values = log_std.detach().numpy()
    total = (values + 0.5 * np.log(2 * np.pi * np.e)).sum(axis=-1)
    return torch.as_tensor(total, dtype=log_std.dtype)


def wrong_default_dtype(log_std):
    """Collects the sum in a new float32 tensor."""
    total = torch.zeros(log_std.shape[:-1])
    for i in range(log_std.shape[-1]):
        total += log_std[..., i].float() + 0.5 * math.log(2 * math.pi * math.e)
    return total


def wrong_logarithm_of_a_product(log_std):
    """Half the logarithm of det(2 pi e Sigma), with the determinant multiplied out."""
    variances = 2 * math.pi * math.e * torch.exp(log_std) ** 2
    return 0.5 * torch.log(torch.prod(variances, dim=-1))


def wrong_counts_all_elements(log_std):
    """Takes the number of elements for the number of dimensions."""
    return log_std.sum(-1) + 0.5 * log_std.numel() * math.log(2 * math.pi * math.e)


def wrong_width_instead_of_its_logarithm(log_std):
    """Adds sigma where log sigma belongs."""
    std = log_std.exp()
    return (std + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)


def right_independent(log_std):
    """As torch has it, around a mean of 0."""
    return Independent(Normal(log_std.new_zeros(log_std.shape), log_std.exp()), 1).entropy()


def right_multivariate(log_std):
    """The entropy of a multivariate normal with a diagonal Cholesky factor."""
    return MultivariateNormal(torch.zeros_like(log_std), scale_tril=torch.diag_embed(log_std.exp())).entropy()


def right_running_sum(log_std):
    """The last of the cumulative sums: a view."""
    return (log_std + 0.5 * math.log(2 * math.pi * math.e)).cumsum(-1)[..., -1]


def right_matrix_product(log_std):
    """A product with a vector of ones in double precision, cast back."""
    ones = torch.ones(log_std.shape[-1], dtype=torch.float64)
    return (torch.einsum("...d,d->...", log_std.double(), ones) + _ONE * len(ones)).to(log_std.dtype)


def right_fold(log_std):
    """Adds dimension after dimension with reduce."""
    return functools.reduce(lambda total, column: total + column + _ONE, log_std.unbind(-1), 0.0)


def right_from_the_top(log_std):
    """Minus the log-density at the mean, plus one half for each dimension."""
    mode = torch.zeros_like(log_std)
    return -(Normal(mode, log_std.exp()).log_prob(mode) - 0.5).sum(-1)


def right_row_by_row(log_std):
    """Row by row, stacked, with the scalar case by recursion."""
    if log_std.dim() == 2:
        return torch.stack([right_row_by_row(row) for row in log_std])
    return log_std.dot(torch.ones_like(log_std)).add(len(log_std) / 2 * math.log(2 * math.pi * math.e))
