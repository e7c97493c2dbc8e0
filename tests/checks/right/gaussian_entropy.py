"""Right answers to gaussian_entropy in other styles."""

import math

import torch
from torch.distributions import Independent, MultivariateNormal, Normal


def right_with_distribution(log_std):
    return Independent(Normal(torch.zeros_like(log_std), log_std.exp()), 1).entropy()


def right_with_covariance_matrix(log_std):
    return MultivariateNormal(torch.zeros_like(log_std), scale_tril=torch.diag_embed(log_std.exp())).entropy()


def right_with_determinant(log_std):
    covariance = torch.diag_embed((2 * log_std).exp())
    return 0.5 * torch.logdet(2 * math.pi * math.e * covariance)
