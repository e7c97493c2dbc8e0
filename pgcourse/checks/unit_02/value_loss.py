"""value_loss(values, returns): what the critic minimises."""

from collections.abc import Iterator

import torch

from pgcourse.checks.authoring import Call, Case, Exercise, Misconception, edits_of, generator, normal
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
    # Errors of some hundreds, as a new critic makes: whoever counts large ones less, or bounds the values, shows.
    yield {"values": normal(source, 8) * 90, "returns": normal(source, 8) * 20 + 500}
    yield {"values": normal(source, 6), "returns": normal(source, 6)}
    yield {"values": normal(source, 5, dtype=torch.float64), "returns": normal(source, 5, dtype=torch.float64) + 2}
    yield {"values": normal(source, 4, 1), "returns": normal(source, 4)}
    yield {"values": normal(source, 1, 1), "returns": normal(source, 1)}
    yield {"values": normal(source, 3), "returns": normal(source, 3, 1)}


def written_out(values, returns):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    if values.shape != returns.shape:
        raise ValueError("shapes differ")
    errors = values - returns.detach()
    return 0.5 * errors.square().mean()


edited = edits_of(written_out, functional=torch.nn.functional)
UNGUARDED = {"values.shape != returns.shape": "False"}


def mistake(id: str, explanation: str, *edits: dict[str, str]) -> Misconception:
    """A misconception about the formula, of those who refuse unequal shapes and of those who forget to."""
    return edited(id, explanation, *(more | each for each in edits for more in ({}, UNGUARDED)))


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
        edited(
            "broadcast-unnoticed",
            "[B] against [B, 1] broadcasts to [B, B] without an error: every value meets every return, and the critic learns "
            "one mean for all states. Compare the shapes and raise ValueError; the numbers of elements are the same.",
            UNGUARDED,
        ),
        edited(
            "squeezed-instead-of-refused",
            "You made [B, 1] fit by squeezing or reshaping. But the caller made a mistake and should hear of it: the same "
            "tensor goes into other formulas as well, and there nobody squeezes it. Raise ValueError.",
            UNGUARDED | {"values - returns.detach()": "values.reshape(-1) - returns.detach().reshape(-1)"},
            UNGUARDED | {"values - returns": "values.reshape(-1) - returns"},
            UNGUARDED | {"returns.detach()": "returns.detach().reshape(-1)"},
        ),
        edited(
            "refused-without-an-error",
            "For unequal shapes your function returns None, perhaps after a message, or it returns the error. Whoever called "
            "goes on with that and fails somewhere else, or not at all. raise ValueError(...) ends the call at the right place.",
            {'raise ValueError("shapes differ")': "return None"},
            {"raise": "return"},
        ),
        mistake(
            "half-missing",
            "This is twice what is asked for: the half is missing. With it the gradient is the error itself, not twice the "
            "error, and learning rates from papers mean the same here.",
            {"0.5 * ": ""},
        ),
        mistake(
            "sum-for-mean",
            "You summed where the mean is asked for. The critic's step would then grow with the length of the episodes, and they "
            "are ten times longer at the end of training than at its start.",
            {"mean": "sum"},
            {"0.5 * ": "", "mean": "sum"},
        ),
        mistake(
            "squared-after-averaging",
            "You averaged the errors and squared the result. Errors of opposite sign then cancel: a critic that is 10 too high "
            "here and 10 too low there would have no loss. Square each error first.",
            {"square().mean()": "mean().square()"},
            {"0.5 * errors.square().mean()": "errors.mean().square()"},
        ),
        mistake(
            "large-errors-count-less",
            "You used the absolute error, or the Huber loss, which is one beyond 1. The absolute error is least at the median "
            "of the returns, not at their mean, and V(s) is defined as the mean. Square all errors.",
            {"0.5 * errors.square()": "errors.abs()"},
            {"square": "abs"},
            {"0.5 * errors.square().mean()": "functional.smooth_l1_loss(values, returns)"},
            {"errors.square().mean()": "functional.smooth_l1_loss(values, returns)"},
        ),
        mistake(
            "root-of-the-mean-square",
            "You took a square root at the end. That is the error in units of reward, good to look at; as a loss its gradient is "
            "divided by the error, and where the critic is exact it is 0 / 0.",
            {"0.5 * errors.square().mean()": "errors.square().mean().sqrt()"},
            {"mean()": "mean().sqrt()"},
        ),
    ),
)
