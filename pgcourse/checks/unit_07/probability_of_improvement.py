"""probability_of_improvement(x, y): how often a run of the first method beats a run of the second."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.record import Case
from pgcourse.checks.observe.statistics import Number
from pgcourse.checks.rewritten import edits_of
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


def written_out(x, y):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    x, y = x.double(), y.double()
    gaps = x[:, None] - y
    wins, ties = gaps > 0, gaps == 0
    return (wins + 0.5 * ties).mean()


GAPS = "x[:, None] - y"
ANSWER = "(wins + 0.5 * ties).mean()"
mistake = edits_of(written_out)

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
        mistake(
            "run-by-run",
            "You compared run 1 with run 1, run 2 with run 2, or after sorting best with best. The runs are independent, so "
            "their places mean nothing: compare each run of X with every run of Y.",
            {GAPS: "x[: len(y)] - y[: len(x)]"},
            {GAPS: "x[: len(y)] - y[: len(x)]", "0.5": "0.0"},
            {GAPS: "x - y"},
            {GAPS: "x - y", "0.5": "0.0"},
            {GAPS: "x.sort().values[: len(y)] - y.sort().values[: len(x)]"},
            {GAPS: "x.sort().values[-len(y) :].flip(0) - y.sort().values[-len(x) :].flip(0)"},
        ),
        mistake(
            "ties-lost-or-won",
            "You counted equal results as lost, or as won. Two methods that both always reach 500 would then each lose to the "
            "other, or each beat it: a tie counts one half.",
            {"0.5": "0.0"},
            {"0.5": "1.0"},
        ),
        mistake(
            "ties-left-out",
            "You left equal results out of the count. They are evidence that the methods are alike, and where all results "
            "are equal nothing remains (0 / 0). A tie counts one half.",
            {ANSWER: "wins.sum() / (~ties).sum()"},
            {ANSWER: "(wins.sum() / (~ties).sum()).nan_to_num(0.0)"},
            {ANSWER: "(wins.sum() / (~ties).sum()).nan_to_num(0.5)"},
        ),
        mistake(
            "half-of-the-wins",
            "You halved the wins together with the ties. A win counts 1 and a tie one half, so a method that always wins has "
            "the probability 1.",
            {"(wins": "(0.5 * wins"},
        ),
        mistake(
            "nearly-equal-as-tie",
            "You take nearly equal results for ties, as isclose does. Results are compared as they are here: the smallest "
            "difference decides a pair, and only equal numbers share it.",
            {"return (wins": "ties = x[:, None].isclose(y)\n    return ((wins & ~ties)"},
        ),
        mistake(
            "the-other-way-round",
            "You computed how often Y beats X. Asked for is how often X, the first argument, beats Y.",
            {GAPS: "y - x[:, None]"},
            {GAPS: "y - x[:, None]", "0.5": "0.0"},
        ),
        mistake(
            "means-compared",
            "You compared the two means or medians. That says which method is better on average in this sample, yes or no; "
            "asked for is how often one run beats another, and one lucky run can turn a mean around.",
            {GAPS: "x.mean() - y.mean()"},
            {GAPS: "x.mean() - y.mean()", "0.5": "0.0"},
            {GAPS: "x.median() - y.median()"},
            {GAPS: "x.median() - y.median()", "0.5": "0.0"},
        ),
        mistake(
            "against-the-mean",
            "You counted how many runs of X beat the mean of Y. Its runs differ among themselves: compare with each of them.",
            {GAPS: "x - y.mean()"},
            {GAPS: "x - y.mean()", "0.5": "0.0"},
        ),
        mistake(
            "wins-minus-losses",
            "You took the losses away from the wins, which runs from -1 to 1. A probability runs from 0 to 1: wins plus half "
            "of the ties, divided by the number of pairs.",
            {ANSWER: "gaps.sign().mean()"},
        ),
        mistake(
            "not-divided-by-all-pairs",
            "You counted the pairs that X wins, and divided by nothing or by a number of runs. Each run of X meets each run of "
            "Y, so there are R times S pairs to divide by.",
            {".mean()": ".sum()"},
            {".mean()": ".sum() / len(x)"},
            {".mean()": ".sum() / len(y)"},
            {".mean()": ".sum() / len(x) ** 2"},
        ),
        mistake(
            "normal-distributions-assumed",
            "You took both sets for normal distributions. Returns are often skewed or pile up at the limit, and one lucky run "
            "widens the fitted curve. No assumption is needed: count the pairs.",
            {ANSWER: "torch.special.ndtr(gaps.mean() / (x.var() + y.var()).sqrt())"},
            {ANSWER: "torch.special.ndtr(gaps.mean() / gaps.std(correction=0))"},
            {ANSWER: "torch.special.ndtr(gaps.mean() / gaps.std(correction=0)).nan_to_num(0.5)"},
        ),
    ),
)
