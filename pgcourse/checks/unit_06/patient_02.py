"""patient_02: the critic's loss, for values as the network gives them."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, edits_of, generator, normal
from pgcourse.checks.unit_02.value_loss import EXERCISE as VALUE_LOSS
from pgcourse.checks.unit_06.patient import Patient, exercise_of
from pgcourse.study import hooks
from pgcourse.study.traps import BROADCASTING


def ill(values, returns):  # type: ignore[no-untyped-def]
    """Half the mean squared error of the critic over a minibatch: a scalar.

    values: [B, 1], as the critic's last layer gives them, differentiable. returns: [B], the targets: no gradient flows
    into them.
    Example: values [[1], [2]] and returns [3, 2] give 0.5 * (4 + 0) / 2 = 1.
    """
    error = values - returns.detach()
    return 0.5 * error.square().mean()


def patient_02(values: Tensor, returns: Tensor) -> Tensor:
    """Half the mean squared error of the critic over a minibatch."""
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


mistake = edits_of(patient_02)
PATIENT = Patient("patient_02", BROADCASTING, ill, patient_02, hooks.loss_of_values)
EXERCISE = exercise_of(
    PATIENT,
    "Print the shape of `error` for two rows.",
    like=VALUE_LOSS,
    cases=cases,
    observe=Call("values, returns", differentiable=("values",), constant=("returns",)),
    hints=(
        "Work the example of the docstring through the code by hand. How many errors does it have, and how many should two "
        "rows give?",
        "Write down the shape of every name in the code. Two tensors of B numbers each, one with an axis more, are paired in "
        "a way that nobody asked for.",
        "Bring both to the same shape before you subtract: values.squeeze(-1), or returns.unsqueeze(-1).",
    ),
    misconceptions=(
        mistake(
            "not-row-by-row",
            "Each return meets the value of the first row, values[0], or the mean of all values, or each value the mean of all "
            "returns. A value belongs to the return of its own row: give the errors the shape [B].",
            {".squeeze(-1)": "", "error.square": "error.mean(1).square"},
            {".squeeze(-1)": "", "error.square": "error.mean(0).square"},
            {"values.squeeze(-1)": "values[0]"},
        ),
    ),
    dress=lambda loss: lambda values, returns: loss(values.squeeze(-1), returns),
)
