"""Conjugate gradient in exchangeable parts, from which its wrong answers are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception

Products = Callable[[Tensor], Tensor]
Attempt = Callable[..., Any]


class State(NamedTuple):
    """What is known in the middle of a round."""

    b: Tensor
    x: Tensor
    residual: Tensor
    direction: Tensor
    product: Tensor  # matrix times direction
    squared: Tensor  # residual . residual before this round
    renewed: Tensor  # residual . residual after it


def right_length(s: State, matvec: Products) -> Tensor:
    """How far to go along the direction."""
    return s.squared / (s.direction @ s.product)


def right_direction(s: State) -> Tensor:
    """Where to go next; `s.residual` is the new one."""
    return s.residual + (s.renewed / s.squared) * s.direction


def close_enough(residual: Tensor, b: Tensor, tolerance: float) -> bool:
    """Right: relative to the right side."""
    return bool(residual.norm() <= tolerance * b.norm())


def build(
    *,
    length: Callable[[State, Products], Tensor] = right_length,
    direct: Callable[[State], Tensor] = right_direction,
    shrink: Callable[[State, Tensor], Tensor] = lambda s, alpha: s.residual - alpha * s.product,
    stop: Callable[[Tensor, Tensor, float], bool] = close_enough,
    rounds: Callable[[int], int] = lambda iterations: iterations,
    first: Callable[[Tensor], Tensor] = torch.zeros_like,
    finish: Callable[[Tensor, Tensor], Any] = lambda x, residual: x,
    look_first: bool = True,
    keep_squared: bool = False,
) -> Attempt:
    """The right function with some of its parts exchanged. `look_first`: is the residual looked at before round one?"""

    def attempt(matvec: Products, b: Tensor, *, iterations: int, tolerance: float) -> Any:
        x = first(b)
        residual = b - matvec(x) if bool(x.any()) else b.clone()
        direction, squared = residual, residual @ residual
        for number in range(rounds(iterations)):
            if (look_first or number) and stop(residual, b, tolerance):
                break
            s = State(b, x, residual, direction, matvec(direction), squared, squared)
            alpha = length(s, matvec)
            smaller = shrink(s, alpha)
            x, residual = x + alpha * direction, smaller
            s = s._replace(residual=residual, x=x, renewed=residual @ residual)
            direction = direct(s)
            squared = squared if keep_squared else s.renewed
        return finish(x, residual)

    return attempt


def columns(matvec: Products, like: Tensor) -> Tensor:
    """The whole matrix, from one product for each column."""
    return torch.stack([matvec(unit) for unit in torch.eye(len(like), dtype=like.dtype)], dim=1)


def mistake(id: str, explanation: str, *more: dict[str, Any], **changes: Any) -> Misconception:
    """A misconception from the changed parts, with and without a look at the residual before the first round.

    `more` are further spellings, with that look.
    """
    others = build(**changes, look_first=False), *(build(**change) for change in more)
    return Misconception(id, explanation, build(**changes), others)
