"""Wrong answers to conjugate_gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_08.conjugate_gradient_parts import Products, build, columns, mistake


def _changing_b(matvec: Products, b: Tensor, *, iterations: int, tolerance: float) -> Tensor:
    """`residual = b` is no copy, and `-=` then writes into the caller's tensor."""
    x, residual, direction = torch.zeros_like(b), b, b.clone()
    target, squared = tolerance * b.norm(), residual @ residual
    for _ in range(iterations):
        if residual.norm() <= target:
            break
        product = matvec(direction)
        alpha = squared / (direction @ product)
        x += alpha * direction
        residual -= alpha * product
        renewed = residual @ residual
        direction = residual + renewed / squared * direction
        squared = renewed
    return x


def _one_memory(matvec: Products, b: Tensor, *, iterations: int, tolerance: float, copy: bool = True) -> Tensor:
    """`direction = residual` is no copy either: the first `-=` changes both."""
    x, residual = torch.zeros_like(b), b.clone() if copy else b
    direction = residual
    target, squared = tolerance * b.norm(), residual @ residual
    for _ in range(iterations):
        if residual.norm() <= target:
            break
        product = matvec(direction)
        alpha = squared / (direction @ product)
        x = x + alpha * direction
        residual -= alpha * product
        renewed = residual @ residual
        direction = residual + renewed / squared * direction
        squared = renewed
    return x


def _one_memory_with_b(matvec: Products, b: Tensor, *, iterations: int, tolerance: float) -> Tensor:
    return _one_memory(matvec, b, iterations=iterations, tolerance=tolerance, copy=False)


def _solved(matvec: Products, b: Tensor, **settings: Any) -> Tensor:
    return torch.linalg.solve(columns(matvec, b), b)


def _solved_but_for_zero(matvec: Products, b: Tensor, **settings: Any) -> Tensor:
    return b.clone() if not b.any() else torch.linalg.solve(columns(matvec, b), b)


