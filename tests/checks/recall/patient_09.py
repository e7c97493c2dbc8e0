"""Answers to patient_09, written from the lesson and the opened patient alone."""

import math

import torch
from torch.distributions import Independent, MultivariateNormal, Normal


def wrong_sum_over_everything(mean, log_std, action):
    """Replaces mean by sum and loses the axis: one number for the whole batch."""
    z = (action - mean) / log_std.exp()
    terms = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)
    return terms.sum()


def wrong_sum_over_the_batch(mean, log_std, action):
    """Sums over dim=0: one number a dimension, not one a row."""
    return Normal(mean, log_std.exp()).log_prob(action).sum(0)


def wrong_constant_only_once(mean, log_std, action):
    """Sums squares and log_std, and subtracts log(2 pi)/2 once instead of D times."""
    z = (action - mean) / log_std.exp()
    return -0.5 * z.square().sum(-1) - log_std.sum(-1) - 0.5 * math.log(2 * math.pi)


def wrong_log_std_summed_over_the_batch(mean, log_std, action):
    """Takes log_std for [D]: its sum() is the sum over all rows where it is [B, D]."""
    dims = mean.shape[-1]
    z = (action - mean) / torch.exp(log_std)
    return -0.5 * (z * z).sum(dim=-1) - log_std.sum() - 0.5 * dims * math.log(2 * math.pi)


def wrong_logarithm_of_the_product(mean, log_std, action):
    """Multiplies the densities and takes the logarithm at the end: far from the mean that is log 0."""
    std = log_std.exp()
    density = torch.exp(-0.5 * ((action - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))
    return density.prod(dim=-1).log()


def wrong_product_of_the_logarithms(mean, log_std, action):
    """Knows that independent densities multiply, and multiplies their logarithms."""
    z = (action - mean) / log_std.exp()
    terms = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)
    return terms.prod(dim=-1)


def wrong_axis_kept(mean, log_std, action):
    """Sums with keepdim=True: [B, 1], which broadcasts against the advantages."""
    z = (action - mean) / log_std.exp()
    terms = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)
    return terms.sum(dim=-1, keepdim=True)


def wrong_densities_added(mean, log_std, action):
    """Takes logsumexp over the dimensions, the logarithm of a sum of densities."""
    terms = Normal(mean, log_std.exp()).log_prob(action)
    return torch.logsumexp(terms, dim=-1)


def wrong_first_dimension_only(mean, log_std, action):
    """Takes column 0, which is all there is on Pendulum."""
    z = (action - mean) / log_std.exp()
    terms = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)
    return terms[:, 0]


def wrong_mean_with_a_root(mean, log_std, action):
    """Sums and divides by the root of D, so that the size does not depend on the number of joints."""
    z = (action - mean) / log_std.exp()
    terms = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)
    return terms.sum(dim=-1) / math.sqrt(terms.shape[-1])


def wrong_spread_without_gradient(mean, log_std, action):
    """Makes the standard deviation under no_grad, and with it most of log_std's gradient is gone."""
    with torch.no_grad():
        std = log_std.exp()
    z = (action - mean) / std
    terms = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)
    return terms.sum(dim=-1)


def wrong_log_std_as_the_logarithm_of_the_variance(mean, log_std, action):
    """Sums, and mixes up spread and variance in the normaliser: half of log_std is subtracted."""
    squares = (action - mean).square() / (2 * log_std).exp()
    return -0.5 * (squares + log_std + math.log(2 * math.pi)).sum(dim=-1)


def right_mean_times_dimensions(mean, log_std, action):
    """Leaves the mean and multiplies by the number of dimensions."""
    z = (action - mean) / log_std.exp()
    terms = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)
    return terms.mean(dim=-1) * terms.shape[-1]


def right_independent(mean, log_std, action):
    """Lets Independent count the last axis as one event."""
    return Independent(Normal(mean, log_std.exp().expand_as(mean)), 1).log_prob(action)


def right_multivariate_normal(mean, log_std, action):
    """A multivariate normal with the standard deviations on the diagonal of its Cholesky factor."""
    return MultivariateNormal(mean, scale_tril=torch.diag_embed(log_std.exp())).log_prob(action)


def right_matrix_product_with_ones(mean, log_std, action):
    """Sums by a product with a vector of ones, in double precision, and casts back."""
    m, s, a = mean.double(), log_std.double(), action.double()
    terms = ((a - m) * torch.exp(-s)).pow(2) / -2 - s - math.log(math.tau) / 2
    return (terms @ torch.ones(terms.shape[-1], dtype=torch.float64)).to(mean.dtype)
