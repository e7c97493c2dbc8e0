"""Right answers to advantages_with_baseline in other styles."""

import torch


def right_with_no_grad(returns, values):
    if values.ndim != 1:
        raise ValueError("values must be [B]")
    with torch.no_grad():
        return torch.sub(returns, values)


def right_with_check_of_the_result(returns, values):
    advantages = (returns - values).detach()
    if advantages.shape != returns.shape:
        raise ValueError(f"expected {returns.shape}, got {advantages.shape}")
    return advantages


def right_in_double_precision(returns, values):
    if tuple(values.shape) != tuple(returns.shape):
        raise ValueError("shapes differ")
    return (returns.double() - values.data.double()).to(returns.dtype)
