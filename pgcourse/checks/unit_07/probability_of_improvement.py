"""probability_of_improvement(x, y): how often a run of the first method beats a run of the second."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.record import Case
from pgcourse.checks.observe.statistics import Number
from pgcourse.statistics import probability_of_improvement


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. Whole numbers, so that some pairs are equal, and one pair that is nearly equal."""
    yield {"x": torch.tensor([3.0, 1.0]), "y": torch.tensor([2.0, 0.0])}
    yield {"x": torch.tensor([1.0, 2.0]), "y": torch.tensor([2.0])}
    yield {"x": torch.tensor([5.0, 5.0]), "y": torch.tensor([5.0, 5.0])}
    # The first has the higher mean by one lucky run, and loses most comparisons.
    yield {"x": torch.tensor([100.0, 110.0, 500.0]), "y": torch.tensor([150.0, 160.0, 140.0, 110.0])}
    yield {"x": torch.tensor([499.999, 500.0]), "y": torch.tensor([500.0])}
    source = generator(seed)
    yield {"x": (2 * normal(source, 8) + 1).round(), "y": (2 * normal(source, 8)).round()}
    x, y = (3 * normal(source, size, dtype=torch.float64) for size in (6, 9))
    yield {"x": x.round() - 5, "y": y.round() - 4}


def half(wins: Tensor, ties: Tensor) -> Tensor:
    """The mean of 1 for a win and 1/2 for a tie."""
    return (wins.double() + 0.5 * ties.double()).mean()


def pairs(x: Tensor, y: Tensor) -> Tensor:
    """x - y of all pairs, [R, S]."""
    return x[:, None] - y[None, :]


def points(x: Tensor, y: Tensor) -> Tensor:
    """Wins plus half of the ties over all pairs, not divided."""
    return half(pairs(x, y) > 0, pairs(x, y) == 0) * len(x) * len(y)


def run_by_run(x: Tensor, y: Tensor, ties: float = 0.5) -> Tensor:
    """Run 1 against run 1, run 2 against run 2, as far as both go."""
    length = min(len(x), len(y))
    return ((x[:length] > y[:length]) + ties * (x[:length] == y[:length])).double().mean()


def without_ties(x: Tensor, y: Tensor) -> Tensor:
    """Wins among the pairs that are decided; 0 / 0 where none is."""
    wins, losses = (pairs(x, y) > 0).sum(), (pairs(x, y) < 0).sum()
    return wins / (wins + losses)


def between_normals(x: Tensor, y: Tensor, correction: int = 1) -> Tensor:
    """The probability that one normal variable is above another, with the means and variances of x and y."""
    x, y = x.double(), y.double()
    spread = x.var(correction=correction) + y.var(correction=correction)
    return torch.special.ndtr((x.mean() - y.mean()) / spread.sqrt())


EXERCISE = Exercise.listed(
    "probability_of_improvement",
    cases=cases,
    observe=Number("x, y"),
    reference=probability_of_improvement,
    hints=(
        "With R runs of one method and S of the other there are R times S pairs. Write down the four pairs of the first case "
        "and say who wins each.",
        "x[:, None] > y[None, :] is a table [R, S] of who wins; == gives the ties. The answer is the mean over the table of 1 "
        "for a win, 1/2 for a tie, 0 for a loss. Two nested loops do as well.",
        "wins = x[:, None] > y[None, :]; ties = x[:, None] == y[None, :]; return (wins.float() + 0.5 * ties.float()).mean()",
    ),
    misconceptions=(
        Misconception(
            "run-by-run",
            "You compared run 1 with run 1, run 2 with run 2, or after sorting best with best. The runs are independent, so "
            "their places mean nothing: compare each run of X with every run of Y.",
            run_by_run,
            (
                lambda x, y: run_by_run(x, y, ties=0),
                lambda x, y: (x > y).double().mean(),
                lambda x, y: half(x > y, x == y),
                lambda x, y: run_by_run(x.sort(descending=True).values, y.sort(descending=True).values),
                lambda x, y: run_by_run(x.sort().values, y.sort().values),
            ),
        ),
        Misconception(
            "ties-lost",
            "You counted equal results as lost. Two methods that both always reach 500 would then each lose to the other: a "
            "tie counts one half.",
            lambda x, y: (pairs(x, y) > 0).double().mean(),
        ),
        Misconception(
            "ties-won",
            "You counted equal results as won. Two methods that both always reach 500 would then each beat the other: a tie "
            "counts one half.",
            lambda x, y: (pairs(x, y) >= 0).double().mean(),
        ),
        Misconception(
            "ties-left-out",
            "You left equal results out of the count. They are evidence that the methods are alike, and where all results "
            "are equal nothing remains (0 / 0). A tie counts one half.",
            without_ties,
            (lambda x, y: without_ties(x, y).nan_to_num(0.0), lambda x, y: without_ties(x, y).nan_to_num(0.5)),
        ),
        Misconception(
            "half-of-the-wins",
            "You halved the wins together with the ties. A win counts 1 and a tie one half, so a method that always wins has "
            "the probability 1.",
            lambda x, y: (pairs(x, y) >= 0).double().mean() / 2,
        ),
        Misconception(
            "nearly-equal-as-tie",
            "You take nearly equal results for ties, as isclose does. Results are compared as they are here: the smallest "
            "difference decides a pair, and only equal numbers share it.",
            lambda x, y: half((pairs(x, y) > 0) & ~x[:, None].isclose(y), x[:, None].isclose(y)),
        ),
        Misconception(
            "the-other-way-round",
            "You computed how often Y beats X. Asked for is how often X, the first argument, beats Y.",
            lambda x, y: half(pairs(x, y) < 0, pairs(x, y) == 0),
            (lambda x, y: (pairs(x, y) < 0).double().mean(),),
        ),
        Misconception(
            "means-compared",
            "You compared the two means or medians. That says which method is better on average in this sample, yes or no; "
            "asked for is how often one run beats another, and one lucky run can turn a mean around.",
            lambda x, y: float(x.mean() > y.mean()),
            (lambda x, y: half(x.mean() > y.mean(), x.mean() == y.mean()), lambda x, y: float(x.median() > y.median())),
        ),
        Misconception(
            "against-the-mean",
            "You counted how many runs of X beat the mean of Y. The runs of Y differ among themselves too: compare with each "
            "of them.",
            lambda x, y: half(x > y.mean(), x == y.mean()),
            (lambda x, y: (x > y.mean()).double().mean(),),
        ),
        Misconception(
            "wins-minus-losses",
            "You took the losses away from the wins, which runs from -1 to 1. A probability runs from 0 to 1: wins plus half "
            "of the ties, divided by the number of pairs.",
            lambda x, y: pairs(x, y).sign().mean(),
        ),
        Misconception(
            "not-divided-by-all-pairs",
            "You counted the pairs that X wins, and divided by nothing or by a number of runs. Each run of X meets each run of "
            "Y, so there are R times S pairs to divide by.",
            points,
            (
                lambda x, y: points(x, y) / len(x),
                lambda x, y: points(x, y) / len(y),
                lambda x, y: points(x, y) / len(x) ** 2,
            ),
        ),
        Misconception(
            "normal-distributions-assumed",
            "You took both sets for normal distributions. Returns are often skewed or pile up at the limit, and one lucky run "
            "widens the fitted curve. No assumption is needed: count the pairs.",
            between_normals,
            (lambda x, y: between_normals(x, y, 0), lambda x, y: between_normals(x, y, 0).nan_to_num(0.5)),
        ),
    ),
)
