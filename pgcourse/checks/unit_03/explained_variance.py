"""explained_variance(values, returns): how much of the returns' variance the critic accounts for."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.diagnostics import explained_variance


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. None has constant returns, for which there is no right answer."""
    yield {"values": torch.tensor([1.0, 2.0]), "returns": torch.tensor([1.0, 3.0])}
    yield {"values": torch.tensor([11.0, 13.0, 19.0]), "returns": torch.tensor([1.0, 3.0, 9.0])}
    yield {"values": torch.tensor([4.0, 4.0, 4.0, 4.0]), "returns": torch.tensor([1.0, 3.0, 2.0, 6.0])}
    yield {"values": torch.tensor([3.0, 2.0, 1.0]), "returns": torch.tensor([1.0, 2.0, 3.0])}
    source = generator(seed)
    returns = normal(source, 12) * 20 + 50
    yield {"values": 0.7 * returns + 5 * normal(source, 12), "returns": returns}
    double = normal(source, 7, dtype=torch.float64) * 3 - 4
    yield {"values": normal(source, 7, dtype=torch.float64) * 4, "returns": double}


EXERCISE = Exercise.listed(
    "explained_variance",
    cases=cases,
    observe=Call("values, returns"),
    reference=explained_variance,
    tolerance=Tolerance(number_for_scalar=True),
    hints=(
        "Two variances: that of the returns, and that of what is left of them once the critic's prediction is taken "
        "away. How do they compare for a perfect critic, and for one that always says the same?",
        "The residual is returns - values. Divide its variance by the variance of the returns, and take the quotient "
        "away from 1. Use the same kind of variance, biased or unbiased, above and below.",
        "return 1 - (returns - values).var() / returns.var()",
    ),
    misconceptions=(
        Misconception(
            "arguments-exchanged",
            "You divided by the variance of the values. Perhaps the two arguments are exchanged: the critic's values "
            "come first. The yardstick is how much the returns vary, because they are what is to be explained.",
            lambda v, g: 1 - (g - v).var(correction=0) / v.var(correction=0),
        ),
        Misconception(
            "one-minus-missing",
            "You returned the share that is left unexplained: 0 for a perfect critic and 1 for a useless one. The "
            "explained share is what is missing to 1.",
            lambda v, g: (g - v).var(correction=0) / g.var(correction=0),
        ),
        Misconception(
            "sign-flipped",
            "The two terms are the wrong way round, so a perfect critic scores -1. Start from 1 and take away the share "
            "that is left unexplained.",
            lambda v, g: (g - v).var(correction=0) / g.var(correction=0) - 1,
        ),
        Misconception(
            "mean-squared-error",
            "You compared the mean squared error with the variance, which is the coefficient of determination R². It "
            "counts a constant offset of the critic as error. A variance is taken around its own mean, so explained "
            "variance does not see an offset: look at the second case, where every value is 10 too high.",
            lambda v, g: 1 - (g - v).square().mean() / g.var(correction=0),
            variants=(lambda v, g: 1 - (g - v).square().mean() / g.var(),),
        ),
        Misconception(
            "returns-not-centred",
            "You divided by the mean square of the returns, not by their variance. Returns far from 0 then make every "
            "critic look good, because predicting their mean already counts as an explanation.",
            lambda v, g: 1 - (g - v).square().mean() / g.square().mean(),
            variants=(
                lambda v, g: 1 - (g - v).square().sum() / g.square().sum(),
                lambda v, g: 1 - (g - v).var(correction=0) / g.square().mean(),
                lambda v, g: 1 - (g - v).var() / g.square().mean(),
            ),
        ),
        Misconception(
            "standard-deviations",
            "You took the quotient of two standard deviations. The share is one of variances: halving the residual "
            "leaves a quarter of the variance, not a half.",
            lambda v, g: 1 - (g - v).std(correction=0) / g.std(correction=0),
        ),
        Misconception(
            "variance-of-the-values",
            "You compared how much the values vary with how much the returns vary. Values that are shuffled at random "
            "would score the same: nothing in it asks whether value and return belong together. Look at what is left "
            "after subtracting.",
            lambda v, g: v.var(correction=0) / g.var(correction=0),
            variants=(lambda v, g: 1 - v.var(correction=0) / g.var(correction=0),),
        ),
        Misconception(
            "squared-correlation",
            "You returned the squared correlation. It would praise a critic that predicts the opposite, or half, of "
            "every return, because a straight line could repair it. Explained variance takes the values as they are.",
            lambda v, g: torch.corrcoef(torch.stack([v, g]))[0, 1] ** 2,
            variants=(lambda v, g: torch.corrcoef(torch.stack([v, g]))[0, 1],),
        ),
        Misconception(
            "quotient-upside-down",
            "You divided the variance of the returns by that of the residual. A perfect critic then divides by 0. The "
            "returns' variance is the yardstick and stands below.",
            lambda v, g: 1 - g.var(correction=0) / (g - v).var(correction=0),
        ),
        Misconception(
            "negative-cut-off",
            "You cut negative results off at 0. Below 0 is what the diagnostic is there to show: such a critic is worse "
            "than one that always predicts the mean return.",
            lambda v, g: (1 - (g - v).var(correction=0) / g.var(correction=0)).clamp(min=0),
        ),
        Misconception(
            "two-kinds-of-variance",
            "One variance is divided by n and the other by n - 1, so the result is off by n / (n - 1) in its second "
            "term. torch's var divides by n - 1 and numpy's by n: use one kind for both.",
            lambda v, g: 1 - (g - v).var(correction=0) / g.var(),
            variants=(lambda v, g: 1 - (g - v).var() / g.var(correction=0),),
        ),
    ),
)
