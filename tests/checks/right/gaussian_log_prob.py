"""Right answers to gaussian_log_prob in other styles."""

import math

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


def right_with_loop(mean, log_std, action):
    rows = []
    for b in range(len(mean)):
        total = mean.new_zeros(())
        for d in range(mean.shape[1]):
            std = math.e ** (log_std[b, d] if log_std.ndim == 2 else log_std[d])
            total = total - ((action[b, d] - mean[b, d]) / std) ** 2 / 2 - std.log() - math.log(math.tau) / 2
        rows.append(total)
    return torch.stack(rows)
