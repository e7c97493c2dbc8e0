"""patient_02: the critic's loss, for values as the network gives them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_02.value_loss import EXERCISE as VALUE_LOSS
from pgcourse.checks.unit_06 import seams
from pgcourse.checks.unit_06.patient import Function, Patient
from pgcourse.checks.unit_06.shared import chosen, dressed, unpatched
from pgcourse.study.traps import BROADCASTING


def ill(values, returns):  # type: ignore[no-untyped-def]
    """Half the mean squared error of the critic over a minibatch: a scalar.

    values: [B, 1], as the critic's last layer gives them, differentiable. returns: [B], the targets, without gradient.
    Example: values [[1], [2]] and returns [3, 2] give 0.5 * (4 + 0) / 2 = 1.
    """
    error = values - returns.detach()
    return 0.5 * error.square().mean()


def patient_02(values: Tensor, returns: Tensor) -> Tensor:
    """Half the mean squared error, value by value."""
    error = values.squeeze(-1) - returns.detach()  # [B]
    return 0.5 * error.square().mean()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"values": torch.tensor([[1.0], [2.0]]), "returns": torch.tensor([3.0, 2.0])}
    yield {"values": torch.tensor([[2.0]]), "returns": torch.tensor([5.0])}
    yield {"values": torch.tensor([[0.5], [4.0], [-2.0]]), "returns": torch.tensor([0.0, 1.0, 1.0])}
    source = generator(seed)
    yield {"values": normal(source, 8, 1) * 3, "returns": normal(source, 8) * 20 + 50}
    yield {"values": normal(source, 5, 1, dtype=torch.float64), "returns": normal(source, 5, dtype=torch.float64) + 2}


def _dress(loss: Function) -> Function:
    return lambda values, returns: loss(values.squeeze(-1), returns)


def _with_column(values: Tensor, returns: Tensor) -> Tensor:
    return functional.mse_loss(values, returns.detach().unsqueeze(-1)) / 2


def _with_loop(values: Tensor, returns: Tensor) -> Tensor:
    terms = [(value[0] - target) ** 2 / 2 for value, target in zip(values, returns.tolist(), strict=True)]
    return torch.stack(terms).mean()


def _in_double_precision(values: Tensor, returns: Tensor) -> Tensor:
    error = values.reshape(-1).double() - returns.detach().double()
    return (error.dot(error) / (2 * len(error))).to(values.dtype)


def _transposed(values: Tensor, returns: Tensor) -> Tensor:
    return 0.5 * (values.squeeze(-1) - returns.detach()[:, None]).square().mean()


PATIENT = Patient(
    id="patient_02",
    trap=BROADCASTING,
    part="the critic's loss",
    ill=ill,
    cured=patient_02,
    seams=lambda function: {"update_fn": seams.LossUpdate(seams.loss_of_values, function)},
)
EXERCISE = Exercise(
    id="patient_02",
    unit="06",
    title="Patient 2",
    points=2,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=Call("values, returns", differentiable=("values",), constant=("returns",)),
    reference=patient_02,
    alternatives=(_with_column, _with_loop, _in_double_precision),
    hints=(
        "Work the example of the docstring through the code by hand. How many errors does it have, and how many "
        "should two rows give?",
        "Write down the shape of every name in the code. Two tensors of B numbers each, one with an axis more, are "
        "paired in a way that nobody asked for.",
        "Bring both to the same shape before you subtract: values.squeeze(-1), or returns.unsqueeze(-1).",
    ),
    misconceptions=(
        unpatched(ill, "Print the shape of `error` for two rows.", _transposed),
        Misconception(
            "averaged-before-the-squares",
            "You took the mean over one axis of the [B, B] errors before you squared them, so each value meets the "
            "mean of all returns. The critic still learns one number for all states. Give the errors the shape [B] "
            "instead.",
            lambda values, returns: 0.5 * (values - returns.detach()).mean(-1).square().mean(),
        ),
        *dressed(
            chosen(
                VALUE_LOSS.misconceptions, "gradient-into-the-returns", "half-missing", "sum-for-mean", "cut-off-from-the-critic",
                "python-number", "squared-after-averaging", "not-reduced", "sign-flipped",
            ),
            _dress,
        ),
    ),
)  # fmt: skip
