"""Answers to patient_07, written from the lesson and the opened patient alone."""

import itertools

import torch


def wrong_vectors_first(parameters, learning_rate):
    """Sorts the vectors out first so that they are not lost; now the matrices are."""
    vectors = [parameter for parameter in parameters if parameter.ndim < 2]
    matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
    return torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate, eps=1e-5)


def wrong_one_group_for_all(parameters, learning_rate):
    """Gives up the sorting: everything is in the optimiser, in one group."""
    return torch.optim.Adam(parameters, lr=learning_rate, eps=1e-5)


def wrong_default_eps(parameters, learning_rate):
    """Mends the groups with a list and forgets eps."""
    parameters = list(parameters)
    matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
    vectors = [parameter for parameter in parameters if parameter.ndim < 2]
    return torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate)


def wrong_rate_of_the_matrices_only(parameters, learning_rate):
    """Writes the learning rate into the first group, so the second has Adam's default."""
    everything = list(parameters)
    groups = [
        {"params": [p for p in everything if p.ndim >= 2], "lr": learning_rate},
        {"params": [p for p in everything if p.ndim < 2]},
    ]
    return torch.optim.Adam(groups, eps=1e-5)


def wrong_exactly_one_and_two_axes(parameters, learning_rate):
    """Sorts by ndim == 2 and ndim == 1: a convolution's kernel and a single number are in neither."""
    parameters = list(parameters)
    matrices = [p for p in parameters if p.ndim == 2]
    vectors = [p for p in parameters if p.ndim == 1]
    return torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate, eps=1e-5)


def wrong_weight_decay_for_matrices(parameters, learning_rate):
    """Makes the two groups different because that is what they are for: weight decay on the matrices."""
    parameters = tuple(parameters)
    matrices = [p for p in parameters if p.ndim >= 2]
    vectors = [p for p in parameters if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 1e-4}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.Adam(groups, lr=learning_rate, eps=1e-5)


def wrong_copies_of_the_parameters(parameters, learning_rate):
    """Saves the parameters for the second pass as copies; the optimiser now moves the copies."""
    saved = [torch.nn.Parameter(parameter.detach().clone()) for parameter in parameters]
    matrices = [parameter for parameter in saved if parameter.ndim >= 2]
    vectors = [parameter for parameter in saved if parameter.ndim < 2]
    return torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate, eps=1e-5)


def wrong_everything_in_the_second_group(parameters, learning_rate):
    """Puts all parameters into the second group so that none is lost; those in both are an error."""
    parameters = list(parameters)
    matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
    return torch.optim.Adam([{"params": matrices}, {"params": parameters}], lr=learning_rate, eps=1e-5)


def wrong_vectors_among_the_matrices(parameters, learning_rate):
    """Counts the axes one too low: biases and log_std are in the first group, and the second stays empty."""
    matrices, vectors = [], []
    for parameter in parameters:
        if parameter.ndim > 0:
            matrices.append(parameter)
        else:
            vectors.append(parameter)
    return torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate, eps=1e-5)


def wrong_adamw(parameters, learning_rate):
    """Mends the sorting, and takes AdamW, which groups like these come from; it decays all weights."""
    parameters = list(parameters)
    groups = [{"params": [p for p in parameters if p.ndim >= 2]}, {"params": [p for p in parameters if p.ndim < 2]}]
    return torch.optim.AdamW(groups, lr=learning_rate, eps=1e-5)


def wrong_two_iterators_that_are_one(parameters, learning_rate):
    """Makes two names for the generator; they are the same one, and it is empty at the second pass."""
    first = second = iter(parameters)
    matrices = list(filter(lambda parameter: parameter.ndim >= 2, first))
    vectors = list(filter(lambda parameter: parameter.ndim < 2, second))
    return torch.optim.Adam([{"params": matrices}, {"params": vectors}], lr=learning_rate, eps=1e-5)


def right_one_pass(parameters, learning_rate):
    """Deals the parameters into two lists in a single pass."""
    groups = ([], [])
    for parameter in parameters:
        groups[parameter.dim() < 2].append(parameter)
    return torch.optim.Adam([{"params": group} for group in groups], lr=learning_rate, eps=1e-5)


def right_tee(parameters, learning_rate):
    """Splits the generator with itertools.tee, and hands generators on to Adam."""
    first, second = itertools.tee(parameters)
    return torch.optim.Adam(
        [
            {"params": (p for p in first if len(p.shape) >= 2)},
            {"params": itertools.filterfalse(lambda p: len(p.shape) >= 2, second)},
        ],
        lr=learning_rate,
        eps=1e-5,
    )


def right_second_group_added_later(parameters, learning_rate):
    """Makes the optimiser with the matrices, and adds the vectors with add_param_group."""
    parameters = [*parameters]
    matrices = [parameter for parameter in parameters if parameter.ndim > 1]
    optimizer = torch.optim.Adam([dict(params=matrices)], learning_rate, (0.9, 0.999), 1e-5)
    optimizer.add_param_group({"params": [parameter for parameter in parameters if parameter.ndim <= 1]})
    return optimizer
