"""Right answers to gaussian_log_prob in other styles."""

import torch
from torch.distributions import Independent, MultivariateNormal, Normal


def right_with_distribution(mean, log_std, action):
    return Independent(Normal(mean, log_std.exp()), 1).log_prob(action)


def right_with_covariance_matrix(mean, log_std, action):
    covariance = torch.diag_embed((2 * log_std).exp().expand(mean.shape))
    return MultivariateNormal(mean, covariance).log_prob(action)


def right_with_gaussian_nll(mean, log_std, action):
    variance = (2 * log_std).exp().expand(mean.shape)
    loss = torch.nn.functional.gaussian_nll_loss(mean, action, variance, full=True, reduction="none", eps=1e-12)
    return -loss.sum(1)