MISCONCEPTIONS = (
    mistake(
        "steepest-descent",
        "Every round went straight along the residual. That is steepest descent: it zigzags, and P rounds are not enough. "
        "Conjugate gradient adds a share of the last direction, so that a new round spoils nothing that an old one gained.",
        direct=lambda s: s.residual,
    ),
    mistake(
        "share-upside-down",
        "The share of the last direction is upside down: you divided the old squared residual by the new one. Residuals "
        "shrink, so the share is the new one over the old one, mostly below 1.",
        {"direct": lambda s: s.residual + (s.squared / s.renewed).sqrt() * s.direction},
        direct=lambda s: s.residual + (s.squared / s.renewed) * s.direction,
    ),
    mistake(
        "share-of-lengths",
        "You took the share of the last direction from the residuals' lengths. It is the quotient of the squared lengths, "
        "r . r after the round over r . r before it; only then are the directions conjugate.",
        direct=lambda s: s.residual + (s.renewed / s.squared).sqrt() * s.direction,
    ),
    mistake(
        "share-never-renewed",
        "You divide by the squared residual of the beginning in every round. The share compares neighbouring rounds: store "
        "the new r . r as the old one at the end of each.",
        keep_squared=True,
    ),
    mistake(
        "residual-kept",
        "Your residual stays b for ever. After a step of length alpha along d the residual has changed by -alpha A d; that "
        "product is at hand already.",
        shrink=lambda s, alpha: s.residual,
    ),
    mistake(
        "residual-grows",
        "Your residual grows where it should shrink: alpha times A d is taken away from it, not added. Look at its norm "
        "after each round.",
        shrink=lambda s, alpha: s.residual + alpha * s.product,
    ),
    mistake(
        "length-by-the-residual",
        "You computed the step's length with the residual in place of the direction, r . r over r . A r. That is right in "
        "the first round only, where both are b. You walk along d, so the curvature along d counts: d . A d.",
        length=lambda s, matvec: s.squared / (s.residual @ matvec(s.residual)),
    ),
    mistake(
        "length-without-the-matrix",
        "You divided by d . d. The length that is best along d depends on the curvature in that direction: divide by "
        "d . A d, the direction times its product with the matrix.",
        {"length": lambda s, matvec: s.squared / (s.product @ s.product)},
        length=lambda s, matvec: s.squared / (s.direction @ s.direction),
    ),
    Misconception(
        "zero-right-side",
        "For b = 0 you compute 0 / 0, and the answer is NaN. There the start is the solution already: look at the residual "
        "before the first round, not only after it. TRPO meets this where all advantages are equal.",
        build(look_first=False),
        (build(stop=lambda residual, b, tolerance: bool(residual.norm() < tolerance * b.norm())),),
    ),
    mistake(
        "tolerance-absolute",
        "You compared the residual's norm with the tolerance itself. Gradients come in all sizes: a tolerance that is "
        "strict for one stops before the first round for another. Compare with tolerance times the norm of b.",
        {"stop": lambda r, b, tolerance: bool(r @ r <= tolerance)},
        {"stop": lambda r, b, tolerance: bool(r @ r <= tolerance**2)},
        stop=lambda r, b, tolerance: bool(r.norm() <= tolerance),
    ),
    mistake(
        "tolerance-not-squared",
        "You compared squared norms but did not square the tolerance: 0.01 then stops at a tenth of b's norm instead of a "
        "hundredth. Square all three, or take the roots.",
        stop=lambda r, b, tolerance: bool(r @ r <= tolerance * (b @ b)),
    ),
    mistake(
        "tolerance-not-used",
        "You always do all the rounds. Each costs a product with the matrix, in TRPO two passes through the network: stop "
        "as soon as the residual's norm is at most tolerance times that of b.",
        {"stop": lambda r, b, tolerance: not bool(r.any())},
        {"stop": lambda r, b, tolerance: not bool(b.any())},
        {"stop": lambda r, b, tolerance: bool(r.norm() <= 1e-10 * b.norm())},
        {"stop": lambda r, b, tolerance: bool(r.norm() < 1e-10)},
        stop=lambda r, b, tolerance: False,
    ),
    mistake(
        "iterations-not-used",
        "You go on until the residual is small, however long that takes. TRPO gives a budget of rounds, because an "
        "approximate direction is good enough: stop after `iterations` of them.",
        rounds=lambda iterations: 40,
    ),
    mistake(
        "one-round-too-few",
        "You did one round less than asked for. `range(1, iterations)` has iterations - 1 entries; with one iteration, x "
        "must have moved once.",
        rounds=lambda iterations: iterations - 1,
    ),
    mistake(
        "one-round-too-many",
        "You did one round more than asked for. After one round with A = diag(1, 3) and b = [1, 1], x is [0.5, 0.5].",
        rounds=lambda iterations: iterations + 1,
    ),
    mistake(
        "started-elsewhere",
        "You started from another x than 0. Then the first residual is not b, and with few rounds the start is still "
        "visible in the answer. Start from zeros.",
        {"first": torch.ones_like},
        first=lambda b: b.clone(),
    ),
    Misconception(
        "solved-as-a-matrix",
        "You built the matrix column by column and solved exactly, so iterations and tolerance have no say. A policy has "
        "thousands of parameters: that would be thousands of products and a matrix of millions. Approach the solution "
        "from the products alone.",
        _solved_but_for_zero,
        (_solved,),
    ),
    mistake(
        "residual-returned",
        "You returned the residual, b - A x: what is still missing, near 0 at the end. Asked for is the solution x.",
        finish=lambda x, residual: residual,
    ),
    Misconception(
        "b-changed-in-place",
        "The answer is right, but b is another tensor afterwards. `residual = b` gives the same memory a second name, and "
        "`-=` writes into it; b is the gradient, which the caller still needs. Use b.clone(), or residual = residual - ...",
        _changing_b,
    ),
    Misconception(
        "one-memory-for-two",
        "Residual and direction share their memory: `direction = residual` makes no copy, and `residual -= ...` then changes "
        "both. Use clone(), or write residual = residual - ... without changing in place.",
        _one_memory,
        (_one_memory_with_b,),
    ),
)
