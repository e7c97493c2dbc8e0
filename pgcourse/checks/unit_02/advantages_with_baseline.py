"""advantages_with_baseline(returns, values): how much better it went than the critic had said."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_02.advantages_with_baseline_wrong import MISCONCEPTIONS


def advantages_with_baseline(returns: Tensor, values: Tensor) -> Tensor:
    """The advantage of REINFORCE with baseline, G_t - V(s_t), with the values as constants.

    Args: returns, values: [B], in units of reward. Returns: [B]. Raises: ValueError if shapes differ.
    """
    if returns.shape != values.shape:
        raise ValueError(
            f"returns have shape {list(returns.shape)} and values {list(values.shape)}; squeeze the extra axis, "
            "or broadcasting would pair every return with every value"
        )
    return returns - values.detach()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"returns": torch.tensor([3.0]), "values": torch.tensor([1.0])}
    yield {"returns": torch.tensor([10.0, 4.0, 7.0]), "values": torch.tensor([8.0, 5.0, 7.0])}
    yield {"returns": torch.tensor([10.0, 4.0]), "values": torch.tensor([[8.0], [5.0]])}
    yield {"returns": torch.tensor([3.0]), "values": torch.tensor([[1.0]])}
    source = generator(seed)
    yield {"returns": normal(source, 8) * 20 + 50, "values": normal(source, 8) * 20 + 45}
    yield {"returns": normal(source, 6), "values": normal(source, 6, 1)}
    yield {"returns": normal(source, 5, dtype=torch.float64), "values": normal(source, 5, dtype=torch.float64) - 2}


def _with_no_grad(returns: Tensor, values: Tensor) -> Tensor:
    if values.ndim != 1:
        raise ValueError("values must be [B]")
    with torch.no_grad():
        return torch.sub(returns, values)


def _with_loop(returns: Tensor, values: Tensor) -> Tensor:
    if values.dim() > 1:
        raise ValueError(values.shape)
    advantages = torch.zeros_like(returns)
    for index, (one, guess) in enumerate(zip(returns.tolist(), values.tolist(), strict=True)):
        advantages[index] = one - guess
    return advantages


def _with_check_of_the_result(returns: Tensor, values: Tensor) -> Tensor:
    advantages = (returns - values).detach()
    if advantages.shape != returns.shape:
        raise ValueError(f"expected {returns.shape}, got {advantages.shape}")
    return advantages


def _with_numpy(returns: Tensor, values: Tensor) -> Tensor:
    if values.size() != returns.size():
        raise ValueError("shapes differ")
    return torch.from_numpy(returns.detach().numpy() - values.detach().numpy())


def _in_double_precision(returns: Tensor, values: Tensor) -> Tensor:
    if tuple(values.shape) != tuple(returns.shape):
        raise ValueError("shapes differ")
    return (returns.double() - values.data.double()).to(returns.dtype)


EXERCISE = Exercise(
    id="advantages_with_baseline",
    unit="02",
    title="Advantages with a baseline",
    points=1,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=Call("returns, values", constant=("values",)),
    reference=advantages_with_baseline,
    alternatives=(_with_no_grad, _with_loop, _with_check_of_the_result, _with_numpy, _in_double_precision),
    hints=(
        "Positive where it went better than the critic said. And which of the two inputs comes from a network that "
        "this number must not train?",
        "Compare the two shapes before anything else, and raise ValueError where they differ. Then subtract, with the "
        "values cut off from their network by detach().",
        "if values.shape != returns.shape: raise ValueError(...); return returns - values.detach().",
    ),
    misconceptions=MISCONCEPTIONS,
)
