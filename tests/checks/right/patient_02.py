"""Right answers to patient_02 in other styles."""

import torch


def right_with_column(values, returns):
    return torch.nn.functional.mse_loss(values, returns.detach().unsqueeze(-1)) / 2


def right_with_loop(values, returns):
    terms = [(value[0] - target) ** 2 / 2 for value, target in zip(values, returns.tolist(), strict=False)]
    return torch.stack(terms).mean()


def right_in_double_precision(values, returns):
    error = values.reshape(-1).double() - returns.detach().double()
    return (error.dot(error) / (2 * len(error))).to(values.dtype)
