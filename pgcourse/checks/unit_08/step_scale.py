"""step_scale(natural_gradient, fisher_times_it, *, max_kl): how far along the direction the KL divergence allows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.compare import Tolerance
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.natural_gradient import step_scale

Attempt = Callable[..., Any]


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. The second vector is not always a positive multiple of a positive matrix's product."""
    x = torch.tensor([3.0, 4.0])
    yield {"natural_gradient": x, "fisher_times_it": 2 * x, "max_kl": 0.01}
    yield {"natural_gradient": torch.tensor([1.0, 2.0]), "fisher_times_it": torch.tensor([6.0, -1.0]), "max_kl": 0.5}
    yield {"natural_gradient": torch.zeros(2), "fisher_times_it": torch.zeros(2), "max_kl": 0.01}
    yield {"natural_gradient": torch.tensor([1.0, 2.0]), "fisher_times_it": torch.tensor([2.0, -3.0]), "max_kl": 0.5}
    yield {"natural_gradient": torch.tensor([1.0, 1.0]), "fisher_times_it": torch.tensor([2.0, -2.0]), "max_kl": 0.01}
    source = generator(seed)
    yield _case(source, 6, 0.02, torch.float32)
    yield _case(source, 5, 0.1, torch.float64)


def _case(source: torch.Generator, size: int, max_kl: float, dtype: torch.dtype) -> Case:
    root, x = normal(source, size, size, dtype=torch.float64), normal(source, size, dtype=torch.float64) + 0.3
    product = (root @ root.T + torch.eye(size, dtype=torch.float64)) @ x
    return {"natural_gradient": x.to(dtype), "fisher_times_it": product.to(dtype), "max_kl": max_kl}


def _guarded(scale: Callable[[Tensor, Tensor, float, Tensor], Any]) -> tuple[Attempt, ...]:
    """A formula of x, F x, max_kl and x . F x: with 0 where the last is not positive, then without that guard."""

    def careful(natural_gradient: Tensor, fisher_times_it: Tensor, *, max_kl: float) -> Any:
        curvature = natural_gradient @ fisher_times_it
        if curvature <= 0:
            return torch.zeros_like(curvature)
        return scale(natural_gradient, fisher_times_it, max_kl, curvature)

    def careless(natural_gradient: Tensor, fisher_times_it: Tensor, *, max_kl: float) -> Any:
        curvature = natural_gradient @ fisher_times_it
        return scale(natural_gradient, fisher_times_it, max_kl, curvature)

    return careful, careless


def _mistake(id: str, explanation: str, *scales: Callable[[Tensor, Tensor, float, Tensor], Any]) -> Misconception:
    attempts = [attempt for scale in scales for attempt in _guarded(scale)]
    return Misconception(id, explanation, attempts[0], tuple(attempts[1:]))


def _right(x: Tensor, fx: Tensor, max_kl: float, curvature: Tensor) -> Tensor:
    return (2 * max_kl / curvature).sqrt()


def _with_floor(floor: float) -> Attempt:
    """The right formula with its curvature kept above a small number."""
    return lambda x, fx, *, max_kl: (2 * max_kl / (x @ fx).clamp(min=floor)).sqrt()


def _with_sum(small: float) -> Attempt:
    return lambda x, fx, *, max_kl: (2 * max_kl / ((x @ fx) + small)).sqrt()


def _in_python(natural_gradient: Tensor, fisher_times_it: Tensor, *, max_kl: float) -> float:
    curvature = sum(x * fx for x, fx in zip(natural_gradient.tolist(), fisher_times_it.tolist(), strict=True))
    return math.sqrt(2 * max_kl / curvature) if curvature > 0 else 0


def _with_where(natural_gradient: Tensor, fisher_times_it: Tensor, *, max_kl: float) -> Tensor:
    curvature = (natural_gradient * fisher_times_it).sum()
    return torch.where(curvature > 0, torch.sqrt(2 * max_kl / curvature), torch.zeros_like(curvature))


def _with_half(natural_gradient: Tensor, fisher_times_it: Tensor, *, max_kl: float) -> Tensor:
    """As the constraint is written: s^2 times half the quadratic form is max_kl."""
    model = 0.5 * torch.einsum("p,p->", natural_gradient, fisher_times_it)
    return max_kl**0.5 / model.sqrt() if model > 0 else model.new_zeros(())


def _in_numpy(natural_gradient: Tensor, fisher_times_it: Tensor, *, max_kl: float) -> float:
    curvature = np.dot(natural_gradient.double().numpy(), fisher_times_it.double().numpy())
    return float(np.sqrt(2 * max_kl / curvature)) if curvature > 0 else 0.0


