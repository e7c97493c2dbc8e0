"""Right answers to explained_variance in other styles."""

import torch


def right_with_population_variance(values, returns):
    return 1 - torch.var(returns - values, correction=0) / torch.var(returns, correction=0)


def right_with_sums(values, returns):
    residual = returns - values
    unexplained = (residual - residual.mean()).square().sum()
    return 1 - unexplained / (returns - returns.mean()).square().sum()


def right_with_covariance(values, returns):
    covariance = torch.cov(torch.stack([values, returns]).double())
    residual = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    return (1 - residual / covariance[1, 1]).to(values.dtype)
