"""interquartile_mean(x): the mean of the middle half of the runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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


def mean_of(below: float, above: float, later: int = 0, more: int = 0) -> Callable[[Tensor], Tensor]:
    """The mean of the sorted runs without a share on each side; the edges moved by so many places."""
    return lambda x: x.sort().values[int(below * len(x)) + later : len(x) - int(above * len(x)) + more].mean()


EXERCISE = Exercise.listed(
    "interquartile_mean",
    cases=cases,
    observe=Number("x"),
    reference=interquartile_mean,
    hints=(
        "Write the first case in order: 0, 1, 3, 100. A quarter of four is one number. Which two remain, and what is their "
        "mean?",
        "Sort, then take the places from len(x) // 4 up to 3 * len(x) // 4 with a slice, then the mean. torch.sort gives "
        "values and indices; you need the values.",
        "quarter = len(x) // 4; return x.sort().values[quarter : len(x) - quarter].mean()",
    ),
    misconceptions=(
        Misconception(
            "not-sorted",
            "You took the middle half in the order in which the runs came. The lowest and the highest quarter must go, so "
            "sort first.",
            lambda x: x[len(x) // 4 : -(len(x) // 4)].mean(),
        ),
        Misconception(
            "mean",
            "You averaged everything. One run of 100 among small ones then decides the result, and that run may have been "
            "luck: leave out the lowest and the highest quarter.",
            lambda x: x.mean(),
        ),
        Misconception(
            "median",
            "You took the median. It is robust too, but it looks at one or two runs only and so moves more from one repeat of "
            "the experiment to the next. Average the whole middle half.",
            lambda x: x.quantile(0.5),
            (lambda x: x.median(),),
        ),
        Misconception(
            "another-share-left-out",
            "You left out another share than a quarter on each side: an eighth, or the best and the worst run alone. The "
            "middle half is what remains when a quarter goes below and a quarter above.",
            mean_of(1 / 8, 1 / 8),
            (mean_of(0, 0, 1, -1),),
        ),
        Misconception(
            "one-too-many",
            "Your cut is one place off: the slice holds one number more or less than half of them, or begins one too late. A "
            "slice's end is not part of it; with 4 numbers, the second and third remain.",
            mean_of(1 / 4, 1 / 4, 0, 1),
            tuple(mean_of(1 / 4, 1 / 4, *places) for places in ((-1, 0), (1, 0), (0, -1), (1, 1))),
        ),
        Misconception(
            "one-side-only",
            "You cut on one side only. That moves the result: without the lowest quarter it is too high, without the highest "
            "too low. Cut a quarter on both sides.",
            mean_of(1 / 4, 0),
            (mean_of(0, 1 / 4), mean_of(0, 1 / 2)),
        ),
        Misconception(
            "quartiles-alone",
            "You took the two quartiles alone: their middle, or their distance, which is the interquartile range. Only two "
            "numbers count then; average everything that lies between them.",
            lambda x: (x.quantile(0.25) + x.quantile(0.75)) / 2,
            (
                lambda x: (middle(x)[0] + middle(x)[-1]) / 2,
                lambda x: x.quantile(0.75) - x.quantile(0.25),
                lambda x: middle(x)[-1] - middle(x)[0],
            ),
        ),
        Misconception(
            "kept-by-value",
            "You chose by value which runs stay: those between the two quartiles, or those nearest to the mean. Equal results "
            "(500, say) then stay or go together, or one side loses more than the other. Cut by place in the sorted order.",
            lambda x: x[(x >= x.quantile(0.25)) & (x <= x.quantile(0.75))].mean(),
            (
                lambda x: x[(x > x.quantile(0.25)) & (x < x.quantile(0.75))].mean(),
                lambda x: x[(x - x.mean()).abs().argsort()[: len(x) // 2]].mean(),
                lambda x: x[(x - x.quantile(0.5)).abs().argsort()[: len(x) // 2]].mean(),
            ),
        ),
        Misconception(
            "equal-results-counted-once",
            "You counted equal results once, as unique and set do. Five runs that all reach 500 are five results: all of them "
            "take part, and exactly half of the runs is kept.",
            lambda x: middle(x.unique()).mean() if len(x.unique()) > 3 else x.unique().mean(),
        ),
        Misconception(
            "clamped",
            "You replaced the outer quarters by the quartiles and averaged everything. That is a winsorised mean, in which "
            "the edges of the middle half count several times. Leave the outer quarters out.",
            lambda x: x.clamp(x.quantile(0.25), x.quantile(0.75)).mean(),
            (lambda x: x.clamp(middle(x)[0], middle(x)[-1]).mean(),),
        ),
    ),
)
