"""Right answers to standardize in other styles."""

import torch


def right_unbiased(x):
    if x.numel() < 2:
        return torch.zeros_like(x)
    return (x - x.mean()) / (x.std() + 1e-8)


def right_with_eps_in_the_root(x):
    return (x - x.mean()) / torch.sqrt(x.var(correction=0) + 1e-8)


def right_with_layer_norm(x):
    return torch.nn.functional.layer_norm(x.double(), x.shape, eps=1e-8).to(x.dtype)
