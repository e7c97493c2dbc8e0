"""The same formula with and without the two guards of this unit: shapes compared, the constant input detached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from pgcourse.checks.exercise import Misconception

Formula = Callable[[Tensor, Tensor], Any]


def checked(formula: Formula, error: type[Exception] = ValueError) -> Formula:
    """The formula of two tensors, which refuses unequal shapes with this error."""

    def attempt(first: Tensor, second: Tensor) -> Any:
        if first.shape != second.shape:
            raise error("shapes differ")
        return formula(first, second)

    return attempt


def detaching(formula: Formula, argument: int) -> Formula:
    """The formula, with argument 0 or 1 detached."""
    if argument == 0:
        return lambda first, second: formula(first.detach(), second)
    return lambda first, second: formula(first, second.detach())


def spellings(formula: Formula, *, detach: int) -> tuple[Formula, ...]:
    """The formula with both guards, with either alone, and with none. `detach` is the constant argument, 0 or 1."""
    safe = detaching(formula, detach)
    return checked(safe), checked(formula), safe, formula


def refusing_softly(formula: Formula, answer: Any = None) -> Formula:
    """The formula, which gives None for unequal shapes, as code does that only prints, or another answer."""
    return lambda first, second: formula(first, second) if first.shape == second.shape else answer


def returning_the_error(*formulas: Formula) -> Misconception:
    """The misconception of who writes `return ValueError(...)`."""
    answers = [refusing_softly(formula, error) for formula in formulas for error in (ValueError("shapes"), ValueError)]
    return Misconception(
        "error-returned-not-raised",
        "You wrote return where raise belongs. A returned ValueError is a value like any other: nothing stops, and the "
        "caller computes on with it. raise ValueError(...) ends the call.",
        answers[0],
        tuple(answers[1:]),
    )
