"""advantages_with_baseline(returns, values): how much better it went than the critic had said."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_02.unequal_shapes import mistake, refused_without_raising


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


def unguarded(returns: Tensor, values: Tensor) -> Tensor:
    """The formula without a look at the shapes."""
    return returns - values.detach()


def standardised(returns: Tensor, values: Tensor, *, correction: int) -> Tensor:
    """Advantages of mean 0 and standard deviation 1."""
    advantages = returns - values
    return (advantages - advantages.mean()) / (advantages.std(correction=correction) + 1e-8)


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
        Misconception(
            "broadcast-unnoticed",
            "Values of shape [B, 1] against returns [B] broadcast to [B, B]: every return minus every value. No error says so, "
            "and the mean over it looks plausible. Compare the shapes first and raise ValueError; the number of elements or of "
            "rows says nothing, it is the same.",
            unguarded,
        ),
        Misconception(
            "squeezed-instead-of-refused",
            "You made values [B, 1] fit by squeezing or reshaping. The numbers are right, but here the caller made a mistake and "
            "should hear of it: the same values go into the critic's loss as well, and there nobody squeezes them. Raise "
            "ValueError.",
            lambda returns, values: returns - values.detach().reshape(returns.shape),
        ),
        refused_without_raising(unguarded),
        mistake(
            "sign-flipped",
            "You computed value minus return. What went better than expected would then count as bad, and the policy would "
            "unlearn it. The advantage is positive where the return is above the value.",
            lambda returns, values: values - returns,
        ),
        mistake(
            "one-baseline-for-all",
            "You subtracted one number, the mean of the values or of the returns, from every return. That is a constant "
            "baseline. The critic gives one value for each state: subtract them element by element.",
            lambda returns, values: returns - values.mean(),
            lambda returns, values: returns - returns.mean(),
        ),
        mistake(
            "value-of-the-next-step",
            "You compared each return with the value of the row after it. values[t] is of the state in which the return of row t "
            "begins, and that is the one to compare with: subtract row by row.",
            lambda returns, values: returns - torch.cat([values[1:], 0 * values[:1]]),
            lambda returns, values: returns - torch.cat([values[1:], values[-1:]]),
        ),
        mistake(
            "standardised",
            "You standardised the advantages as well, or subtracted their mean. That comes later, over the whole batch, and it "
            "is a step of its own: this function returns them in units of reward, and their mean says how far off the critic is.",
            lambda returns, values: standardised(returns, values, correction=0),
            lambda returns, values: standardised(returns, values, correction=1),
            lambda returns, values: returns - values - (returns - values).mean(),
        ),
        mistake(
            "relative",
            "You divided by the value. Dividing is no baseline: only what is subtracted leaves the expected gradient as it is, "
            "and values near 0 would make the result explode.",
            lambda returns, values: (returns - values) / values,
            lambda returns, values: (returns - values) / values.abs(),
            lambda returns, values: returns / values,
        ),
        mistake(
            "sign-lost",
            "You took the absolute value or the square, or cut the negative advantages off at 0. Whether it went better or worse "
            "than expected is the very thing the policy learns from: what went worse should become less likely.",
            lambda returns, values: (returns - values).abs(),
            lambda returns, values: (returns - values) ** 2,
            lambda returns, values: (returns - values).clamp(min=0),
        ),
    ),
)
