"""A line search in exchangeable parts, and whole wrong answers to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Evaluate = Callable[[Tensor], tuple[float, float]]
Attempt = Callable[..., Any]


def build(
    *,
    fits: Callable[[float, float, float], bool] = lambda gain, kl, max_kl: gain > 0 and kl <= max_kl,
    factor: Callable[[float, int], float] = lambda shrink, power: shrink**power,
    powers: Callable[[int], range] = range,
    found: Callable[[Tensor, float, int], Any] = lambda candidate, shrink, power: candidate,
    nothing: Callable[[Tensor, Tensor], Any] = lambda step, last: torch.zeros_like(step),
) -> Attempt:
    """The right function with some of its parts exchanged."""

    def attempt(evaluate: Evaluate, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Any:
        candidate = step
        for power in powers(backtracks):
            candidate = step * factor(shrink, power)
            if fits(*evaluate(candidate), max_kl):
                return found(candidate, shrink, power)
        return nothing(step, candidate)

    return attempt


def all_fitting(
    evaluate: Evaluate, step: Tensor, max_kl: float, backtracks: int, shrink: float
) -> list[tuple[float, Tensor]]:
    """Every step that would do, with its improvement."""
    candidates = [step * shrink**power for power in range(backtracks)]
    outcomes = [(*evaluate(candidate), candidate) for candidate in candidates]
    return [(gain, candidate) for gain, kl, candidate in outcomes if gain > 0 and kl <= max_kl]


def most_gain(evaluate: Evaluate, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Tensor:
    """Of all steps that would do, the one with the most improvement."""
    fitting = all_fitting(evaluate, step, max_kl, backtracks, shrink)
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else torch.zeros_like(step)


def last(evaluate: Evaluate, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Tensor:
    """Of all steps that would do, the shortest."""
    fitting = all_fitting(evaluate, step, max_kl, backtracks, shrink)
    return fitting[-1][1] if fitting else torch.zeros_like(step)


def shrinking_twice(evaluate: Evaluate, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Tensor:
    """The candidate is shrunk from the last one, and by a growing power."""
    candidate = step
    for power in range(backtracks):
        candidate = candidate * shrink**power
        gain, kl = evaluate(candidate)
        if gain > 0 and kl <= max_kl:
            return candidate
    return torch.zeros_like(step)


def in_place(evaluate: Evaluate, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Tensor:
    """Right, but for the step that it was given."""
    for _ in range(backtracks):
        gain, kl = evaluate(step)
        if gain > 0 and kl <= max_kl:
            return step
        step *= shrink
    return torch.zeros_like(step)


def shrinking_first(evaluate: Evaluate, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Tensor:
    """What is returned is one shrink further than what was evaluated."""
    candidate = step
    for _ in range(backtracks):
        gain, kl = evaluate(candidate)
        candidate = candidate * shrink
        if gain > 0 and kl <= max_kl:
            return candidate
    return torch.zeros_like(step)
