"""Right answers to optimal_constant_baseline in other styles."""

import torch


def right_with_nan_replaced(scores, returns):
    squared = scores.double() ** 2
    baseline = (squared * returns.double()[:, None]).mean() / squared.mean()
    return torch.nan_to_num(baseline, nan=0.0).to(scores.dtype)


def right_with_matrix(scores, returns):
    weights = (scores @ scores.T).diagonal()
    return torch.where(weights.sum() > 0, weights @ returns / weights.sum(), torch.zeros_like(weights[0]))


def right_with_least_squares(scores, returns):
    # The baseline b that makes the mean of |g|^2 (G - b)^2 least, from the normal equation.
    lengths = scores.norm(dim=1, keepdim=True)
    return torch.linalg.pinv(lengths).squeeze(0) @ (lengths.squeeze(1) * returns)
