"""Wrong answers around the refusal of unequal shapes, for functions of two tensors that must raise ValueError there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from pgcourse.checks.exercise import Misconception

Formula = Callable[[Tensor, Tensor], Any]


def refusing(formula: Formula, refuse: Callable[[], Any] | None = None) -> Formula:
    """The formula, with ValueError for unequal shapes, or with what `refuse` gives for them."""

    def attempt(first: Tensor, second: Tensor) -> Any:
        if first.shape != second.shape:
            if refuse is not None:
                return refuse()
            raise ValueError("shapes differ")
        return formula(first, second)

    return attempt


def mistake(id: str, explanation: str, *formulas: Formula) -> Misconception:
    """A misconception about the formula, for those who refuse unequal shapes and for those who forget to."""
    wrong, *variants = (spelling for formula in formulas for spelling in (refusing(formula), formula))
    return Misconception(id, explanation, wrong, tuple(variants))


def refused_without_raising(right: Formula) -> Misconception:
    """The misconception of who prints a message for unequal shapes, or returns the error."""
    return Misconception(
        "refused-without-an-error",
        "For unequal shapes your function returns None, perhaps after a message, or it returns the error in place of raising it. "
        "Nothing stops: whoever called goes on with that and fails somewhere else, or not at all. raise ValueError(...) ends the "
        "call at the right place.",
        refusing(right, lambda: None),
        variants=(refusing(right, lambda: ValueError("shapes")), refusing(right, lambda: ValueError)),
    )
