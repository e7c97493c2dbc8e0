"""conjugate_gradient(matvec, b, *, iterations, tolerance): solve A x = b from products with A alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.natural_gradient import SolveByProducts
from pgcourse.checks.observe.record import Case
from pgcourse.checks.wording import number, value
from pgcourse.natural_gradient import conjugate_gradient

Products = Callable[[Tensor], Tensor]


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    diagonal, ones = torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.ones(2)
    yield {"matrix": diagonal, "b": ones, "iterations": 1, "tolerance": 0.0}
    yield {"matrix": diagonal, "b": ones, "iterations": 2, "tolerance": 0.0}
    yield {"matrix": diagonal, "b": torch.zeros(2), "iterations": 3, "tolerance": 0.1}
    # After one round the residual has half of b's norm: just within the first tolerance, well above the second.
    yield {"matrix": diagonal, "b": 100 * ones, "iterations": 2, "tolerance": 0.51}
    yield {"matrix": diagonal, "b": 0.01 * ones, "iterations": 2, "tolerance": 0.3}
    yield {"matrix": diagonal, "b": ones, "iterations": 2, "tolerance": 1.5}  # b itself is within it
    yield {
        "matrix": 2 * torch.eye(2),
        "b": torch.tensor([2.0, 4.0]),
        "iterations": 3,
        "tolerance": 0.0,
    }  # solved in one
    yield {"matrix": 0.001 * diagonal, "b": 0.001 * ones, "iterations": 2, "tolerance": 0.0}
    source = generator(seed)
    yield _system(source, 4, iterations=2, tolerance=0.0)
    yield _system(source, 5, iterations=4, tolerance=1e-6, dtype=torch.float64)
    yield _system(source, 6, iterations=3, tolerance=1e-3)
    yield _system(source, 6, iterations=6, tolerance=0.2)


def _system(
    source: torch.Generator, size: int, *, iterations: int, tolerance: float, dtype: torch.dtype = torch.float32
) -> Case:
    """A symmetric matrix with eigenvalues from 1 to 10 in random directions, and a right side that is none of them."""
    rotation = torch.linalg.qr(normal(source, size, size, dtype=torch.float64)).Q
    matrix = (rotation * torch.linspace(1, 10, size, dtype=torch.float64)) @ rotation.T
    b = rotation @ (1 + normal(source, size, dtype=torch.float64).abs())
    return {"matrix": matrix.to(dtype), "b": b.to(dtype), "iterations": iterations, "tolerance": tolerance}


def _show(case: Case) -> str:
    call = f"b={value(case['b'])}, iterations={case['iterations']}, tolerance={number(case['tolerance'])}"
    return f"conjugate_gradient(matvec, {call}), where matvec multiplies by {value(case['matrix'])}"


class State(NamedTuple):
    """What is known in a round; `residual` and `renewed` are those after it, `old` and `squared` those before."""

    b: Tensor
    direction: Tensor
    product: Tensor  # matrix times direction
    old: Tensor
    squared: Tensor
    residual: Tensor
    renewed: Tensor
    move: Tensor  # of x
    x: Tensor


def close_enough(residual: Tensor, b: Tensor, tolerance: float) -> bool:
    """Right: relative to the right side."""
    return bool(residual.norm() <= tolerance * b.norm())


def is_zero(residual: Tensor, b: Tensor, tolerance: float) -> bool:
    """Stops where nothing is left at all."""
    return not bool(residual.any())


def never(*given: Any) -> bool:
    """Does not stop."""
    return False


def solver(
    *,
    length: Callable[[State, Products], Tensor] = lambda s, matvec: s.squared / (s.direction @ s.product),
    direct: Callable[[State], Tensor] = lambda s: s.residual + (s.renewed / s.squared) * s.direction,
    stop: Callable[[Tensor, Tensor, float], bool] = close_enough,
    leave: Callable[[State, float], Any] = never,
    rounds: Callable[[int], int] = lambda iterations: iterations,
    first: Callable[[Tensor], Tensor] = torch.zeros_like,
    finish: Callable[[Tensor, Tensor], Tensor] = lambda x, b: x,
    keep_squared: bool = False,
) -> Callable[..., Tensor]:
    """The right function with some of its parts exchanged. `stop` is asked before each round, `leave` after it."""

    def attempt(matvec: Products, b: Tensor, *, iterations: int, tolerance: float) -> Tensor:
        x = first(b)
        residual = direction = b - matvec(x) if bool(x.any()) else b.clone()
        squared = residual @ residual
        for _ in range(rounds(iterations)):
            if stop(residual, b, tolerance):
                break
            s = State(b, direction, matvec(direction), residual, squared, residual, squared, x, x)
            alpha = length(s, matvec)
            residual = residual - alpha * s.product
            s = s._replace(residual=residual, renewed=residual @ residual, move=alpha * direction)
            s = s._replace(x=x + s.move)
            x, direction = s.x, direct(s)
            squared = squared if keep_squared else s.renewed
            if leave(s, tolerance):
                break
        return finish(x, b)

    return attempt


def looked_after(s: State, tolerance: float) -> bool:
    """The right question, asked at the end of a round."""
    return close_enough(s.residual, s.b, tolerance)


def mistake(id: str, explanation: str, *others: dict[str, Any], **changes: Any) -> Misconception:
    """A misconception from the changed parts; `others` are further spellings."""
    wrong, *variants = (solver(**parts) for parts in (changes, *others))
    return Misconception(id, explanation, wrong, tuple(variants))


def solved_as_a_matrix(matvec: Products, b: Tensor, **settings: Any) -> Tensor:
    """The whole matrix, from one product for each column, and then the exact solution."""
    columns = [matvec(unit) for unit in torch.eye(len(b), dtype=b.dtype)]
    return torch.linalg.solve(torch.stack(columns, dim=1), b)


two_products = solver(length=lambda s, matvec: s.squared / (s.direction @ matvec(s.direction)))


def three_products_at_first(matvec: Products, b: Tensor, **settings: Any) -> Tensor:
    """Two products a round, and one more for the residual of the start."""
    return two_products(matvec, b - matvec(torch.zeros_like(b)), **settings)


EXERCISE = Exercise.listed(
    "conjugate_gradient",
    cases=cases,
    observe=SolveByProducts(),
    show_case=_show,
    reference=conjugate_gradient,
    hints=(
        "Work the first case by hand. With x = 0, residual and direction are both b = [1, 1]; A b = [1, 3]. How far along b "
        "does the residual b - alpha A b become orthogonal to b?",
        "Keep three vectors, x = 0, residual = b, direction = b, and one number, residual . residual. A round: one product "
        "A d; alpha = r . r / d . A d; x moves by alpha d; the residual by -alpha A d; the new direction is the new residual "
        "plus (new r . r / old r . r) times the old direction. Before each round: is the residual small enough?",
        "for _ in range(iterations): leave if residual.norm() <= tolerance * b.norm(); product = matvec(direction); step = "
        "squared / (direction @ product); x = x + step * direction; residual = residual - step * product; previous, squared "
        "= squared, residual @ residual; direction = residual + (squared / previous) * direction",
    ),
    misconceptions=(
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
            {"direct": lambda s: s.residual + (s.squared / s.renewed) * s.direction if s.renewed else s.direction},
            direct=lambda s: s.residual + (s.squared / s.renewed) * s.direction,
        ),
        mistake(
            "share-of-one",
            "You added the whole last direction. Its share is r . r after the round over r . r before it: keep the old number "
            "before you overwrite the residual, or both are the same.",
            direct=lambda s: s.residual + s.direction,
        ),
        mistake(
            "share-never-renewed",
            "You divide by the squared residual of the beginning in every round. The share compares neighbouring rounds: "
            "store the new r . r as the old one at the end of each.",
            keep_squared=True,
        ),
        mistake(
            "direction-from-the-old-residual",
            "You made the new direction from the residual before the round. What is still missing is the residual after it: "
            "renew the residual first, then the direction.",
            direct=lambda s: s.old + (s.renewed / s.squared) * s.direction,
        ),
        mistake(
            "length-without-the-matrix",
            "You divided by d . d, or by A d . A d. The length that is best along d depends on the curvature in that "
            "direction: divide by d . A d, the direction times its product with the matrix.",
            {"length": lambda s, matvec: s.squared / (s.product @ s.product)},
            {"length": lambda s, matvec: (s.direction @ s.product) / (s.product @ s.product)},
            length=lambda s, matvec: s.squared / (s.direction @ s.direction),
        ),
        mistake(
            "small-number-below",
            "You added a small number to d . A d, against a division by 0. Gradients and curvatures can be small themselves, "
            "and then it decides the length. The look at the residual before the round is guard enough.",
            {"length": lambda s, matvec: s.squared / (s.direction @ s.product + 1e-10)},
            length=lambda s, matvec: s.squared / (s.direction @ s.product + 1e-8),
        ),
        mistake(
            "zero-right-side",
            "Where the residual is exactly 0 you go on, compute 0 / 0, and the answer is NaN: for b = 0 before the first round, "
            "or after one that hits the solution. Look before each round, with <=. TRPO meets b = 0 where all advantages are "
            "equal.",
            {"stop": lambda r, b, tolerance: bool(b.any()) and close_enough(r, b, tolerance)},
            {"stop": lambda r, b, tolerance: bool(r.norm() < tolerance * b.norm())},
            {"stop": lambda r, b, tolerance: not bool(b.any()) or bool(r.norm() < tolerance * b.norm())},
            stop=never,
            leave=looked_after,
        ),
        mistake(
            "looked-after-the-round",
            "You looked at the residual after each round, never before the first. The start may be good enough already: with a "
            "tolerance above 1 the answer is 0, and no product is needed.",
            stop=is_zero,
            leave=looked_after,
        ),
        mistake(
            "tolerance-absolute",
            "You compared the residual's norm with the tolerance itself. Gradients come in all sizes: a tolerance that is "
            "strict for one stops before the first round for another. Compare with tolerance times the norm of b.",
            {"stop": lambda r, b, tolerance: bool(r @ r <= tolerance)},
            {"stop": is_zero, "leave": lambda s, tolerance: s.residual.norm() <= tolerance},
            stop=lambda r, b, tolerance: bool(r.norm() <= tolerance),
        ),
        mistake(
            "tolerance-not-squared",
            "You compared squared norms but did not square the tolerance: 0.01 then stops at a tenth of b's norm instead of a "
            "hundredth. Square all three, or take the roots.",
            {"stop": is_zero, "leave": lambda s, tolerance: s.renewed <= tolerance * (s.b @ s.b)},
            stop=lambda r, b, tolerance: bool(r @ r <= tolerance * (b @ b)),
        ),
        mistake(
            "tolerance-of-something-else",
            "You stop by another quantity than the contract's: by how far x moved, by the residual of the round before, or "
            "relative to that. Compare the norm of the new residual with tolerance times the norm of b.",
            {"stop": is_zero, "leave": lambda s, tolerance: s.move.norm() <= tolerance * s.x.norm()},
            {"stop": is_zero, "leave": lambda s, tolerance: s.residual.norm() <= tolerance * s.old.norm()},
            stop=is_zero,
            leave=lambda s, tolerance: close_enough(s.old, s.b, tolerance),
        ),
        mistake(
            "tolerance-not-used",
            "You do all the rounds, whatever the tolerance. Each costs a product with the matrix, in TRPO two passes through "
            "the network: stop as soon as the residual's norm is at most tolerance times that of b.",
            {"stop": is_zero},
            {"stop": lambda r, b, tolerance: not bool(b.any())},
            {"stop": lambda r, b, tolerance: bool(r @ r < 1e-10)},
            stop=never,
        ),
        mistake(
            "iterations-not-used",
            "You go on until the residual is small, however long that takes. TRPO gives a budget of rounds, because an "
            "approximate direction is good enough: stop after `iterations` of them.",
            rounds=lambda iterations: 40,
        ),
        mistake(
            "one-round-off",
            "You did one round less or one more than asked for. range(1, iterations) has iterations - 1 entries, and with one "
            "iteration, A = diag(1, 3) and b = [1, 1], x is [0.5, 0.5].",
            {"rounds": lambda iterations: iterations + 1},
            rounds=lambda iterations: iterations - 1,
        ),
        mistake(
            "started-elsewhere",
            "You started from another x than 0. Then the first residual is not b, and with few rounds the start is still "
            "visible in the answer. Start from zeros.",
            {"first": torch.ones_like},
            {"finish": lambda x, b: x + b},
            first=lambda b: b.clone(),
        ),
        Misconception(
            "solved-as-a-matrix",
            "You built the matrix column by column and solved exactly, so iterations and tolerance have no say. A policy has "
            "thousands of parameters: that would be thousands of products and a matrix of millions. Approach the solution "
            "from the products alone.",
            solved_as_a_matrix,
        ),
        Misconception(
            "two-products-a-round",
            "The answer is right, and you asked for more than one product a round. Each is two passes through the network: "
            "keep A d, which gives the length and the new residual, r - alpha A d.",
            two_products,
            (three_products_at_first,),
        ),
    ),
)
