"""advantages_with_baseline(returns, values): how much better it went than the critic had said."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, Misconception, edits_of, generator, normal


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
    yield {"returns": normal(source, 40) * 20 + 50, "values": normal(source, 40) * 20 + 45}
    yield {"returns": normal(source, 6), "values": normal(source, 6, 1)}
    yield {"returns": normal(source, 5, dtype=torch.float64), "values": normal(source, 5, dtype=torch.float64) - 2}


edited = edits_of(advantages_with_baseline)
UNGUARDED = {"returns.shape != values.shape": "False"}
DIFFERENCE = "returns - values.detach()"


def mistake(id: str, explanation: str, *edits: dict[str, str]) -> Misconception:
    """A misconception about the formula, of those who refuse unequal shapes and of those who forget to."""
    return edited(id, explanation, *(more | each for each in edits for more in ({}, UNGUARDED)))


EXERCISE = Exercise.listed(
    "advantages_with_baseline",
    cases=cases,
    observe=Call("returns, values", constant=("values",)),
    reference=advantages_with_baseline,
    hints=(
        "Positive where it went better than the critic said. And which of the two inputs comes from a network that this number "
        "must not train?",
        "Compare the two shapes before anything else, and raise ValueError where they differ. Then subtract, with the values cut "
        "off from their network by detach().",
        "if values.shape != returns.shape: raise ValueError(...); return returns - values.detach().",
    ),
    misconceptions=(
        edited(
            "broadcast-unnoticed",
            "Values [B, 1] against returns [B] broadcast to [B, B]: every return minus every value. No error says so, and the "
            "mean over it looks plausible. Compare the shapes and raise ValueError; the numbers of elements are the same.",
            UNGUARDED,
        ),
        edited(
            "squeezed-instead-of-refused",
            "You made values [B, 1] fit by squeezing or reshaping. But the caller made a mistake and should hear of it: the "
            "same values go into the critic's loss as well, and there nobody squeezes them. Raise ValueError.",
            UNGUARDED | {DIFFERENCE: "returns - values.detach().reshape(returns.shape)"},
        ),
        edited(
            "refused-without-an-error",
            "For unequal shapes your function returns None, perhaps after a message, or it returns the error. Whoever called "
            "goes on with that and fails somewhere else, or not at all. raise ValueError(...) ends the call at the right place.",
            UNGUARDED | {DIFFERENCE: "returns - values.detach() if returns.shape == values.shape else None"},
            {"raise": "return"},
        ),
        mistake(
            "value-of-the-next-step",
            "You compared each return with the value of the row after it. values[t] is of the state in which the return of row t "
            "begins, and that is the one to compare with: subtract row by row.",
            {DIFFERENCE: "returns - torch.cat([values[1:], 0 * values[:1]]).detach()"},
            {DIFFERENCE: "returns - torch.cat([values[1:], values[-1:]]).detach()"},
        ),
        mistake(
            "standardised",
            "You standardised the advantages as well, or subtracted their mean. That comes later, over the whole batch, and it "
            "is a step of its own: this function returns them in units of reward, and their mean says how far off the critic is.",
            {"return r": "x = r", "detach()": "detach()\n    return (x - x.mean()) / (x.std(correction=0) + 1e-8)"},
            {"return r": "x = r", "detach()": "detach()\n    return (x - x.mean()) / (x.std() + 1e-8)"},
            {"return r": "x = r", "detach()": "detach()\n    return x - x.mean()"},
        ),
        mistake(
            "relative",
            "You divided by the value. Dividing is no baseline: only what is subtracted leaves the expected gradient as it is, "
            "and values near 0 would make the result explode.",
            {DIFFERENCE: "(returns - values.detach()) / values.detach()"},
            {DIFFERENCE: "(returns - values.detach()) / values.detach().abs()"},
        ),
        mistake(
            "sign-flipped-or-lost",
            "The policy learns from the sign: the advantage is positive where the return is above the value. You computed "
            "value minus return, took the absolute value or the square, or cut the negative ones off at 0.",
            {DIFFERENCE: "values.detach() - returns"},
            {DIFFERENCE: "(returns - values.detach()).abs()"},
            {DIFFERENCE: "(returns - values.detach()).square()"},
            {DIFFERENCE: "(returns - values.detach()).clamp(min=0)"},
        ),
    ),
)
