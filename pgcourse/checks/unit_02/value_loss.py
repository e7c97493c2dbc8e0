"""value_loss(values, returns): what the critic minimises."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_02.unequal_shapes import mistake, refused_without_raising
from pgcourse.losses import value_loss


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"values": torch.tensor([2.0]), "returns": torch.tensor([5.0])}
    yield {"values": torch.tensor([1.0, 2.0]), "returns": torch.tensor([3.0, 2.0])}
    yield {"values": torch.tensor([[1.0], [2.0]]), "returns": torch.tensor([3.0, 2.0])}
    yield {"values": torch.tensor([1.0, 2.0]), "returns": torch.tensor([[3.0], [2.0]])}
    # A batch of one: the difference of [1, 1] and [1] has the shape of one of them.
    yield {"values": torch.tensor([[2.0]]), "returns": torch.tensor([5.0])}
    yield {"values": torch.tensor([2.0]), "returns": torch.tensor([[5.0]])}
    yield {"values": torch.tensor([0.5, 4.0, -2.0]), "returns": torch.tensor([0.0, 1.0, 1.0])}
    source = generator(seed)
    yield {"values": normal(source, 8) * 3, "returns": normal(source, 8) * 20 + 50}
    yield {"values": normal(source, 6), "returns": normal(source, 6)}
    yield {"values": normal(source, 5, dtype=torch.float64), "returns": normal(source, 5, dtype=torch.float64) + 2}


def unguarded(values: Tensor, returns: Tensor) -> Tensor:
    """The formula without a look at the shapes."""
    return 0.5 * (values - returns.detach()).square().mean()


EXERCISE = Exercise.listed(
    "value_loss",
    cases=cases,
    observe=Call("values, returns", differentiable=("values",), constant=("returns",)),
    reference=value_loss,
    hints=(
        "Work values [1, 2] and returns [3, 2] by hand: errors, squares, mean, half. Which of the two inputs may be changed to "
        "make the loss smaller?",
        "Compare the two shapes first, and raise ValueError where they differ. Then the errors, squared, averaged over the "
        "batch, times 0.5. The returns are the target: detach them, and leave the values attached.",
        "if values.shape != returns.shape: raise ValueError(...); return 0.5 * (values - returns.detach()).square().mean().",
    ),
    misconceptions=(
        Misconception(
            "broadcast-unnoticed",
            "[B] against [B, 1] broadcasts to [B, B] without an error: the mean then runs over every value against every return, "
            "and the critic learns one mean for all states. Compare the shapes with each other and raise ValueError; the number "
            "of elements or of rows says nothing, it is the same.",
            unguarded,
        ),
        Misconception(
            "squeezed-instead-of-refused",
            "You made [B, 1] fit by squeezing or reshaping. But the caller made a mistake and should hear of it: the same tensor "
            "goes into other formulas as well, and there nobody squeezes it. Raise ValueError.",
            lambda values, returns: unguarded(values.reshape(-1), returns.reshape(-1)),
            variants=(
                lambda values, returns: unguarded(values.reshape(-1), returns),
                lambda values, returns: unguarded(values, returns.reshape(-1)),
            ),
        ),
        refused_without_raising(unguarded),
        mistake(
            "half-missing",
            "This is twice what is asked for: the half is missing. With it the gradient is the error itself, not twice the "
            "error, and learning rates from papers mean the same here.",
            lambda values, returns: 2 * unguarded(values, returns),
        ),
        mistake(
            "sum-for-mean",
            "You summed where the mean is asked for. The critic's step would then grow with the length of the episodes, and they "
            "are ten times longer at the end of training than at its start.",
            lambda values, returns: 0.5 * (values - returns).square().sum(),
            lambda values, returns: (values - returns).square().sum(),
        ),
        mistake(
            "squared-after-averaging",
            "You averaged the errors and squared the result. Errors of opposite sign then cancel: a critic that is 10 too high "
            "here and 10 too low there would have no loss. Square each error first.",
            lambda values, returns: 0.5 * (values - returns).mean().square(),
            lambda values, returns: (values - returns).mean().square(),
        ),
        mistake(
            "absolute-error",
            "You used the absolute error. It is least at the median of the returns, not at their mean, and V(s) is defined as "
            "the mean. Square the errors.",
            lambda values, returns: (values - returns).abs().mean(),
            lambda values, returns: 0.5 * (values - returns).abs().mean(),
        ),
        mistake(
            "huber",
            "You used the Huber loss. It equals the asked one for errors below 1 and grows only linearly beyond, so with returns "
            "of 100 it is mostly an absolute error, which is least at the median and not at the mean.",
            functional.smooth_l1_loss,
            lambda values, returns: 0.5 * functional.smooth_l1_loss(values, returns),
        ),
        mistake(
            "root-of-the-mean-square",
            "You took a square root at the end. That is the error in units of reward, good to look at; as a loss its gradient is "
            "divided by the error, and where the critic is exact it is 0 / 0.",
            lambda values, returns: (values - returns).square().mean().sqrt(),
            lambda values, returns: 0.5 * (values - returns).square().mean().sqrt(),
        ),
    ),
)
