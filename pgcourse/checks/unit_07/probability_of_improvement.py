"""probability_of_improvement(x, y): how often a run of the first method beats a run of the second."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.record import Case
from pgcourse.checks.observe.statistics import Number
from pgcourse.checks.unit_07.probability_of_improvement_wrong import MISCONCEPTIONS
from pgcourse.statistics import probability_of_improvement


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. Whole numbers, so that some pairs are equal."""
    yield {"x": torch.tensor([3.0, 1.0]), "y": torch.tensor([2.0, 0.0])}
    yield {"x": torch.tensor([1.0, 2.0]), "y": torch.tensor([2.0])}
    yield {"x": torch.tensor([5.0, 5.0]), "y": torch.tensor([5.0, 5.0])}
    # The first has the higher mean by one lucky run, and loses most comparisons.
    yield {"x": torch.tensor([100.0, 110.0, 500.0]), "y": torch.tensor([150.0, 160.0, 140.0, 110.0])}
    source = generator(seed)
    yield {"x": (2 * normal(source, 8) + 1).round(), "y": (2 * normal(source, 8)).round()}
    yield {
        "x": (3 * normal(source, 6, dtype=torch.float64)).round() - 5,
        "y": (3 * normal(source, 9, dtype=torch.float64)).round() - 4,
    }


def _with_loops(x: Tensor, y: Tensor) -> float:
    wins = 0.0
    for a in x.tolist():
        for b in y.tolist():
            wins += 1 if a > b else 0.5 if a == b else 0
    return wins / (len(x) * len(y))


def _with_signs(x: Tensor, y: Tensor) -> Tensor:
    return ((x.unsqueeze(1) - y).sign().mean() + 1) / 2


def _with_broadcasting(x: Tensor, y: Tensor) -> Tensor:
    return ((x[:, None] > y).float() + 0.5 * (x[:, None] == y).float()).mean()


def _with_search(x: Tensor, y: Tensor) -> Tensor:
    """Where each run of x would stand among those of y: from the left and from the right, halfway for ties."""
    ordered = y.sort().values
    places = torch.searchsorted(ordered, x) + torch.searchsorted(ordered, x, right=True)
    return places.double().mean() / (2 * len(y))


def _with_statistics_library(x: Tensor, y: Tensor) -> float:
    return statistics.fmean((a > b) + (a == b) / 2 for a in x.tolist() for b in y.tolist())


EXERCISE = Exercise(
    id="probability_of_improvement",
    unit="07",
    title="Probability of improvement",
    points=1,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=Number("x, y"),
    reference=probability_of_improvement,
    alternatives=(_with_loops, _with_signs, _with_broadcasting, _with_search, _with_statistics_library),
    hints=(
        "With R runs of one method and S of the other there are R times S pairs. Write down the four pairs of the first case "
        "and say who wins each.",
        "x[:, None] > y[None, :] is a table [R, S] of who wins; == gives the ties. The answer is the mean over the table of 1 "
        "for a win, 1/2 for a tie, 0 for a loss. Two nested loops do as well.",
        "wins = x[:, None] > y[None, :]; ties = x[:, None] == y[None, :]; return (wins.float() + 0.5 * ties.float()).mean()",
    ),
    misconceptions=MISCONCEPTIONS,
)
