"""The ways in which one formula is spelled: which of its constant arguments are detached, and whether all of it is."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception

Formula = Callable[..., Any]


def detaching(formula: Formula, arguments: tuple[int, ...]) -> Formula:
    """The formula with these positional arguments detached."""

    def attempt(*tensors: Tensor, **settings: Any) -> Any:
        return formula(*(t.detach() if i in arguments else t for i, t in enumerate(tensors)), **settings)

    return attempt


def without_gradient(formula: Formula) -> Formula:
    """The formula under no_grad."""

    def attempt(*tensors: Tensor, **settings: Any) -> Any:
        with torch.no_grad():
            return formula(*tensors, **settings)

    return attempt


def spellings(formula: Formula, *constants: int) -> tuple[Formula, ...]:
    """The formula with all of its constant arguments detached, with each smaller choice of them, and under no_grad."""
    counts = reversed(range(len(constants) + 1))
    subsets = [subset for count in counts for subset in itertools.combinations(constants, count)]
    return *(detaching(formula, subset) for subset in subsets), without_gradient(formula)


def mistake(id: str, explanation: str, *formulas: Formula, constants: tuple[int, ...]) -> Misconception:
    """A misconception from its formulas, each in every spelling of what is detached."""
    attempts = [attempt for formula in formulas for attempt in spellings(formula, *constants)]
    return Misconception(id, explanation, attempts[0], tuple(attempts[1:]))
