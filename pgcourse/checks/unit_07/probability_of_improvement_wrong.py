"""Wrong answers to probability_of_improvement."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception


def _half(wins: Tensor, ties: Tensor) -> Tensor:
    return (wins.double() + 0.5 * ties.double()).mean()


def paired(x: Tensor, y: Tensor) -> Tensor:
    """Run by run, as far as both go."""
    length = min(len(x), len(y))
    return _half(x[:length] > y[:length], x[:length] == y[:length])


def paired_strictly(x: Tensor, y: Tensor) -> Tensor:
    """Run by run, ties lost."""
    length = min(len(x), len(y))
    return (x[:length] > y[:length]).double().mean()


def _pairs(x: Tensor, y: Tensor) -> Tensor:
    return x[:, None] - y[None, :]


def _wins(x: Tensor, y: Tensor) -> Tensor:
    return (_pairs(x, y) > 0).double()


def _no_ties(x: Tensor, y: Tensor) -> Any:
    wins, losses = (_pairs(x, y) > 0).sum(), (_pairs(x, y) < 0).sum()
    return wins / (wins + losses)


def _normal_approximation(correction: int) -> Callable[[Tensor, Tensor], Any]:
    def attempt(x: Tensor, y: Tensor) -> Any:
        spread = x.var(correction=correction) + y.var(correction=correction)
        return torch.special.ndtr((x.mean() - y.mean()) / spread.sqrt())

    return attempt


MISCONCEPTIONS = (
    Misconception(
        "run-by-run",
        "You compared run 1 with run 1, run 2 with run 2. The runs are independent, so their order means nothing: compare each "
        "run of X with every run of Y.",
        paired,
        (paired_strictly, lambda x, y: (x > y).double().mean(), lambda x, y: _half(x > y, x == y)),
    ),
    Misconception(
        "sorted-run-by-run",
        "You sorted both and compared place by place: best with best, second with second. A new run of X does not meet the "
        "run of Y at its own place, but any of them.",
        lambda x, y: paired(x.sort(descending=True).values, y.sort(descending=True).values),
        (
            lambda x, y: paired(x.sort().values, y.sort().values),
            lambda x, y: paired_strictly(x.sort().values, y.sort().values),
            lambda x, y: paired_strictly(x.sort(descending=True).values, y.sort(descending=True).values),
        ),
    ),
    Misconception(
        "ties-lost",
        "You counted equal results as lost. Two methods that both always reach 500 would then each lose to the other: a tie "
        "counts one half.",
        lambda x, y: _wins(x, y).mean(),
    ),
    Misconception(
        "ties-won",
        "You counted equal results as won. Two methods that both always reach 500 would then each beat the other: a tie "
        "counts one half.",
        lambda x, y: (_pairs(x, y) >= 0).double().mean(),
    ),
    Misconception(
        "ties-left-out",
        "You left equal results out of the count. They are evidence that the methods are alike, and where all results are "
        "equal nothing remains (0 / 0). A tie counts one half.",
        _no_ties,
        (lambda x, y: _no_ties(x, y).nan_to_num(0.0), lambda x, y: _no_ties(x, y).nan_to_num(0.5)),
    ),
    Misconception(
        "the-other-way-round",
        "You computed how often Y beats X. Asked for is how often X, the first argument, beats Y.",
        lambda x, y: _half(_pairs(x, y) < 0, _pairs(x, y) == 0),
        (lambda x, y: (_pairs(x, y) < 0).double().mean(),),
    ),
    Misconception(
        "means-compared",
        "You compared the two means or medians. That says which method is better on average in this sample, yes or no; asked "
        "for is how often one run beats another, and one lucky run can turn a mean around.",
        lambda x, y: float(x.mean() > y.mean()),
        (
            lambda x, y: (x.mean() > y.mean()).double() + 0.5 * (x.mean() == y.mean()).double(),
            lambda x, y: float(x.median() > y.median()),
            lambda x, y: float(x.max() > y.max()),
        ),
    ),
    Misconception(
        "size-of-the-improvement",
        "You returned how much better X is, by its mean. Asked for is how often a run of X is better, a number from 0 to 1 "
        "without a unit.",
        lambda x, y: x.mean() - y.mean(),
        (lambda x, y: (x.mean() - y.mean()) / y.mean(), lambda x, y: x.median() - y.median()),
    ),
    Misconception(
        "against-the-mean",
        "You counted how many runs of X beat the mean or median of Y. The runs of Y differ among themselves too: compare with "
        "each of them.",
        lambda x, y: _half(x > y.mean(), x == y.mean()),
        (lambda x, y: (x > y.mean()).double().mean(),),
    ),
    Misconception(
        "wins-minus-losses",
        "You took the losses away from the wins, which runs from -1 to 1. A probability runs from 0 to 1: wins plus half of "
        "the ties, divided by the number of pairs.",
        lambda x, y: _pairs(x, y).sign().mean(),
    ),
    Misconception(
        "not-divided",
        "You counted the pairs that X wins. Divide by the number of all pairs, R times S.",
        lambda x, y: (_wins(x, y) + 0.5 * (_pairs(x, y) == 0)).sum(),
        (lambda x, y: _wins(x, y).sum(),),
    ),
    Misconception(
        "divided-by-the-runs",
        "You divided by the number of runs. Each run of X meets each run of Y, so there are R times S pairs to divide by.",
        lambda x, y: (_wins(x, y) + 0.5 * (_pairs(x, y) == 0)).sum() / len(x),
        (
            lambda x, y: (_wins(x, y) + 0.5 * (_pairs(x, y) == 0)).sum() / len(y),
            lambda x, y: (_wins(x, y) + 0.5 * (_pairs(x, y) == 0)).sum() / (len(x) + len(y)),
            lambda x, y: (_wins(x, y) + 0.5 * (_pairs(x, y) == 0)).sum() / len(x) ** 2,
        ),
    ),
    Misconception(
        "percent",
        "You returned percent. A probability runs from 0 to 1: leave out the factor of 100.",
        lambda x, y: 100 * (_wins(x, y) + 0.5 * (_pairs(x, y) == 0)).mean(),
    ),
    Misconception(
        "normal-distributions-assumed",
        "You took both sets for normal distributions. Returns are often skewed or pile up at the limit, and one lucky run "
        "widens the fitted curve. No assumption is needed: count the pairs.",
        _normal_approximation(1),
        (_normal_approximation(0),),
    ),
)
