"""gradient_variance(gradients): how far gradient estimates scatter around their mean, as one number."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case


def gradient_variance(gradients: Tensor) -> Tensor:
    """Trace of the covariance matrix: the variance of each parameter's gradient over the samples, summed.

    Args: gradients: [M, P], M >= 2 estimates of the same gradient. Returns: scalar, unbiased (divided by M - 1).
    """
    return gradients.var(dim=0, correction=1).sum()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"gradients": torch.tensor([[1.0, 2.0], [3.0, 6.0]])}
    # A single parameter: what torch.cov gives is no matrix.
    yield {"gradients": torch.tensor([[1.0], [3.0], [8.0]])}
    yield {"gradients": torch.tensor([[1.0, 10.0], [2.0, 30.0], [3.0, 20.0]])}
    yield {"gradients": torch.tensor([[4.0, -1.0], [4.0, -1.0], [4.0, -1.0]])}
    yield {"gradients": torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, -2.0]])}
    # A mean that is large beside the scatter: squares of single precision hold too few digits for their difference.
    yield {"gradients": torch.tensor([[10000.0, 0.0], [10001.0, 2.0]])}
    source = generator(seed)
    yield {"gradients": random_gradients(source, 10, 6)}
    yield {"gradients": random_gradients(source, 4, 4)}
    yield {"gradients": random_gradients(source, 7, 3, dtype=torch.float64)}


def random_gradients(
    source: torch.Generator, samples: int, parameters: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Estimates whose mean is not 0, whose parameters differ in spread, and move together."""
    shared = normal(source, samples, 1, dtype=dtype)
    own = normal(source, samples, parameters, dtype=dtype)
    return (shared + own) * torch.linspace(0.5, 3, parameters, dtype=dtype) + 1.5


def mistake(id: str, explanation: str, *formulas: Callable[[Tensor], Tensor]) -> Misconception:
    """A misconception in all formulas, the first of which is shown."""
    return Misconception(id, explanation, formulas[0], formulas[1:])


def squares_minus_square(gradients: Tensor) -> Tensor:
    """The mean of the squares minus the square of the mean, unbiased, in single precision."""
    gradients, samples = gradients.float(), len(gradients)
    return (gradients.square().mean(0) - gradients.mean(0).square()).sum() * samples / (samples - 1)


