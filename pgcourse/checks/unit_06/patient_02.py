"""patient_02: the critic's loss, for values as the network gives them."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_02.value_loss import EXERCISE as VALUE_LOSS
from pgcourse.checks.unit_06 import in_training
from pgcourse.checks.unit_06.patient import Function, Patient, exercise_like, mistake, unpatched
from pgcourse.losses import value_loss
from pgcourse.study.traps import BROADCASTING


def ill(values, returns):  # type: ignore[no-untyped-def]
    """Half the mean squared error of the critic over a minibatch: a scalar.

    values: [B, 1], as the critic's last layer gives them, differentiable. returns: [B], the targets, without gradient.
    Example: values [[1], [2]] and returns [3, 2] give 0.5 * (4 + 0) / 2 = 1.
    """
    error = values - returns.detach()
    return 0.5 * error.square().mean()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"values": torch.tensor([[1.0], [2.0]]), "returns": torch.tensor([3.0, 2.0])}
    yield {"values": torch.tensor([[2.0]]), "returns": torch.tensor([5.0])}
    yield {"values": torch.tensor([[0.5], [4.0], [-2.0]]), "returns": torch.tensor([0.0, 1.0, 1.0])}
    source = generator(seed)
    yield {"values": normal(source, 8, 1) * 3, "returns": normal(source, 8) * 20 + 50}
    yield {"values": normal(source, 5, 1, dtype=torch.float64), "returns": normal(source, 5, dtype=torch.float64) + 2}


def of_columns(loss: Function) -> Function:
    """A loss of values [B], for values [B, 1]."""
    return lambda values, returns: loss(values.squeeze(-1), returns)


def of_errors(half_the_mean_square: Function) -> Function:
    """A loss of the errors [B, B] of every value with every return."""
    return lambda values, returns: half_the_mean_square(values - returns.detach())


PATIENT = Patient("patient_02", BROADCASTING, ill=ill, cured=of_columns(value_loss), seams=in_training.loss_of_values)
EXERCISE = exercise_like(
    VALUE_LOSS,
    "patient_02",
    cases=cases,
    observe=Call("values, returns", differentiable=("values",), constant=("returns",)),
    reference=PATIENT.cured,
    hints=(
        "Work the example of the docstring through the code by hand. How many errors does it have, and how many should two "
        "rows give?",
        "Write down the shape of every name in the code. Two tensors of B numbers each, one with an axis more, are paired in "
        "a way that nobody asked for.",
        "Bring both to the same shape before you subtract: values.squeeze(-1), or returns.unsqueeze(-1).",
    ),
    misconceptions=(
        unpatched(ill, "Print the shape of `error` for two rows."),
        mistake(
            "averaged-before-the-squares",
            "You took the mean over one axis of the [B, B] errors before you squared them, so each value meets the mean of "
            "all returns, or each return the mean of all values. Give the errors the shape [B] instead.",
            of_errors(lambda errors: 0.5 * errors.mean(1).square().mean()),
            of_errors(lambda errors: 0.5 * errors.mean(0).square().mean()),
        ),
        mistake(
            "first-value-for-all",
            "Every return is compared with the value of the first row. values[0] is the first row, of one number; the column "
            "of all values is values[:, 0].",
            of_errors(lambda errors: 0.5 * errors[0].square().mean()),
        ),
        mistake(
            "another-loss-of-the-error",
            "Large errors count less here than half their square: that is another loss, such as smooth_l1_loss. The loss was "
            "right, and only the shapes were not: leave it as it was.",
            of_columns(lambda values, returns: torch.nn.functional.smooth_l1_loss(values, returns.detach())),
            of_columns(lambda values, returns: (values - returns.detach()).abs().mean()),
        ),
    ),
    dress=of_columns,
)
