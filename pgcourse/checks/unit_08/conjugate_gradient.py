"""conjugate_gradient(matvec, b, *, iterations, tolerance): solve A x = b from products with A alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.natural_gradient import SolveByProducts
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_08.conjugate_gradient_parts import Products
from pgcourse.checks.unit_08.conjugate_gradient_wrong import MISCONCEPTIONS
from pgcourse.checks.wording import number, value
from pgcourse.natural_gradient import conjugate_gradient


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    diagonal, ones = torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.ones(2)
    yield {"matrix": diagonal, "b": ones, "iterations": 1, "tolerance": 0.0}
    yield {"matrix": diagonal, "b": ones, "iterations": 2, "tolerance": 0.0}
    yield {"matrix": diagonal, "b": torch.zeros(2), "iterations": 3, "tolerance": 0.1}
    # After one round the residual has half of b's norm: just within the first tolerance, well above the second.
    yield {"matrix": diagonal, "b": 100 * ones, "iterations": 2, "tolerance": 0.51}
    yield {"matrix": diagonal, "b": 0.01 * ones, "iterations": 2, "tolerance": 0.3}
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


def _looking_at_the_end(matvec: Products, b: Tensor, *, iterations: int, tolerance: float) -> Tensor:
    x = torch.zeros_like(b)
    if b.norm() == 0:
        return x
    r, p = b.clone(), b.clone()
    for _ in range(iterations):
        product = matvec(p)
        old = torch.dot(r, r)
        alpha = old / torch.dot(p, product)
        x += alpha * p
        r -= alpha * product
        if r.norm() <= tolerance * b.norm():
            break
        p = r + torch.dot(r, r) / old * p
    return x


def _with_true_residual(matvec: Products, b: Tensor, *, iterations: int, tolerance: float) -> Tensor:
    """The residual computed anew in each round, at the price of a second product; the share after Polak and Ribiere."""
    x, direction, count = torch.zeros_like(b), b, 0
    residual = b - matvec(x)
    while count < iterations and torch.linalg.norm(residual) > tolerance * torch.linalg.norm(b):
        x = x + (residual @ direction) / (direction @ matvec(direction)) * direction
        renewed = b - matvec(x)
        direction = renewed + renewed @ (renewed - residual) / (residual @ residual) * direction
        residual, count = renewed, count + 1
    return x


def _with_all_directions(matvec: Products, b: Tensor, *, iterations: int, tolerance: float) -> Tensor:
    """Each residual made conjugate to every direction so far, as Gram and Schmidt do."""
    x, residual = torch.zeros_like(b), b
    directions: list[tuple[Tensor, Tensor]] = []
    while len(directions) < iterations and residual.norm() > tolerance * b.norm():
        d = residual
        for earlier, product in directions:
            d = d - (residual @ product) / (earlier @ product) * earlier
        product = matvec(d)
        alpha = (residual @ d) / (d @ product)
        x, residual = x + alpha * d, residual - alpha * product
        directions.append((d, product))
    return x


def _in_numpy(matvec: Products, b: Tensor, *, iterations: int, tolerance: float) -> Tensor:
    x, r = np.zeros(len(b)), b.double().numpy().copy()
    p, limit = r.copy(), tolerance**2 * float(r @ r)
    for _ in range(iterations):
        old = float(r @ r)
        if old <= limit:
            break
        product: Any = matvec(torch.from_numpy(p).to(b.dtype)).double().numpy()
        alpha = old / float(p @ product)
        x, r = x + alpha * p, r - alpha * product
        p = r + float(r @ r) / old * p
    return torch.from_numpy(x).to(b.dtype)


EXERCISE = Exercise(
    id="conjugate_gradient",
    unit="08",
    title="Conjugate gradient",
    points=3,
    minutes=20,
    difficulty=3,
    cases=cases,
    observe=SolveByProducts(),
    show_case=_show,
    reference=conjugate_gradient,
    alternatives=(_looking_at_the_end, _with_true_residual, _with_all_directions, _in_numpy),
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
    misconceptions=MISCONCEPTIONS,
)
