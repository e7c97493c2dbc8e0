"""probability_of_improvement(x, y): how often a run of the first method beats a run of the second."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Case, Exercise, edits_of, generator, integers, normal
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
    y = 400 + integers(source, 100, 7 + int(integers(source, 20))).double()
    yield {"x": y + 2**-20 * integers(source, 2, len(y)), "y": y}  # equal, or nearly


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
            *({GAPS: by, "0.5": tie} for by in ("x[: len(y)] - y[: len(x)]", "x - y") for tie in ("0.5", "0.0")),
            {GAPS: "x.sort().values[: len(y)] - y.sort().values[: len(x)]"},
            {GAPS: "x.sort().values[-len(y) :].flip(0) - y.sort().values[-len(x) :].flip(0)"},
        ),
        mistake(
            "ties-not-halved",
            "You counted equal results as lost, as won, or not at all. Two methods that both always reach 500 would then each "
            "lose to the other, or each beat it, or have no result (0 / 0). A tie counts one half.",
            {"0.5": "0.0"},
            {"0.5": "1.0"},
            {ANSWER: "wins.sum() / (~ties).sum()"},
            {ANSWER: "(wins.sum() / (~ties).sum()).nan_to_num(0.0)"},
            {ANSWER: "(wins.sum() / (~ties).sum()).nan_to_num(0.5)"},
        ),
        mistake(
            "half-of-the-wins",
            "You halved the wins with the ties. A win counts 1: a method that always wins has the probability 1.",
            {"(wins": "(0.5 * wins"},
        ),
        mistake(
            "nearly-equal-as-tie",
            "You take nearly equal results for ties, as isclose does. The smallest difference decides a pair here.",
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
            "You compared means or medians, or each run of X with the mean of Y. One lucky run can turn a mean around, and runs "
            "differ among themselves: compare each run of X with each run of Y, and count.",
            *({GAPS: gaps, "0.5": tie} for gaps in ("x.mean() - y.mean()", "x - y.mean()") for tie in ("0.5", "0.0")),
            {GAPS: "x.median() - y.median()", "0.5": "0.0"},
        ),
        mistake(
            "wins-minus-losses",
            "You took the losses away from the wins, which runs from -1 to 1. Asked for is wins plus half of the ties.",
            {ANSWER: "gaps.sign().mean()"},
        ),
        mistake(
            "not-divided-by-all-pairs",
            "You divided by nothing or by a number of runs. Each run of X meets each of Y: there are R times S pairs.",
            *({".mean()": f".sum(){over}"} for over in ("", " / len(x)", " / len(y)", " / len(x) ** 2")),
        ),
        mistake(
            "normal-distributions-assumed",
            "You took both sets for normal distributions. Returns are often skewed or pile up at the limit: count the pairs.",
            {ANSWER: "torch.special.ndtr(gaps.mean() / (x.var() + y.var()).sqrt())"},
            {ANSWER: "torch.special.ndtr(gaps.mean() / gaps.std(correction=0))"},
            {ANSWER: "torch.special.ndtr(gaps.mean() / gaps.std(correction=0)).nan_to_num(0.5)"},
        ),
    ),
)
