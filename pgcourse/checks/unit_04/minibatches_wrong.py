"""Wrong answers to minibatches."""

from __future__ import annotations

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception

Generator = torch.Generator


def _order(size: int, generator: Generator) -> Tensor:
    return torch.randperm(size, generator=generator)


def _own_draw_each_time(size: int, part: int, *, generator: Generator) -> list[Tensor]:
    counts = [min(part, size - start) for start in range(0, size, part)]
    return [_order(size, generator)[:count] for count in counts]


def _blocks(size: int, part: int, *, generator: Generator) -> list[Tensor]:
    """Whole blocks in another order; the short one stays last."""
    parts = torch.arange(size).split(part)
    full = [block for block in parts if len(block) == part]
    return [full[i] for i in _order(len(full), generator)] + [block for block in parts if len(block) < part]


def _all_blocks(size: int, part: int, *, generator: Generator) -> list[Tensor]:
    parts = torch.arange(size).split(part)
    return [parts[i] for i in _order(len(parts), generator)]


def _inside_blocks(size: int, part: int, *, generator: Generator) -> list[Tensor]:
    return [block[_order(len(block), generator)] for block in torch.arange(size).split(part)]


def _padded(size: int, part: int, *, generator: Generator) -> tuple[Tensor, ...]:
    order = _order(size, generator)
    return torch.cat([order, order[: -size % part]]).split(part)


def _overlapping(size: int, part: int, *, generator: Generator) -> list[Tensor]:
    order = _order(size, generator)
    return [order[start : start + part] for start in range(size)]


def _reseeding(size: int, part: int, *, generator: Generator) -> tuple[Tensor, ...]:
    return torch.randperm(size, generator=torch.Generator().manual_seed(0)).split(part)


def _restarting(size: int, part: int, *, generator: Generator) -> tuple[Tensor, ...]:
    return torch.randperm(size, generator=generator.manual_seed(generator.initial_seed())).split(part)


def _reseeding_globally(size: int, part: int, *, generator: Generator) -> tuple[Tensor, ...]:
    torch.manual_seed(0)
    return torch.randperm(size).split(part)


def _first_only(size: int, part: int, *, generator: Generator) -> Tensor:
    """What a `return` inside of the loop over starts gives."""
    return _order(size, generator)[:part]


def _whole_only(size: int, part: int, *, generator: Generator) -> list[Tensor]:
    order = _order(size, generator)
    return [order[start : start + part] for start in range(0, size - part + 1, part)]


MISCONCEPTIONS = (
    Misconception(
        "with-replacement",
        "You drew rows with replacement: some come several times in an epoch and others never. Draw one permutation of "
        "all rows, and cut that into pieces.",
        lambda size, part, *, generator: torch.randint(size, (size,), generator=generator).split(part),
        (
            lambda size, part, *, generator: [
                torch.randint(size, (min(part, size - start),), generator=generator) for start in range(0, size, part)
            ],
        ),
    ),
    Misconception(
        "drawn-afresh",
        "You drew each minibatch afresh from all rows, so some rows come again in the next one and others never come. "
        "Shuffle once in an epoch, then cut.",
        _own_draw_each_time,
    ),
    Misconception(
        "last-dropped",
        "You dropped the last minibatch where it is shorter than the others. Those rows were collected at the same price "
        "as all the rest, so use them: the last minibatch may be smaller.",
        _whole_only,
        (
            lambda size, part, *, generator: _order(size, generator)[: size // part * part].split(part),
            lambda size, part, *, generator: _order(size, generator)[: size // part * part].reshape(-1, part),
        ),
    ),
    Misconception(
        "last-filled-up",
        "You filled the last minibatch up with rows that the epoch has used already. They would count twice. The last "
        "minibatch may be smaller.",
        _padded,
    ),
    Misconception(
        "not-shuffled",
        "You cut the batch in its old order. Neighbouring rows are neighbouring steps of the same episodes, so each "
        "minibatch would be of one kind and push the policy its own way. Shuffle before you cut.",
        lambda size, part, *, generator: torch.arange(size).split(part),
        (lambda size, part, *, generator: torch.arange(size).flip(0).split(part),),
    ),
    Misconception(
        "whole-blocks-shuffled",
        "Most rows still have their old neighbours, as if you had cut first and shuffled the pieces. Neighbours are steps of "
        "the same episodes. Shuffle all rows, then cut.",
        _blocks,
        (_all_blocks,),
    ),
    Misconception(
        "shuffled-inside-blocks",
        "You cut first and shuffled inside of each piece. A mean does not care about order, so this changes nothing: "
        "every epoch has the same minibatches. Shuffle all rows, then cut.",
        _inside_blocks,
    ),
    Misconception(
        "generator-not-used",
        "The shuffle does not come from the generator that was handed in, but from the global random numbers. The same "
        "seed then gives another run, and nobody can repeat yours. Most functions of torch take generator=generator.",
        lambda size, part, *, generator: torch.randperm(size).split(part),
    ),
    Misconception(
        "one-order-for-all-epochs",
        "Each call starts the random numbers anew, so every epoch has the same minibatches. Draw from the generator as "
        "it stands; it goes on by itself.",
        _reseeding,
        (_restarting, _reseeding_globally),
    ),
    Misconception(
        "number-for-size",
        "You cut the batch into minibatch_size pieces. The argument is the number of rows in a piece, not the number of "
        "pieces: split takes the size, chunk the number.",
        lambda size, part, *, generator: _order(size, generator).chunk(part),
        (lambda size, part, *, generator: _order(size, generator).tensor_split(part),),
    ),
    Misconception(
        "equal-pieces",
        "You made all pieces (nearly) equal. The contract asks for minibatches of minibatch_size, and a shorter one at "
        "the end where the batch does not divide.",
        lambda size, part, *, generator: _order(size, generator).tensor_split(-(-size // part)),
    ),
    Misconception(
        "first-minibatch-only",
        "Your function ends after its first minibatch: a return inside the loop leaves it at once. Use yield there, or "
        "collect the pieces in a list and return it after the loop.",
        lambda size, part, *, generator: [_order(size, generator)[:part]],
    ),
    Misconception(
        "not-cut",
        "Looping over your result gives single numbers, not minibatches. Either the permutation is not cut into pieces, "
        "or you returned one piece from inside of a loop, where a yield belongs.",
        lambda size, part, *, generator: _order(size, generator),
        (_first_only,),
    ),
    Misconception(
        "lists-for-tensors",
        "Your minibatches are lists of numbers. The contract asks for index tensors, which select rows of every column "
        "of the batch on any device: turn each piece into a tensor.",
        lambda size, part, *, generator: [rows.tolist() for rows in _order(size, generator).split(part)],
    ),
    Misconception(
        "reshaped",
        "You reshaped the permutation into rows of minibatch_size. That works only where the batch divides by it; "
        "otherwise the last minibatch is shorter, and a rectangle has no place for it. split does it.",
        lambda size, part, *, generator: _order(size, generator).view(-1, part),
        (lambda size, part, *, generator: _order(size, generator).reshape(size // part, part),),
    ),
    Misconception(
        "overlapping",
        "Your minibatches overlap: the start moves on by one row, not by minibatch_size. Each row may be in one "
        "minibatch only.",
        _overlapping,
    ),
)
