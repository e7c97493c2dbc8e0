"""minibatches(batch_size, minibatch_size, *, generator): each row once, in random order, a few rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from pgcourse.checks.cases import generator as seeded
from pgcourse.checks.cases import integers
from pgcourse.checks.compare import CORRECT, Verdict
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.minibatches import Minibatches
from pgcourse.checks.observe.record import Arrays, Case


def minibatches(batch_size: int, minibatch_size: int, *, generator: Generator) -> tuple[Tensor, ...]:
    """Index tensors that partition range(batch_size) in random order, each of minibatch_size but the last."""
    return shuffled(batch_size, generator).split(minibatch_size)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. Small batches show what a partition is, large ones whether it is random."""
    source = seeded(seed)
    names = ("batch_size", "minibatch_size", "epochs")
    for sizes in ((4, 2, 12), (5, 2, 12), (1, 1, 2), (3, 3, 12), (64, 16, 3), (100, 32, 3)):
        yield {**dict(zip(names, sizes, strict=True)), "seed": int(integers(source, 2**31))}


LARGE = 32  # rows from which a true shuffle looks like none of the false ones, except about once in 10^9 epochs

Violation = tuple[str, str, str]


def judge(case: Case, arrays: Arrays) -> Verdict:
    """Judge one observation. The kind joins the ids of all violated properties."""
    found = _not_iterable(arrays) or [*_partition(case, arrays), *_sizes(case, arrays), *_shuffle(case, arrays)]
    if not found:
        return CORRECT
    return Verdict(False, "+".join(id for id, _, _ in found), found[0][1], found[0][2])


def _not_iterable(arrays: Arrays) -> list[Violation]:
    kind = str(arrays["result.kind"])
    if "entry.kind" in arrays:
        entry = str(arrays["entry.kind"])
        text = f"Iterating over your result gives a {entry}, expected 1-D index tensors of dtype int64."
        return [(f"entry-{entry}", text, "")]
    if "endless" in arrays:
        return [("endless", "Your function goes on giving minibatches when every row has been used.", "")]
    if "rows 0" not in arrays:
        missing = ": is a return or a yield missing?" if kind == "NoneType" else "."
        return [
            (f"returns-{kind}", f"Your function returned a {kind}, expected index tensors to loop over{missing}", "")
        ]
    return []


def _epochs(case: Case, arrays: Arrays, name: str) -> list[np.ndarray]:
    return [arrays[f"{name} {epoch}"] for epoch in range(case["epochs"])]


def _partition(case: Case, arrays: Arrays) -> list[Violation]:
    size: int = case["batch_size"]
    found: list[Violation] = []
    parts = zip(_epochs(case, arrays, "rows"), _epochs(case, arrays, "sizes"), strict=True)
    inside = any(len(set(part)) < len(part) for rows, sizes in parts for part in np.split(rows, np.cumsum(sizes)[:-1]))
    repeated = "repeated-in-a-minibatch" if inside else "repeated"
    for epoch, rows in enumerate(_epochs(case, arrays, "rows")):
        shown = f"Epoch {epoch + 1}: got the rows {_listed(rows)}."
        kinds = {id for id, _, _ in found}
        if rows.size and (rows.min() < 0 or rows.max() >= size):
            if "outside" not in kinds:
                found.append(("outside", f"Rows go from 0 to {size - 1}; yours leave that range.", shown))
            continue
        counts = np.bincount(rows, minlength=size)
        if (counts == 0).any() and "missing" not in kinds:
            text = "Some rows are in no minibatch; every epoch must use each row of the batch once."
            found.append(("missing", text, f"{shown} Missing: {_listed(np.flatnonzero(counts == 0))}."))
        if (counts > 1).any() and repeated not in kinds:
            text = "Some rows come more than once in an epoch; every epoch must use each row of the batch once."
            found.append((repeated, text, f"{shown} Repeated: {_listed(np.flatnonzero(counts > 1))}."))
    return found


def _sizes(case: Case, arrays: Arrays) -> list[Violation]:
    size, wanted = case["batch_size"], case["minibatch_size"]
    full, rest = divmod(size, wanted)
    expected = [wanted] * full + [rest] * (rest > 0)
    for sizes in _epochs(case, arrays, "sizes"):
        if sizes.tolist() != expected:
            text = "The minibatches have other sizes than asked for: each has minibatch_size rows, the last the rest."
            return [("sizes", text, f"Got sizes {_listed(sizes)}, expected {_listed(np.array(expected))}.")]
    return []


