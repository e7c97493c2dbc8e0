"""explained_variance(values, returns): how much of the returns' variance the critic accounts for."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, normal
from pgcourse.checks.compare import Tolerance
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
    # Returns that hardly vary: far from 0, where the mean of squares less the square of the mean loses its digits, and near.
    # The last are so close to each other that allclose takes them for equal.
    for size, middle, dtype in (
        (0.05, 500.0, torch.float32),
        (0.005, 0.0, torch.float32),
        (0.001, 500.0, torch.float64),
    ):
        spread, error = size * normal(source, 16, dtype=dtype), size * normal(source, 16, dtype=dtype)
        yield {"values": middle + 0.7 * spread + 0.3 * error, "returns": middle + spread}


def written_out(values, returns):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    unexplained, total = (returns - values).var(correction=0), returns.var(correction=0)
    return 1 - unexplained / total


mistake = edits_of(written_out)

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
        mistake(
            "arguments-exchanged",
            "You divided by the variance of the values. Perhaps the two arguments are exchanged: the critic's values come "
            "first. The yardstick is how much the returns vary, because they are what is to be explained.",
            {"returns.var": "values.var"},
        ),
        mistake(
            "one-minus-missing",
            "You returned the share that is left unexplained, 0 for a perfect critic. The explained share is 1 minus that.",
            {"1 - ": ""},
        ),
        mistake(
            "mean-square-for-variance",
            "You took a mean square for a variance, which is taken around its own mean. Above, the mean square counts a "
            "constant offset of the critic as error (add 10 to every value: your number changes, and it should not); below, "
            "it makes every critic look good where the returns are far from 0.",
            {"values).var(correction=0)": "values).square().mean()"},
            {"values).var(correction=0)": "values).square().mean()", "returns.var(correction=0)": "returns.var()"},
            {"values).var(correction=0)": "values).square().sum()", "returns.var(correction=0)": "(returns**2).sum()"},
            {"returns.var(correction=0)": "returns.square().mean()"},
        ),
        mistake(
            "spread-without-the-variance",
            "You measured spread by something other than the variance: standard deviations, mean distances, the variance of "
            "absolute errors. The share is one of variances, and of errors with their signs: halving them leaves a quarter, "
            "not a half.",
            {"values).var": "values).std", "returns.var": "returns.std"},
            {"values).var": "values).abs().var"},
            lambda v, g: 1 - (g - v - (g - v).mean()).abs().mean() / (g - g.mean()).abs().mean(),
        ),
        mistake(
            "variance-of-the-values",
            "You compared how much the values vary with how much the returns vary. Values shuffled at random would score the "
            "same: nothing asks whether value and return belong together. Look at what is left after subtracting.",
            {"1 - unexplained": "values.var(correction=0)"},
            {"unexplained / total": "values.var(correction=0) / total"},
        ),
        mistake(
            "squared-correlation",
            "You returned the squared correlation. It would praise a critic that predicts the opposite, or half, of every "
            "return, because a straight line could repair it. Explained variance takes the values as they are.",
            {"1 - unexplained / total": "torch.corrcoef(torch.stack([values, returns]))[0, 1] ** 2"},
            {"1 - unexplained / total": "torch.corrcoef(torch.stack([values, returns]))[0, 1]"},
        ),
        mistake(
            "negative-cut-off",
            "You cut negative results off at 0. Below 0 is a critic worse than one that always predicts the mean return.",
            {"1 - unexplained / total": "(1 - unexplained / total).clamp(min=0)"},
        ),
        mistake(
            "two-kinds-of-variance",
            "One variance is divided by n and the other by n - 1 (torch's var by n - 1, numpy's by n): use one kind.",
            {"returns.var(correction=0)": "returns.var()"},
            {"values).var(correction=0)": "values).var()"},
        ),
    ),
)
