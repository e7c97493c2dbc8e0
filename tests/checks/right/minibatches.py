"""Right answers to minibatches in other styles."""

import torch
from torch.utils.data import BatchSampler, RandomSampler


def right_generator_function(batch_size, minibatch_size, *, generator):
    order = torch.randperm(batch_size, generator=generator)
    for start in range(0, batch_size, minibatch_size):
        yield order[start : start + minibatch_size]


def right_sorting_random_keys(batch_size, minibatch_size, *, generator):
    order = torch.rand(batch_size, generator=generator, dtype=torch.float64).argsort()
    return list(torch.split(order, minibatch_size))


def right_with_samplers(batch_size, minibatch_size, *, generator):
    sampler = RandomSampler(range(batch_size), generator=generator)
    return (torch.tensor(rows) for rows in BatchSampler(sampler, minibatch_size, drop_last=False))


def right_dealt_to_players(batch_size, minibatch_size, *, generator):
    # Each row draws its minibatch; inside of one the rows stay in order.
    player = torch.randperm(batch_size, generator=generator) // minibatch_size
    return [torch.nonzero(player == number).flatten() for number in range(int(player.max()) + 1)]