def _shuffle(case: Case, arrays: Arrays) -> list[Violation]:
    if case["batch_size"] < LARGE:
        return []
    epochs, sizes = _epochs(case, arrays, "rows"), _epochs(case, arrays, "sizes")
    found = []
    first = f"The first rows of epoch 1: {_listed(epochs[0][:8])}; of epoch 2: {_listed(epochs[1][:8])}."
    # A shuffle of 64 rows has about two neighbours that stay neighbours; a rotation or whole blocks have most of them.
    if np.mean(np.abs(np.diff(epochs[0])) == 1) > 0.25:
        found.append(("order", "The rows come in their old order, wholly or in long stretches.", first))
    elif _contiguous(epochs[0], sizes[0]):
        text = "Each minibatch holds neighbouring rows only, shuffled among themselves."
        found.append(("neighbours", text, first))
    if all(np.array_equal(epochs[0], other) for other in epochs[1:]):
        found.append(("same-order", "Every epoch has the same order; each needs a new one.", first))
    if not arrays["repeated with the same seed"]:
        text = "A generator with the same seed gives another order each time, so a run cannot be repeated."
        found.append(("not-repeatable", text, ""))
    if arrays["repeated with another seed"]:
        text = "Generators with different seeds give the same order, so seeds change nothing."
        found.append(("seed-ignored", text, ""))
    return found


def _contiguous(rows: np.ndarray, sizes: np.ndarray) -> bool:
    parts = np.split(rows, np.cumsum(sizes)[:-1])
    return all(part.size and part.max() - part.min() == part.size - 1 for part in parts)


def _listed(numbers: np.ndarray) -> str:
    text = ", ".join(str(int(number)) for number in numbers[:12])
    return f"[{text}{', ...' if len(numbers) > 12 else ''}]"


def shuffled(size: int, generator: Generator) -> Tensor:
    """All rows in random order."""
    return torch.randperm(size, generator=generator)


def mistake(id: str, explanation: str, *deals: Callable[[int, int, Generator], Iterable[Any]]) -> Misconception:
    """A misconception from (batch size, minibatch size, generator) -> what is dealt; further ones break other rules."""

    def dealing(deal: Callable[[int, int, Generator], Iterable[Any]]) -> Callable[..., Iterable[Any]]:
        return lambda size, part, *, generator: deal(size, part, generator)

    wrong, *variants = map(dealing, deals)
    return Misconception(id, explanation, wrong, tuple(variants))