EXERCISE = Exercise.listed(
    "gradient_variance",
    cases=cases,
    observe=Call("gradients"),
    reference=gradient_variance,
    tolerance=Tolerance(number_for_scalar=True),
    hints=(
        "Every column is one parameter, every row one estimate of the whole gradient. The trace of a matrix is the sum of its "
        "diagonal: what stands on the diagonal of a covariance matrix?",
        "The variance of each column over its M rows, divided by M - 1, then the sum over the P columns. torch's var takes the "
        "axis to run over, and divides by M - 1 unless told otherwise.",
        "return gradients.var(dim=0).sum()",
    ),
    misconceptions=(
        mistake(
            "divided-by-m",
            "You divided by M. The mean is estimated from the same samples and lies closer to them than the true one, so this "
            "comes out too small, by half with two samples. Divide by M - 1.",
            lambda gradients: gradients.var(0, correction=0).sum(),
        ),
        mistake(
            "mean-for-sum",
            "You averaged over the parameters. The trace is a sum: but for the division by M - 1, it is the mean squared "
            "distance between an estimate and the mean gradient, and a network with more parameters has more of it.",
            lambda gradients: gradients.var(0).mean(),
            lambda gradients: gradients.var(0, correction=0).mean(),
        ),
        mistake(
            "along-the-wrong-axis",
            "You took the variance within each row, across parameters. That says how much the parameters differ, not how much "
            "the estimates scatter. The samples are rows: run over dim 0.",
            lambda gradients: gradients.var(1, correction=0).sum(),
            lambda gradients: gradients.var(1).sum(),
            lambda gradients: gradients.var(1).mean(),
            lambda gradients: gradients.var(1, correction=0).mean(),
            lambda gradients: (gradients - gradients.mean(1, keepdim=True)).square().sum() / (len(gradients) - 1),
        ),
        mistake(
            "all-entries-in-one-heap",
            "You took one variance over all M times P numbers. It also counts how much the parameters' means differ, which is no "
            "noise. Each parameter has a mean of its own: run over dim 0, then sum.",
            lambda gradients: gradients.var(),
            lambda gradients: gradients.var(correction=0),
            lambda gradients: gradients.var() * gradients.shape[1],
            lambda gradients: (gradients - gradients.mean()).square().sum() / (len(gradients) - 1),
        ),
        mistake(
            "mean-not-subtracted",
            "You averaged the squares without subtracting the mean. That is noise plus the squared mean gradient, so a long "
            "gradient would look noisy. Three equal estimates must give 0.",
            lambda gradients: gradients.square().sum(1).mean(),
            lambda gradients: gradients.square().sum() / (len(gradients) - 1),
            lambda gradients: gradients.square().mean(),
        ),
        mistake(
            "squares-minus-square",
            "On paper, the mean of the squares minus the square of the mean is the variance. Where the mean is large beside the "
            "scatter, two nearly equal numbers are subtracted, and what is left is their rounding. Subtract the mean from the "
            "estimates first, then square.",
            squares_minus_square,
        ),
        mistake(
            "root-taken",
            "You summed standard deviations, or took the square root of the trace. The variances add up, their roots do not, and "
            "a root is in another unit. The variance itself halves when twice as many episodes are averaged: leave the root out.",
            lambda gradients: gradients.std(0).sum(),
            lambda gradients: gradients.std(0).mean(),
            lambda gradients: gradients.var(0).sum().sqrt(),
        ),
        mistake(
            "variance-of-the-lengths",
            "You took the variance of the gradients' lengths. Estimates of equal length can point anywhere: opposite ones would "
            "have no variance. Compare the vectors entry by entry.",
            lambda gradients: gradients.norm(dim=1).var(),
            lambda gradients: gradients.norm(dim=1).var(correction=0),
            lambda gradients: gradients.square().sum(1).var(),
        ),
        mistake(
            "whole-matrix-summed",
            "You summed the whole covariance matrix, or summed each gradient's entries first, which is the same. Entries of "
            "opposite sign then cancel. The trace takes only the diagonal, the variances.",
            lambda gradients: torch.cov(gradients.T).sum(),
            lambda gradients: gradients.sum(1).var(correction=0),
        ),
        mistake(
            "one-variance-for-each-parameter",
            "You returned one variance for each parameter. They are right; one number is asked for, so that two estimators can "
            "be compared: their sum.",
            lambda gradients: gradients.var(0),
            lambda gradients: gradients.var(0, correction=0),
        ),
        mistake(
            "single-parameter-forgotten",
            "Your function stops with an error where there is a single parameter: of one column, torch.cov and np.cov give a "
            "bare number in place of a matrix, and that has no diagonal. The variance of each column, summed, needs no matrix.",
            lambda gradients: torch.cov(gradients.T).trace(),
            lambda gradients: torch.cov(gradients.T).diagonal().sum(),
            lambda gradients: torch.diag(torch.cov(gradients.T)).sum(),
        ),
        mistake(
            "divided-by-another-number",
            "You summed the squared distances from the mean gradient and did not divide, or not by M - 1 alone. Divided by M "
            "once more, it is the variance of the mean of all estimates; undivided, it grows with their number. Asked for is the "
            "variance of a single estimate.",
            lambda gradients: gradients.var(0).sum() * (len(gradients) - 1),
            lambda gradients: gradients.var(0).sum() / len(gradients),
            lambda gradients: gradients.var(0, correction=0).sum() / len(gradients),
        ),
    ),
)
