"""Right answers to patient_07 in other styles."""

import torch


def right_in_one_pass(parameters, learning_rate):
    groups = ([], [])
    for parameter in parameters:
        groups[parameter.dim() < 2].append(parameter)
    return torch.optim.Adam([{"params": group} for group in groups if group], lr=learning_rate, eps=1e-5)


def right_with_vectors_first(parameters, learning_rate):
    every = sorted(parameters, key=lambda parameter: parameter.ndim >= 2)
    matrices = sum(parameter.ndim >= 2 for parameter in every)
    groups = [{"params": every[: len(every) - matrices]}, {"params": every[len(every) - matrices :]}]
    return torch.optim.Adam(groups, lr=learning_rate, betas=(0.9, 0.999), eps=1e-5)


def right_added_later(parameters, learning_rate):
    every = tuple(parameters)
    matrices = [parameter for parameter in every if parameter.ndim > 1]
    optimizer = torch.optim.AdamW(matrices, lr=learning_rate, eps=1e-5, weight_decay=0.0)
    optimizer.add_param_group({"params": [parameter for parameter in every if parameter.ndim <= 1]})
    return optimizer