EXERCISE = Exercise.listed(
    "minibatches",
    cases=cases,
    observe=Minibatches(),
    judge=judge,
    show_case=lambda case: (
        f"minibatches({case['batch_size']}, {case['minibatch_size']}, generator=...), called {case['epochs']} times, "
        "once for each epoch"
    ),
    reference=minibatches,
    hints=(
        "Think of a deck of batch_size cards: shuffle it once, then deal minibatch_size cards at a time until none is "
        "left. Which function of torch shuffles the numbers from 0 to batch_size - 1?",
        "torch.randperm(batch_size, generator=generator) is the shuffled deck. Cut it into pieces with split, or yield "
        "order[start : start + minibatch_size] in a loop over range(0, batch_size, minibatch_size). The last piece may "
        "be shorter.",
        "return torch.randperm(batch_size, generator=generator).split(minibatch_size)",
    ),
    misconceptions=(
        mistake(
            "with-replacement",
            "Some rows come several times in an epoch and others never: you drew with replacement, or drew each minibatch afresh "
            "from all rows. Draw one permutation of all rows, and cut that into pieces.",
            lambda size, part, generator: torch.randint(size, (size,), generator=generator).split(part),
            lambda size, part, generator: [
                shuffled(size, generator)[: min(part, size - start)] for start in range(0, size, part)
            ],
        ),
        mistake(
            "last-dropped",
            "You dropped the last minibatch, always or where it is shorter than the others. Those rows were collected at the "
            "same price as all the rest, so use them: the last one may be smaller. In a loop, the starts go on to batch_size.",
            lambda size, part, generator: shuffled(size, generator)[: size // part * part].split(part),
            lambda size, part, generator: shuffled(size, generator).split(part)[:-1],
        ),
        mistake(
            "last-filled-up",
            "You filled the last minibatch up with rows that the epoch has used already. They would count twice. The last "
            "minibatch may be smaller.",
            lambda size, part, generator: shuffled(size, generator)[torch.arange(size + -size % part) % size].split(
                part
            ),
        ),
        mistake(
            "rows-from-one",
            "Your rows are counted from 1. An index of Python begins with 0, so row 0 would never be used, and the last number "
            "points behind the batch.",
            lambda size, part, generator: (shuffled(size, generator) + 1).split(part),
        ),
        mistake(
            "not-shuffled",
            "You cut the batch in its old order. Neighbouring rows are neighbouring steps of the same episodes, so each "
            "minibatch would be of one kind and push the policy its own way. Shuffle before you cut.",
            lambda size, part, generator: torch.arange(size).split(part),
        ),
        mistake(
            "whole-blocks-shuffled",
            "Most rows still have their old neighbours, as if you had cut first and shuffled the pieces. Neighbours are steps of "
            "the same episodes. Shuffle all rows, then cut.",
            lambda size, part, generator: [
                *torch.arange(size // part * part).view(-1, part)[shuffled(size // part, generator)],
                *[torch.arange(size // part * part, size)] * (size % part > 0),
            ],
            lambda size, part, generator: [
                torch.arange(size).split(part)[i] for i in shuffled(-(-size // part), generator)
            ],
        ),
        mistake(
            "shuffled-inside-blocks",
            "You cut first and shuffled inside of each piece. A mean does not care about order, so this changes nothing: "
            "every epoch has the same minibatches. Shuffle all rows, then cut.",
            lambda size, part, generator: [
                rows[shuffled(len(rows), generator)] for rows in torch.arange(size).split(part)
            ],
        ),
        mistake(
            "generator-not-used",
            "The shuffle does not come from the generator that was handed in, but from the global random numbers. The same "
            "seed then gives another run, and nobody can repeat yours. Most functions of torch take generator=generator.",
            lambda size, part, generator: torch.randperm(size).split(part),
        ),
        mistake(
            "one-order-for-all-epochs",
            "Each call starts the random numbers anew, so every epoch has the same minibatches. Draw from the generator as "
            "it stands; it goes on by itself.",
            lambda size, part, generator: shuffled(size, generator.manual_seed(0)).split(part),
            lambda size, part, generator: shuffled(size, generator.manual_seed(generator.initial_seed())).split(part),
        ),
        mistake(
            "number-for-size",
            "You cut the batch into minibatch_size pieces. The argument is the number of rows in a piece, not the number of "
            "pieces: split takes the size, chunk the number.",
            lambda size, part, generator: shuffled(size, generator).chunk(part),
        ),
        mistake(
            "equal-pieces",
            "You made all pieces (nearly) equal. The contract asks for minibatches of minibatch_size, and a shorter one at "
            "the end where the batch does not divide.",
            lambda size, part, generator: shuffled(size, generator).tensor_split(-(-size // part)),
        ),
        mistake(
            "first-minibatch-only",
            "Your function ends after its first minibatch: a return inside the loop leaves it at once. Use yield there, or "
            "collect the pieces in a list and return it after the loop.",
            lambda size, part, generator: [shuffled(size, generator)[:part]],
        ),
        mistake(
            "not-cut",
            "Looping over your result gives single numbers, not minibatches. Either the permutation is not cut into pieces, "
            "or you returned one piece from inside of a loop, where a yield belongs.",
            lambda size, part, generator: shuffled(size, generator),
            lambda size, part, generator: shuffled(size, generator).tolist(),
        ),
        mistake(
            "no-index-tensors",
            "Your minibatches are not 1-D tensors of dtype int64: lists, NumPy arrays, another dtype, or an axis too many. The "
            "contract asks for index tensors, which select rows of every column of the batch on any device.",
            *(
                lambda size, part, generator, change=change: [
                    change(rows) for rows in shuffled(size, generator).split(part)
                ]
                for change in (Tensor.tolist, Tensor.numpy, Tensor.int, Tensor.float, lambda rows: rows[:, None])
            ),
        ),
        mistake(
            "reshaped",
            "You reshaped the permutation into rows of minibatch_size. That works only where the batch divides by it; "
            "otherwise the last minibatch is shorter, and a rectangle has no place for it. split does it.",
            lambda size, part, generator: shuffled(size, generator).view(-1, part),
            lambda size, part, generator: shuffled(size, generator).reshape(size // part, part),
        ),
    ),
)
