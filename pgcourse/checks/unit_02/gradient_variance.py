"""gradient_variance(gradients): how far gradient estimates scatter around their mean, as one number."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_02.gradient_variance_wrong import MISCONCEPTIONS


def gradient_variance(gradients: Tensor) -> Tensor:
    """Trace of the covariance matrix: the variance of each parameter's gradient over the samples, summed.

    Args: gradients: [M, P], M >= 2 estimates of the same gradient. Returns: scalar, unbiased (divided by M - 1).
    """
    return gradients.var(dim=0, correction=1).sum()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"gradients": torch.tensor([[1.0, 2.0], [3.0, 6.0]])}
    yield {"gradients": torch.tensor([[1.0, 10.0], [2.0, 30.0], [3.0, 20.0]])}
    yield {"gradients": torch.tensor([[4.0, -1.0], [4.0, -1.0], [4.0, -1.0]])}
    yield {"gradients": torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, -2.0]])}
    source = generator(seed)
    yield {"gradients": _gradients(source, 10, 6)}
    yield {"gradients": _gradients(source, 4, 4)}
    yield {"gradients": _gradients(source, 7, 3, dtype=torch.float64)}


def _gradients(source: torch.Generator, samples: int, parameters: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Estimates whose mean is not 0, whose parameters differ in spread, and move together."""
    shared = normal(source, samples, 1, dtype=dtype)
    own = normal(source, samples, parameters, dtype=dtype)
    return (shared + own) * torch.linspace(0.5, 3, parameters, dtype=dtype) + 1.5


def _with_covariance_matrix(gradients: Tensor) -> Tensor:
    return torch.cov(gradients.T).trace()


def _with_loop(gradients: Tensor) -> float:
    samples, total = len(gradients), 0.0
    for column in gradients.T.tolist():
        mean = sum(column) / samples
        total += sum((entry - mean) ** 2 for entry in column) / (samples - 1)
    return total


def _with_distances(gradients: Tensor) -> Tensor:
    """Mean squared distance from the mean gradient."""
    return (gradients - gradients.mean(0)).norm(dim=1).square().sum() / (len(gradients) - 1)


def _with_pairs(gradients: Tensor) -> Tensor:
    """Half the mean squared distance of two different samples."""
    samples = len(gradients)
    squared = (gradients[:, None] - gradients[None]).square().sum(-1)
    return squared.sum() / (2 * samples * (samples - 1))


def _with_second_moment(gradients: Tensor) -> Tensor:
    moment, mean = gradients.double().square().mean(0), gradients.double().mean(0)
    samples = len(gradients)
    return ((moment - mean.square()) * samples / (samples - 1)).sum().to(gradients.dtype)


def _with_numpy(gradients: Tensor) -> float:
    return float(gradients.numpy().var(axis=0, ddof=1).sum())


EXERCISE = Exercise(
    id="gradient_variance",
    unit="02",
    title="The variance of a gradient estimate",
    points=2,
    minutes=10,
    difficulty=1,
    cases=cases,
    observe=Call("gradients"),
    reference=gradient_variance,
    tolerance=Tolerance(number_for_scalar=True),
    alternatives=(
        _with_covariance_matrix,
        _with_loop,
        _with_distances,
        _with_pairs,
        _with_second_moment,
        _with_numpy,
    ),
    hints=(
        "Every column is one parameter, every row one estimate of the whole gradient. The trace of a matrix is the sum "
        "of its diagonal: what stands on the diagonal of a covariance matrix?",
        "The variance of each column over its M rows, divided by M - 1, then the sum over the P columns. torch's var "
        "takes the axis to run over, and divides by M - 1 unless told otherwise.",
        "return gradients.var(dim=0).sum()",
    ),
    misconceptions=MISCONCEPTIONS,
)