EXERCISE = Exercise(
    id="step_scale",
    unit="08",
    title="The length of the step",
    points=1,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=Call("natural_gradient, fisher_times_it, *, max_kl"),
    tolerance=Tolerance(number_for_scalar=True),
    reference=step_scale,
    alternatives=(_in_python, _with_where, _with_half, _in_numpy),
    hints=(
        "Near the current policy the divergence of a step s x is about 1/2 s^2 (x . F x). Set that equal to max_kl and solve "
        "for s. Which of its two factors have you been given?",
        "x . F x is the dot product of the two arguments; no matrix is needed. s = sqrt(2 max_kl / (x . F x)). Look at the "
        "sign of x . F x first: where it is not positive, return 0.",
        "curvature = natural_gradient @ fisher_times_it; return (2 * max_kl / curvature).sqrt() if curvature > 0 else "
        "torch.zeros_like(curvature)",
    ),
    misconceptions=(
        _mistake(
            "two-left-out",
            "You left out the 2. The divergence is near half of s^2 (x . F x); the half comes over to the other side as a 2.",
            lambda x, fx, max_kl, curvature: (max_kl / curvature).sqrt(),
        ),
        _mistake(
            "two-below",
            "The 2 is on the wrong side. 1/2 s^2 (x . F x) = max_kl, solved for s^2, is 2 max_kl over x . F x: the step is "
            "twice as long as yours.",
            lambda x, fx, max_kl, curvature: (max_kl / (2 * curvature)).sqrt(),
        ),
        _mistake(
            "root-left-out",
            "You left out the square root. The divergence grows with the square of the step's length: 2 max_kl over x . F x "
            "is s squared.",
            lambda x, fx, max_kl, curvature: 2 * max_kl / curvature,
        ),
        _mistake(
            "root-above-only",
            "You took the root of 2 max_kl alone. The curvature x . F x stands under the root too, or a direction twice as "
            "long would not get half the scale.",
            lambda x, fx, max_kl, curvature: (2 * max_kl) ** 0.5 / curvature,
        ),
        _mistake(
            "upside-down",
            "Your fraction is upside down. A larger limit allows a longer step, a larger curvature a shorter one: max_kl "
            "stands above.",
            lambda x, fx, max_kl, curvature: (curvature / (2 * max_kl)).sqrt(),
        ),
        _mistake(
            "length-of-the-direction",
            "You divided by x . x, the squared length of the direction. Length in the space of parameters says little about "
            "the policy: use x . F x, the dot product of the two arguments.",
            lambda x, fx, max_kl, curvature: (2 * max_kl / (x @ x)).sqrt(),
            lambda x, fx, max_kl, curvature: (2 * max_kl) ** 0.5 / x.norm(),
            lambda x, fx, max_kl, curvature: max_kl / x.norm(),
        ),
        _mistake(
            "product-with-itself",
            "You multiplied F x with itself. The quadratic form is x . F x, so each argument is used once.",
            lambda x, fx, max_kl, curvature: (2 * max_kl / (fx @ fx)).sqrt(),
            lambda x, fx, max_kl, curvature: (2 * max_kl) ** 0.5 / fx.norm(),
        ),
        _mistake(
            "not-summed",
            "You multiplied entry by entry and did not sum. The whole step has one length; x . F x is a dot product, one "
            "number.",
            lambda x, fx, max_kl, curvature: (2 * max_kl / (x * fx)).sqrt(),
            lambda x, fx, max_kl, curvature: 2 * max_kl / (x * fx),
        ),
        _mistake(
            "whole-step",
            "You returned the whole step, the scale times the direction. Asked for is the scale alone, one number.",
            lambda x, fx, max_kl, curvature: (2 * max_kl / curvature).sqrt() * x,
        ),
        Misconception(
            "no-guard",
            "Where x . F x is 0 or negative your scale is NaN or infinite. Rounding can make it so when there is nothing left "
            "to gain. Return 0 there, so that the policy stays where it is.",
            _guarded(_right)[1],
            (lambda x, fx, *, max_kl: float("inf") if x @ fx <= 0 else float((2 * max_kl / (x @ fx)).sqrt()),),
        ),
        Misconception(
            "floor-for-guard",
            "You kept the curvature away from 0 with a small number. Where it is 0 or negative, that makes the scale huge or "
            "NaN instead of 0: the quadratic model allows no step at all there.",
            _with_floor(1e-8),
            (
                *(_with_floor(floor) for floor in (1e-12, 1e-10, 1e-6)),
                *(_with_sum(small) for small in (1e-12, 1e-10, 1e-8, 1e-6)),
            ),
        ),
        Misconception(
            "sign-ignored",
            "You took the absolute value of x . F x. A negative one says that the divergence would fall along x, which it "
            "cannot at its minimum: the numbers are rounding errors there, and the scale is 0.",
            lambda x, fx, *, max_kl: (2 * max_kl / (x @ fx).abs()).sqrt() if x @ fx != 0 else torch.zeros_like(x[0]),
            (lambda x, fx, *, max_kl: (2 * max_kl / (x @ fx).abs()).sqrt(),),
        ),
    ),
)
