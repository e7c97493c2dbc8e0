"""Right answers to tanh_log_prob in other styles."""

import torch
from torch.distributions import Independent, Normal, TransformedDistribution
from torch.distributions.transforms import TanhTransform


def right_with_transformed_distribution(mean, log_std, pre_tanh_action):
    # The cache keeps which u an action came from; without it, atanh of a rounded tanh would have to find u again.
    squash = TanhTransform(cache_size=1)
    distribution = TransformedDistribution(Independent(Normal(mean, log_std.exp()), 1), [squash])
    return distribution.log_prob(squash(pre_tanh_action))


def right_with_cosh(mean, log_std, pre_tanh_action):
    log_prob = Normal(mean, log_std.exp()).log_prob(pre_tanh_action)
    return (log_prob + 2 * torch.log(torch.cosh(pre_tanh_action))).sum(-1)


def right_in_double_precision(mean, log_std, pre_tanh_action):
    u = pre_tanh_action.double()
    log_prob = Normal(mean.double(), log_std.double().exp()).log_prob(u) - torch.log(1 - torch.tanh(u) ** 2)
    return log_prob.sum(-1).to(mean.dtype)
