"""minibatches(batch_size, minibatch_size, *, generator): each row once, in random order, a few rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.utils.data import BatchSampler, RandomSampler

from pgcourse.checks.cases import generator as seeded
from pgcourse.checks.cases import integers
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.minibatches import Minibatches
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_04.minibatches_judge import judge
from pgcourse.checks.unit_04.minibatches_wrong import MISCONCEPTIONS


def minibatches(batch_size: int, minibatch_size: int, *, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Index tensors that partition range(batch_size) in random order, each of minibatch_size but the last."""
    return torch.randperm(batch_size, generator=generator).split(minibatch_size)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. Small batches show what a partition is, large ones whether it is random."""
    source = seeded(seed)
    for batch_size, minibatch_size, epochs in (
        (4, 2, 12),
        (5, 2, 12),
        (1, 1, 2),
        (3, 3, 12),
        (64, 16, 3),
        (100, 32, 3),
    ):
        yield {
            "batch_size": batch_size,
            "minibatch_size": minibatch_size,
            "epochs": epochs,
            "seed": int(integers(source, 2**31)),
        }


def _generator_function(batch_size: int, minibatch_size: int, *, generator: torch.Generator) -> Iterator[Tensor]:
    order = torch.randperm(batch_size, generator=generator)
    for start in range(0, batch_size, minibatch_size):
        yield order[start : start + minibatch_size]


def _sorting_random_keys(batch_size: int, minibatch_size: int, *, generator: torch.Generator) -> list[Tensor]:
    order = torch.rand(batch_size, generator=generator, dtype=torch.float64).argsort()
    return list(torch.split(order, minibatch_size))


def _with_samplers(batch_size: int, minibatch_size: int, *, generator: torch.Generator) -> Iterable[Tensor]:
    sampler = RandomSampler(range(batch_size), generator=generator)
    return (torch.tensor(rows) for rows in BatchSampler(sampler, minibatch_size, drop_last=False))


def _drawing_one_by_one(batch_size: int, minibatch_size: int, *, generator: torch.Generator) -> list[Tensor]:
    left, found = list(range(batch_size)), []
    while left:
        count = min(minibatch_size, len(left))
        picks = [left.pop(int(torch.randint(len(left), (), generator=generator))) for _ in range(count)]
        found.append(torch.tensor(picks))
    return found


EXERCISE = Exercise(
    id="minibatches",
    unit="04",
    title="Minibatches",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    observe=Minibatches(),
    judge=judge,
    show_case=lambda case: (
        f"minibatches({case['batch_size']}, {case['minibatch_size']}, generator=...), called {case['epochs']} times, "
        "once for each epoch"
    ),
    reference=minibatches,
    alternatives=(_generator_function, _sorting_random_keys, _with_samplers, _drawing_one_by_one),
    hints=(
        "Think of a deck of batch_size cards: shuffle it once, then deal minibatch_size cards at a time until none is "
        "left. Which function of torch shuffles the numbers from 0 to batch_size - 1?",
        "torch.randperm(batch_size, generator=generator) is the shuffled deck. Cut it into pieces with split, or yield "
        "order[start : start + minibatch_size] in a loop over range(0, batch_size, minibatch_size). The last piece may "
        "be shorter.",
        "return torch.randperm(batch_size, generator=generator).split(minibatch_size)",
    ),
    misconceptions=MISCONCEPTIONS,
)
