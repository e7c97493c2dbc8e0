"""Answers to minibatches, written from the lesson and the stub alone."""

import random

import numpy as np
import torch
from torch.utils.data import BatchSampler, RandomSampler


def wrong_global_random_numbers(batch_size, minibatch_size, *, generator):
    """Leaves the generator unused: the order comes from torch's global random numbers."""
    order = torch.randperm(batch_size)
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


def wrong_seeded_anew(batch_size, minibatch_size, *, generator):
    """Seeds the generator in every call so that a run can be repeated; every epoch has the same order."""
    generator.manual_seed(0)
    return list(torch.randperm(batch_size, generator=generator).split(minibatch_size))


def wrong_copy_of_the_generator(batch_size, minibatch_size, *, generator):
    """Draws from a copy, so as not to change the caller's generator, which never moves on."""
    own = torch.Generator()
    own.set_state(generator.get_state())
    order = torch.randperm(batch_size, generator=own)
    for start in range(0, batch_size, minibatch_size):
        yield order[start : start + minibatch_size]


def wrong_drops_the_rest(batch_size, minibatch_size, *, generator):
    """Only full minibatches; the rows that are left over are dropped."""
    order = torch.randperm(batch_size, generator=generator)
    count = batch_size // minibatch_size
    return [order[i * minibatch_size : (i + 1) * minibatch_size] for i in range(count)]


def wrong_last_one_lost(batch_size, minibatch_size, *, generator):
    """Ends the range at batch_size - minibatch_size, so that the last minibatch is missing, full or not."""
    order = torch.randperm(batch_size, generator=generator)
    start = 0
    while start < batch_size - minibatch_size:
        yield order[start : start + minibatch_size]
        start += minibatch_size


def wrong_with_replacement(batch_size, minibatch_size, *, generator):
    """Draws row numbers with randint: some come twice, some never."""
    left = batch_size
    while left > 0:
        yield torch.randint(batch_size, (min(left, minibatch_size),), generator=generator)
        left -= minibatch_size


def wrong_blocks_of_neighbours(batch_size, minibatch_size, *, generator):
    """Deals the order of the minibatches and leaves neighbours together."""
    blocks = torch.arange(batch_size).split(minibatch_size)
    return [blocks[i] for i in torch.randperm(len(blocks), generator=generator).tolist()]


def wrong_shuffled_within_blocks(batch_size, minibatch_size, *, generator):
    """Cuts the batch first and shuffles the rows inside each piece."""
    for block in torch.arange(batch_size).split(minibatch_size):
        yield block[torch.randperm(len(block), generator=generator)]


def wrong_no_shuffle(batch_size, minibatch_size, *, generator):
    """Cuts the batch as it lies, and shuffles a copy that nobody uses."""
    rows = torch.arange(batch_size)
    rows[torch.randperm(batch_size, generator=generator)]
    return rows.split(minibatch_size)


def wrong_lists_of_ints(batch_size, minibatch_size, *, generator):
    """Lists of Python ints instead of tensors."""
    order = torch.randperm(batch_size, generator=generator).tolist()
    return [order[i : i + minibatch_size] for i in range(0, batch_size, minibatch_size)]


def wrong_int32(batch_size, minibatch_size, *, generator):
    """Goes through numpy's int32."""
    order = torch.randperm(batch_size, generator=generator).numpy().astype(np.int32)
    return [torch.from_numpy(order[i : i + minibatch_size]) for i in range(0, len(order), minibatch_size)]


def wrong_even_pieces(batch_size, minibatch_size, *, generator):
    """Cuts into pieces of nearly equal size instead of full ones and a rest."""
    order = torch.randperm(batch_size, generator=generator)
    pieces = -(-batch_size // minibatch_size)
    return torch.tensor_split(order, pieces)


def wrong_rows_from_one(batch_size, minibatch_size, *, generator):
    """Counts the rows from 1 to batch_size."""
    order = 1 + torch.randperm(batch_size, generator=generator)
    return order.split(minibatch_size)


def wrong_filled_up_with_first_rows(batch_size, minibatch_size, *, generator):
    """Fills the last minibatch up with rows that have been dealt already."""
    order = torch.randperm(batch_size, generator=generator)
    for start in range(0, batch_size, minibatch_size):
        places = torch.arange(start, start + minibatch_size) % batch_size
        yield order[places]


def wrong_view(batch_size, minibatch_size, *, generator):
    """Reshapes to [-1, minibatch_size], which fails where there is a rest."""
    return torch.randperm(batch_size, generator=generator).view(-1, minibatch_size)


def wrong_new_deal_for_each(batch_size, minibatch_size, *, generator):
    """Shuffles anew for each minibatch, so that they overlap."""
    dealt = []
    for start in range(0, batch_size, minibatch_size):
        size = min(minibatch_size, batch_size - start)
        dealt.append(torch.randperm(batch_size, generator=generator)[:size])
    return dealt


def wrong_size_taken_for_number(batch_size, minibatch_size, *, generator):
    """Takes minibatch_size for the number of minibatches."""
    order = torch.randperm(batch_size, generator=generator)
    return torch.chunk(order, minibatch_size)


def wrong_columns_of_indices(batch_size, minibatch_size, *, generator):
    """Index tensors [rows, 1] from nonzero, with one dimension too many."""
    owner = torch.empty(batch_size, dtype=torch.int64)
    order = torch.randperm(batch_size, generator=generator)
    owner[order] = torch.arange(batch_size) // minibatch_size
    return [torch.nonzero(owner == number) for number in range(-(-batch_size // minibatch_size))]


def right_argsort_of_noise(batch_size, minibatch_size, *, generator):
    """Sorts random numbers in double precision and yields views of the order."""
    order = torch.argsort(torch.rand(batch_size, generator=generator, dtype=torch.float64))
    yield from order.split(minibatch_size)


def right_samplers_of_torch(batch_size, minibatch_size, *, generator):
    """RandomSampler and BatchSampler from torch.utils.data."""
    sampler = RandomSampler(range(batch_size), generator=generator)
    return tuple(torch.tensor(rows) for rows in BatchSampler(sampler, minibatch_size, drop_last=False))


def right_fisher_yates(batch_size, minibatch_size, *, generator):
    """Shuffles by hand, with one random number for each exchange."""
    rows = list(range(batch_size))
    for i in range(batch_size - 1, 0, -1):
        j = int(torch.randint(i + 1, (), generator=generator))
        rows[i], rows[j] = rows[j], rows[i]
    return [torch.tensor(rows[i : i + minibatch_size]) for i in range(0, batch_size, minibatch_size)]


def right_seed_for_python(batch_size, minibatch_size, *, generator):
    """Draws a seed from the generator and lets Python's random shuffle with it."""
    seed = int(torch.randint(2**62, (1,), generator=generator).item())
    rows = random.Random(seed).sample(range(batch_size), batch_size)
    while rows:
        hand, rows = rows[:minibatch_size], rows[minibatch_size:]
        yield torch.as_tensor(hand, dtype=torch.int64)


def right_without_replacement(batch_size, minibatch_size, *, generator):
    """multinomial with equal weights, without replacement."""
    order = torch.multinomial(torch.ones(batch_size), batch_size, replacement=False, generator=generator)
    return [*torch.split(order, minibatch_size)]
