"""Wrong answers to explained_variance, each as a tensor and as a Python number."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception
from pgcourse.diagnostics import explained_variance

Formula = Callable[[Tensor, Tensor], Tensor]


def _as_number(formula: Formula) -> Callable[[Tensor, Tensor], float]:
    return lambda values, returns: formula(values, returns).item()


def _mistake(id: str, explanation: str, *formulas: Formula) -> Misconception:
    """A misconception whose spellings may give a tensor or a Python number."""
    spellings = [spelling for formula in formulas for spelling in (formula, _as_number(formula))]
    return Misconception(id, explanation, spellings[0], tuple(spellings[1:]))


def _in_place(values: Tensor, returns: Tensor) -> Tensor:
    variance = returns.var()
    returns -= values
    return 1 - returns.var() / variance


MISCONCEPTIONS = (
    _mistake(
        "arguments-exchanged",
        "You divided by the variance of the values. Perhaps the two arguments are exchanged: the critic's values "
        "come first. The yardstick is how much the returns vary, because they are what is to be explained.",
        lambda v, g: 1 - (g - v).var(correction=0) / v.var(correction=0),
    ),
    _mistake(
        "one-minus-missing",
        "You returned the share that is left unexplained: 0 for a perfect critic and 1 for a useless one. The "
        "explained share is what is missing to 1.",
        lambda v, g: (g - v).var(correction=0) / g.var(correction=0),
    ),
    _mistake(
        "sign-flipped",
        "The two terms are the wrong way round, so a perfect critic scores -1. Start from 1 and take away the share "
        "that is left unexplained.",
        lambda v, g: (g - v).var(correction=0) / g.var(correction=0) - 1,
    ),
    _mistake(
        "mean-squared-error",
        "You compared the mean squared error with the variance, which is the coefficient of determination R². It "
        "counts a constant offset of the critic as error. A variance is taken around its own mean, so explained "
        "variance does not see an offset: look at the second case, where every value is 10 too high.",
        lambda v, g: 1 - (g - v).square().mean() / g.var(correction=0),
        lambda v, g: 1 - (g - v).square().mean() / g.var(),
    ),
    _mistake(
        "returns-not-centred",
        "You divided by the mean square of the returns, not by their variance. Returns far from 0 then make every "
        "critic look good, because predicting their mean already counts as an explanation.",
        lambda v, g: 1 - (g - v).square().mean() / g.square().mean(),
        lambda v, g: 1 - (g - v).square().sum() / g.square().sum(),
        lambda v, g: 1 - (g - v).var(correction=0) / g.square().mean(),
        lambda v, g: 1 - (g - v).var() / g.square().mean(),
    ),
    _mistake(
        "standard-deviations",
        "You took the quotient of two standard deviations. The share is one of variances: halving the residual "
        "leaves a quarter of the variance, not a half.",
        lambda v, g: 1 - (g - v).std(correction=0) / g.std(correction=0),
    ),
    _mistake(
        "variance-of-the-values",
        "You compared how much the values vary with how much the returns vary. Values that are shuffled at random "
        "would score the same: nothing in it asks whether value and return belong together. Look at what is left "
        "after subtracting.",
        lambda v, g: v.var(correction=0) / g.var(correction=0),
        lambda v, g: 1 - v.var(correction=0) / g.var(correction=0),
    ),
    _mistake(
        "squared-correlation",
        "You returned the squared correlation. It would praise a critic that predicts the opposite, or half, of "
        "every return, because a straight line could repair it. Explained variance takes the values as they are.",
        lambda v, g: torch.corrcoef(torch.stack([v, g]))[0, 1] ** 2,
        lambda v, g: torch.corrcoef(torch.stack([v, g]))[0, 1],
    ),
    _mistake(
        "quotient-upside-down",
        "You divided the variance of the returns by that of the residual. A perfect critic then divides by 0. The "
        "returns' variance is the yardstick and stands below.",
        lambda v, g: 1 - g.var(correction=0) / (g - v).var(correction=0),
    ),
    _mistake(
        "negative-cut-off",
        "You cut negative results off at 0. Below 0 is what the diagnostic is there to show: such a critic is worse "
        "than one that always predicts the mean return.",
        lambda v, g: (1 - (g - v).var(correction=0) / g.var(correction=0)).clamp(min=0),
    ),
    _mistake(
        "two-kinds-of-variance",
        "One variance is divided by n and the other by n - 1, so the result is off by n / (n - 1) in its second "
        "term. torch's var divides by n - 1 and numpy's by n: use one kind for both.",
        lambda v, g: 1 - (g - v).var(correction=0) / g.var(),
        lambda v, g: 1 - (g - v).var() / g.var(correction=0),
    ),
    Misconception(
        "not-reduced",
        "You returned one number for each step. The variance of the residual is a single number for the whole "
        "batch: take it before you divide.",
        lambda v, g: 1 - (g - v).square() / g.var(correction=0),
        (lambda v, g: 1 - (g - v).square() / g.var(), lambda v, g: 1 - (g - v) / g),
    ),
    Misconception(
        "changed-in-place",
        "The number is right, but you subtracted inside the caller's tensor. The critic would then be trained "
        "towards residuals. Make a new tensor for them.",
        _in_place,
    ),
    Misconception(
        "always-float32",
        "The number is right, but float64 input came back as float32: torch.tensor makes float32 of a Python "
        "number. Return the number itself, or stay with tensors.",
        lambda v, g: torch.tensor(explained_variance(v, g).item()),
    ),
)
