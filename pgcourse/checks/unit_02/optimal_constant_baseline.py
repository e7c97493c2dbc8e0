"""optimal_constant_baseline(scores, returns): the one number to subtract that leaves the least variance."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_02.optimal_constant_baseline_wrong import MISCONCEPTIONS


def optimal_constant_baseline(scores: Tensor, returns: Tensor) -> Tensor:
    """The mean of the returns, each weighted by the squared length of its score: E[|g|^2 G] / E[|g|^2].

    Args: scores: [M, P]. returns: [M]. Returns: scalar, in units of reward; 0 where all scores are 0.
    """
    weights = scores.square().sum(dim=1)  # [M], squared lengths
    total = weights.sum()
    if total == 0:
        return torch.zeros_like(total)
    return (weights * returns).sum() / total


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"scores": torch.tensor([[1.0], [2.0]]), "returns": torch.tensor([1.0, 6.0])}
    # As many samples as parameters: a weight that is paired with the wrong axis raises no error here.
    yield {"scores": torch.tensor([[3.0, 4.0], [0.0, 1.0]]), "returns": torch.tensor([2.0, 28.0])}
    yield {"scores": torch.tensor([[1.0, 2.0]]), "returns": torch.tensor([-3.0])}
    yield {"scores": torch.zeros(3, 2), "returns": torch.tensor([1.0, 2.0, 6.0])}
    # The scores sum to 0, as they do on average, but they are not 0.
    yield {"scores": torch.tensor([[1.0, -1.0], [-2.0, 2.0], [0.0, 0.0]]), "returns": torch.tensor([5.0, 10.0, 40.0])}
    source = generator(seed)
    yield {"scores": _scores(source, 12, 5), "returns": normal(source, 12) * 10 + 30}
    yield {
        "scores": _scores(source, 9, 4, dtype=torch.float64),
        "returns": normal(source, 9, dtype=torch.float64) * 3 - 5,
    }


def _scores(source: torch.Generator, samples: int, parameters: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Scores of lengths from short to long, so that every way of weighting gives another number."""
    return normal(source, samples, parameters, dtype=dtype) * torch.linspace(0.2, 2, samples, dtype=dtype)[:, None]


def _with_loop(scores: Tensor, returns: Tensor) -> float:
    above = below = 0.0
    for score, value in zip(scores.tolist(), returns.tolist(), strict=True):
        weight = sum(entry**2 for entry in score)
        above += weight * value
        below += weight
    return above / below if below else 0.0


def _with_norm(scores: Tensor, returns: Tensor) -> Tensor:
    weights = torch.linalg.vector_norm(scores, dim=1) ** 2
    return torch.dot(weights, returns) / weights.sum().clamp(min=1e-8)


def _with_einsum(scores: Tensor, returns: Tensor) -> Tensor:
    above = torch.einsum("mp,mp,m->", scores, scores, returns) / len(returns)
    below = torch.einsum("mp,mp->", scores, scores) / len(returns)
    return above / (below + 1e-8)


def _with_nan_replaced(scores: Tensor, returns: Tensor) -> Tensor:
    squared = scores.double() ** 2
    baseline = (squared * returns.double()[:, None]).mean() / squared.mean()
    return torch.nan_to_num(baseline, nan=0.0).to(scores.dtype)


def _with_matrix(scores: Tensor, returns: Tensor) -> Tensor:
    weights = (scores @ scores.T).diagonal()
    return torch.where(weights.sum() > 0, weights @ returns / weights.sum(), torch.zeros_like(weights[0]))


def _with_least_squares(scores: Tensor, returns: Tensor) -> Tensor:
    """The baseline b that makes the mean of |g|^2 (G - b)^2 least, from the normal equation."""
    lengths = scores.norm(dim=1, keepdim=True)
    return torch.linalg.pinv(lengths).squeeze(0) @ (lengths.squeeze(1) * returns)


EXERCISE = Exercise(
    id="optimal_constant_baseline",
    unit="02",
    title="The constant baseline that leaves the least variance",
    points=2,
    minutes=15,
    difficulty=2,
    cases=cases,
    observe=Call("scores, returns"),
    reference=optimal_constant_baseline,
    tolerance=Tolerance(number_for_scalar=True),
    alternatives=(_with_loop, _with_norm, _with_einsum, _with_nan_replaced, _with_matrix, _with_least_squares),
    hints=(
        "It is a weighted mean of the returns, so it lies between the smallest and the largest of them. Which samples "
        "should count most: those whose score, the direction of the step, is long or short?",
        "One weight for each sample: the sum of the squares of its row of scores, [M, P] -> [M]. Then the sum of "
        "weight times return, divided by the sum of the weights. Ask first whether that divisor is 0.",
        "weights = scores.square().sum(dim=1); if weights.sum() == 0: return torch.zeros_like(weights.sum()); "
        "return (weights * returns).sum() / weights.sum().",
    ),
    misconceptions=MISCONCEPTIONS,
)
