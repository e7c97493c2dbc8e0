"""interquartile_mean(x): the mean of the middle half."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.record import Case
from pgcourse.checks.observe.statistics import Number
from pgcourse.statistics import interquartile_mean


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. The fifth has equal numbers on both sides of a cut, as runs that reach 500 have."""
    yield {"x": torch.tensor([1.0, 100.0, 0.0, 3.0])}
    yield {"x": torch.tensor([9.0, 1.0, 2.0, 3.0, 100.0, 5.0, 7.0, 0.0])}
    yield {"x": torch.tensor([-200.0, -150.0, -1400.0, -170.0])}
    yield {"x": torch.tensor([500.0, 500.0, 500.0, 500.0])}
    yield {"x": torch.tensor([500.0, 200.0, 500.0, 500.0, 350.0, 500.0, 100.0, 500.0])}
    source = generator(seed)
    yield {"x": normal(source, 12).exp() * 50}
    yield {"x": normal(source, 20, dtype=torch.float64).exp() * 3 - 4}


def middle(x: Tensor) -> Tensor:
    """The middle half, sorted."""
    return x.sort().values[len(x) // 4 : -(len(x) // 4)]


def _between_quartiles(x: Tensor, strict: bool) -> Tensor:
    low, high = x.quantile(0.25), x.quantile(0.75)
    return x[(x > low) & (x < high)].mean() if strict else x[(x >= low) & (x <= high)].mean()


def _with_topk(x: Tensor) -> Tensor:
    """The upper three quarters, and of these the lowest two."""
    quarter = len(x) // 4
    return x.topk(3 * quarter).values.topk(2 * quarter, largest=False).values.mean()


def _in_python(x: Tensor) -> float:
    ordered = sorted(x.tolist())
    quarter = len(ordered) // 4
    return statistics.fmean(ordered[quarter : len(ordered) - quarter])


def _in_numpy(x: Tensor) -> float:
    ordered = x.double().numpy().copy()
    ordered.sort()
    low, high = int(0.25 * len(ordered)), int(0.75 * len(ordered))
    return ordered[low:high].mean()


def _with_chunks(x: Tensor) -> Tensor:
    _, second, third, _ = torch.sort(x)[0].chunk(4)
    return torch.cat([second, third]).mean()


MISCONCEPTIONS = (
    Misconception(
        "not-sorted",
        "You took the middle half in the order in which the runs came. The lowest and the highest quarter must go, so sort "
        "first.",
        lambda x: x[len(x) // 4 : -(len(x) // 4)].mean(),
    ),
    Misconception(
        "mean",
        "You averaged everything. One run of 100 among small ones then decides the result, and that run may have been luck: "
        "leave out the lowest and the highest quarter.",
        lambda x: x.mean(),
    ),
    Misconception(
        "median",
        "You took the median. It is robust too, but it looks at one or two runs only and so moves more from one repeat of the "
        "experiment to the next. Average the whole middle half.",
        lambda x: x.quantile(0.5),
        (lambda x: x.median(),),
    ),
    Misconception(
        "an-eighth-on-each-side",
        "You left out a quarter in all, an eighth on each side. The middle half is what remains when a quarter goes below and "
        "a quarter above.",
        lambda x: x.sort().values[len(x) // 8 : len(x) - len(x) // 8].mean(),
    ),
    Misconception(
        "one-too-many",
        "Your cut is one place off: the slice holds one number more or less than half of them. A slice's end is not part of "
        "it; with 4 numbers, the second and third remain.",
        lambda x: x.sort().values[len(x) // 4 : 3 * len(x) // 4 + 1].mean(),
        (
            lambda x: x.sort().values[len(x) // 4 - 1 : 3 * len(x) // 4].mean(),
            lambda x: x.sort().values[len(x) // 4 + 1 : 3 * len(x) // 4].mean(),
            lambda x: x.sort().values[len(x) // 4 : 3 * len(x) // 4 - 1].mean(),
            lambda x: x.sort().values[len(x) // 4 + 1 : 3 * len(x) // 4 + 1].mean(),
        ),
    ),
    Misconception(
        "one-side-only",
        "You cut on one side only. That moves the result: without the lowest quarter it is too high, without the highest too "
        "low. Cut a quarter on both sides.",
        lambda x: x.sort().values[len(x) // 4 :].mean(),
        (lambda x: x.sort().values[: -(len(x) // 4)].mean(), lambda x: x.sort().values[: len(x) // 2].mean()),
    ),
    Misconception(
        "outer-half",
        "You averaged the lowest and the highest quarter, which are the ones to be left out. Average what lies between them.",
        lambda x: torch.cat([x.sort().values[: len(x) // 4], x.sort().values[-(len(x) // 4) :]]).mean(),
    ),
    Misconception(
        "interquartile-range",
        "You took the distance between the quartiles. That is the interquartile range, a measure of spread; asked for is the "
        "mean of what lies between them.",
        lambda x: x.quantile(0.75) - x.quantile(0.25),
        (lambda x: middle(x)[-1] - middle(x)[0],),
    ),
    Misconception(
        "middle-of-the-quartiles",
        "You averaged the two quartiles. Only two numbers count then; average everything that lies between them.",
        lambda x: (x.quantile(0.25) + x.quantile(0.75)) / 2,
        (lambda x: (middle(x)[0] + middle(x)[-1]) / 2,),
    ),
    Misconception(
        "kept-by-value",
        "You kept the numbers between the two quartiles by comparing values. Where several runs have the same result (500, "
        "say), all of them are kept or none. Cut by place in the sorted order: exactly half remains.",
        lambda x: _between_quartiles(x, strict=False),
        (lambda x: _between_quartiles(x, strict=True),),
    ),
    Misconception(
        "clamped",
        "You replaced the outer quarters by the quartiles and averaged everything. That is a winsorised mean, in which the "
        "edges of the middle half count several times. Leave the outer quarters out.",
        lambda x: x.clamp(x.quantile(0.25), x.quantile(0.75)).mean(),
        (lambda x: x.clamp(middle(x)[0], middle(x)[-1]).mean(),),
    ),
    Misconception(
        "divided-by-all",
        "You divided the sum of the middle half by the number of all runs. Only half of them are in the sum: divide by their "
        "number.",
        lambda x: middle(x).sum() / len(x),
    ),
    Misconception(
        "not-averaged",
        "You returned the middle half itself, or its sum. Asked for is its mean, one number.",
        middle,
        (lambda x: middle(x).sum(),),
    ),
    Misconception(
        "x-sorted-in-place",
        "The number is right, but x is in another order afterwards: .numpy() shares memory with the tensor, and .sort() works in "
        "place. Use torch.sort or sorted, which make a new one.",
        lambda x: (x.numpy().sort(), x[len(x) // 4 : -(len(x) // 4)].mean())[1],
    ),
)

EXERCISE = Exercise(
    id="interquartile_mean",
    unit="07",
    title="Interquartile mean",
    points=1,
    minutes=6,
    difficulty=1,
    cases=cases,
    observe=Number("x"),
    reference=interquartile_mean,
    alternatives=(_with_topk, _in_python, _in_numpy, _with_chunks),
    hints=(
        "Write the first case in order: 0, 1, 3, 100. A quarter of four is one number. Which two remain, and what is their "
        "mean?",
        "Sort, then take the places from len(x) // 4 up to 3 * len(x) // 4 with a slice, then the mean. torch.sort gives "
        "values and indices; you need the values.",
        "quarter = len(x) // 4; return x.sort().values[quarter : len(x) - quarter].mean()",
    ),
    misconceptions=MISCONCEPTIONS,
)
