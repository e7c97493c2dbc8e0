"""Right answers to explained_variance in other styles."""

import statistics

import torch


def right_with_population_variance(values, returns):
    return 1 - torch.var(returns - values, correction=0) / torch.var(returns, correction=0)


def right_with_sums(values, returns):
    residual = returns - values
    unexplained = (residual - residual.mean()).square().sum()
    return 1 - unexplained / (returns - returns.mean()).square().sum()


def right_with_statistics_library(values, returns):
    residual = [g - v for g, v in zip(returns.tolist(), values.tolist(), strict=True)]
    return 1 - statistics.pvariance(residual) / statistics.pvariance(returns.tolist())


def right_with_covariance(values, returns):
    covariance = torch.cov(torch.stack([values, returns]).double())
    residual = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    return (1 - residual / covariance[1, 1]).to(values.dtype)
