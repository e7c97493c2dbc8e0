"""gradient_variance(gradients): how far gradient estimates scatter around their mean, as one number."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of, generator, integers, normal
from pgcourse.checks.compare import Tolerance


def gradient_variance(gradients: Tensor) -> Tensor:
    """Trace of the covariance matrix: the variance of each parameter's gradient over the samples, summed.

    Args: gradients: [M, P], M >= 2 estimates of the same gradient. Returns: scalar, unbiased (divided by M - 1).
    """
    return gradients.var(dim=0, correction=1).sum()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"gradients": torch.tensor([[1.0, 2.0], [3.0, 6.0], [2.0, 4.0]])}
    # A single parameter: what torch.cov gives is no matrix.
    yield {"gradients": torch.tensor([[1.0], [3.0], [8.0]])}
    yield {"gradients": torch.tensor([[1.0, 10.0], [2.0, 30.0], [3.0, 20.0]])}
    yield {"gradients": torch.tensor([[4.0, -1.0], [4.0, -1.0], [4.0, -1.0]])}
    yield {"gradients": torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, -2.0]])}
    # A mean that is large beside the scatter: squares of single precision hold too few digits for their difference.
    yield {"gradients": torch.tensor([[100000.0, 0.0, 0.0], [100001.0, 0.0, 0.0]])}
    source = generator(seed)
    yield {"gradients": random_gradients(source, 10, 6)}
    yield {"gradients": random_gradients(source, 4, 4)}
    yield {"gradients": random_gradients(source, 7, 3, dtype=torch.float64)}
    # A single parameter, and a mean that is large beside the scatter.
    yield {"gradients": 100000.0 + torch.arange(4)[:, None] + integers(source, 10, 4, 1)}


def random_gradients(
    source: torch.Generator, samples: int, parameters: int, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Estimates whose mean is not 0, whose parameters differ in spread, and move together."""
    shared = normal(source, samples, 1, dtype=dtype)
    own = normal(source, samples, parameters, dtype=dtype)
    return (shared + own) * torch.linspace(0.5, 3, parameters, dtype=dtype) + 1.5


mistake = edits_of(gradient_variance)

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
            "divided-by-another-number",
            "The trace is a sum over the parameters, and each variance is divided by M - 1. You divided by another number: by "
            "M, which comes out too small, by M once more, by the number of parameters, or by nothing at all.",
            {"correction=1": "correction=0"},
            {"sum": "mean"},
            {"correction=1": "correction=0", "sum": "mean"},
            {"sum()": "sum() * (len(gradients) - 1)"},
            {"sum()": "sum() / len(gradients)"},
        ),
        mistake(
            "parameters-mixed",
            "You took the variance across parameters, within each row or over all M times P numbers. It also counts how much "
            "the parameters differ, which is no noise. The samples are rows: run over dim 0, then sum.",
            {"dim=0, correction=1": "dim=1, correction=0"},
            {"dim=0": "dim=1"},
            {"dim=0, correction=1": ""},
            {"dim=0, correction=1": "correction=0"},
            lambda gradients: gradients.var() * gradients.shape[1],
            lambda gradients: (gradients - gradients.mean()).square().sum() / (len(gradients) - 1),
            lambda gradients: (gradients - gradients.mean(1, keepdim=True)).square().sum() / (len(gradients) - 1),
        ),
        mistake(
            "mean-not-subtracted",
            "You averaged the squares without subtracting the mean. That is noise plus the squared mean gradient, so a long "
            "gradient would look noisy. Three equal estimates must give 0.",
            {"var(dim=0, correction=1)": "square().mean(dim=0)"},
            {"var(dim=0, correction=1).sum()": "square().sum() / (len(gradients) - 1)"},
            {"var(dim=0, correction=1).sum()": "square().mean()"},
        ),
        mistake(
            "squares-minus-square",
            "The mean of the squares minus the square of the mean is the variance on paper. Where the mean is large beside "
            "the scatter, what is left of two nearly equal numbers is rounding. Subtract the mean first, then square.",
            {
                "return": "gradients, M = gradients.float(), len(gradients)\n    return M / (M - 1) *",
                "gradients.var(dim=0, correction=1)": "(gradients.square().mean(0) - gradients.mean(0).square())",
            },
        ),
        mistake(
            "squares-minus-square-over-m",
            "The mean squared length minus the squared length of the mean is the variance divided by M; here M - 1 is asked "
            "for. Where the mean is large beside the scatter it is rounding besides. Subtract the mean first, then square.",
            {
                "return": "gradients = gradients.float()\n    return",
                "gradients.var(dim=0, correction=1)": "(gradients.square().mean(0) - gradients.mean(0).square())",
            },
            lambda gradients: gradients.square().sum(dim=1).mean() - gradients.mean(dim=0).square().sum(),
            lambda gradients: (gradients.norm(dim=1) ** 2).mean() - gradients.mean(dim=0).norm() ** 2,
            lambda gradients: (gradients.square().mean(0) - gradients.mean(0).square()).sum(),
        ),
        mistake(
            "root-taken",
            "You summed standard deviations, or took the square root of the trace. The variances add up, their roots do not, "
            "and a root is in another unit.",
            {".var": ".std"},
            {"sum()": "sum().sqrt()"},
        ),
        mistake(
            "each-estimate-made-one-number",
            "You made each estimate one number, its length or the sum of its entries, and took the variance of those. "
            "Opposite estimates have equal lengths, and in a sum entries of opposite sign cancel. Compare entry by entry.",
            {".var": ".norm(dim=1).var"},
            {".var": ".square().sum(dim=1).var"},
            {".var": ".sum(dim=1).var"},
            {"var(dim=0, correction=1)": "sum(dim=1).var(correction=0)"},
        ),
        mistake(
            "single-parameter-forgotten",
            "Your function stops with an error where there is a single parameter: of one column, torch.cov and np.cov give a "
            "bare number in place of a matrix, and that has no diagonal. The variance of each column, summed, needs no matrix.",
            lambda gradients: torch.cov(gradients.T).trace(),
            lambda gradients: torch.cov(gradients.T).diagonal().sum(),
            lambda gradients: torch.diag(torch.cov(gradients.T)).sum(),
        ),
    ),
)
