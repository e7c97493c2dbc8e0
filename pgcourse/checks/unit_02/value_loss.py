"""value_loss(values, returns): what the critic minimises."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_02.value_loss_wrong import MISCONCEPTIONS
from pgcourse.losses import value_loss


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"values": torch.tensor([2.0]), "returns": torch.tensor([5.0])}
    yield {"values": torch.tensor([1.0, 2.0]), "returns": torch.tensor([3.0, 2.0])}
    yield {"values": torch.tensor([[1.0], [2.0]]), "returns": torch.tensor([3.0, 2.0])}
    yield {"values": torch.tensor([1.0, 2.0]), "returns": torch.tensor([[3.0], [2.0]])}
    yield {"values": torch.tensor([0.5, 4.0, -2.0]), "returns": torch.tensor([0.0, 1.0, 1.0])}
    source = generator(seed)
    yield {"values": normal(source, 8) * 3, "returns": normal(source, 8) * 20 + 50}
    yield {"values": normal(source, 6), "returns": normal(source, 6)}
    yield {"values": normal(source, 5, dtype=torch.float64), "returns": normal(source, 5, dtype=torch.float64) + 2}


def _with_library_loss(values: Tensor, returns: Tensor) -> Tensor:
    if values.shape != returns.shape:
        raise ValueError("shapes differ")
    return torch.nn.functional.mse_loss(values, returns.detach()) / 2


def _with_loop(values: Tensor, returns: Tensor) -> Tensor:
    if values.ndim != 1 or returns.ndim != 1:
        raise ValueError("both must be [B]")
    total = torch.zeros((), dtype=values.dtype)
    for value, target in zip(values, returns.tolist(), strict=True):
        total = total + (target - value) ** 2 / 2
    return total / len(values)


def _with_dot(values: Tensor, returns: Tensor) -> Tensor:
    if values.size() != returns.size():
        raise ValueError(f"{values.size()} against {returns.size()}")
    error = values - returns.data
    return error.dot(error) / (2 * error.numel())


def _with_no_grad(values: Tensor, returns: Tensor) -> Tensor:
    if values.dim() != returns.dim():
        raise ValueError("shapes differ")
    with torch.no_grad():
        targets = returns.clone()
    return torch.pow(targets - values, 2).mul(0.5).sum() / len(values)


def _in_double_precision(values: Tensor, returns: Tensor) -> Tensor:
    if list(values.shape) != list(returns.shape):
        raise ValueError("shapes differ")
    targets = torch.tensor(returns.tolist(), dtype=torch.float64)
    return torch.nn.MSELoss()(values.double(), targets).mul(0.5).to(values.dtype)


EXERCISE = Exercise(
    id="value_loss",
    unit="02",
    title="The critic's loss",
    points=1,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=Call("values, returns", differentiable=("values",), constant=("returns",)),
    reference=value_loss,
    alternatives=(_with_library_loss, _with_loop, _with_dot, _with_no_grad, _in_double_precision),
    hints=(
        "Work values [1, 2] and returns [3, 2] by hand: errors, squares, mean, half. Which of the two inputs may be "
        "changed to make the loss smaller?",
        "Compare the two shapes first, and raise ValueError where they differ. Then the errors, squared, averaged over "
        "the batch, times 0.5. The returns are the target: detach them, and leave the values attached.",
        "if values.shape != returns.shape: raise ValueError(...); "
        "return 0.5 * (values - returns.detach()).square().mean().",
    ),
    misconceptions=MISCONCEPTIONS,
)
