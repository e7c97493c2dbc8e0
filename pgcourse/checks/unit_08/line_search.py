"""line_search(evaluate, step, *, max_kl, backtracks, shrink): the longest of some steps that keeps the promise."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.natural_gradient import Search
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_08.line_search_parts import Evaluate
from pgcourse.checks.unit_08.line_search_wrong import MISCONCEPTIONS
from pgcourse.checks.wording import number, value
from pgcourse.natural_gradient import line_search

NAN = float("nan")


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first: what is tried first, what is refused and why, and what is left where nothing will do."""
    for halvings, max_kl, backtracks in _BY_HAND:
        yield _case(torch.tensor([4.0, -8.0]), halvings, max_kl=max_kl, backtracks=backtracks, shrink=0.5)
    source = generator(seed)
    for shrink, dtype in ((0.8, torch.float32), (0.7, torch.float64)):
        # The divergence grows with the square of the length, and the fourth of the steps is the first within the limit.
        lengths = [shrink**power for power in range(8)]
        rows = [(0.4 - 0.2 * length, 0.01 * (length / lengths[3]) ** 2) for length in lengths]
        yield _case(normal(source, 5, dtype=dtype), rows, max_kl=0.0101, backtracks=6, shrink=shrink)
    # The improvement turns positive only for short steps, and ever shorter ones gain less again.
    lengths = [0.6**power for power in range(8)]
    rows = [(length * (0.3 - length), 0.001 * length) for length in lengths]
    yield _case(normal(source, 3), rows, max_kl=0.01, backtracks=7, shrink=0.6)


# (improvement, divergence) of the full step, its half, its quarter, ...; the limit; how many are tried.
_BY_HAND: tuple[tuple[list[tuple[float, float]], float, int], ...] = (
    ([(0.3, 0.02), (0.2, 0.005), (0.1, 0.001)], 0.01, 3),  # too far at first
    ([(0.3, 0.008), (0.4, 0.002), (0.1, 0.001)], 0.01, 3),  # the full step will do
    ([(-0.2, 0.009), (0.1, 0.004), (0.05, 0.001)], 0.01, 3),  # worse at first
    ([(0.3, 0.0101), (0.2, 0.01), (0.1, 0.002)], 0.01, 3),  # just beyond the limit, then exactly at it
    ([(0.0, 0.009), (0.001, 0.004), (0.05, 0.001)], 0.01, 3),  # nothing gained at first, then a little
    ([(0.3, 0.16), (0.2, 0.04), (0.1, 0.01), (0.05, 0.0025)], 0.012, 3),  # the last that may be tried
    ([(0.3, 0.16), (0.2, 0.08), (0.1, 0.04), (0.05, 0.002)], 0.01, 3),  # none of those that may be tried
    ([(NAN, 0.004), (0.2, NAN), (0.1, 0.003), (0.05, 0.001)], 0.01, 4),  # what is not a number never qualifies
)


def _case(step: Tensor, rows: list[tuple[float, float]], *, max_kl: float, backtracks: int, shrink: float) -> Case:
    """A table from the outcomes of step, step * shrink, ... A step of no length brings nothing, a longer one looks fine."""
    outcomes = [(shrink**power, *row) for power, row in enumerate(rows)]
    table = [(0.0, 0.0, 0.0), *reversed(outcomes), (1 / shrink, 0.5, 0.5 * max_kl)]
    lengths, improvements, kls = (list(column) for column in zip(*table, strict=True))
    found = {"lengths": lengths, "improvements": improvements, "kls": kls}
    return {"step": step, "max_kl": max_kl, "backtracks": backtracks, "shrink": shrink, **found}


def _show(case: Case) -> str:
    settings = ", ".join(f"{name}={number(case[name])}" for name in ("max_kl", "backtracks", "shrink"))
    outcomes = [f"({number(gain)}, {number(kl)})" for gain, kl in zip(case["improvements"], case["kls"], strict=True)]
    listed = ", ".join(outcomes[-2:0:-1][:5])  # from the full step down
    return (
        f"line_search(evaluate, step={value(case['step'])}, {settings}), where evaluate gives {listed}, ... for the full "
        "step, the first shrunk one, and so on"
    )


def _multiplying_on(evaluate: Evaluate, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Tensor:
    candidate = step.clone()
    for _ in range(backtracks):
        improvement, kl = evaluate(candidate)
        if improvement > 0 and kl <= max_kl:
            return candidate
        candidate = candidate * shrink
    return 0 * step


def _with_while(evaluate: Evaluate, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Tensor:
    tried, scale = 0, 1.0
    while tried < backtracks:
        improvement, kl = evaluate(scale * step)
        if kl <= max_kl and improvement > 0:
            break
        tried, scale = tried + 1, scale * shrink
    else:
        scale = 0.0
    return step * scale


def _with_generator(evaluate: Evaluate, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Tensor:
    candidates = itertools.islice((step * shrink**power for power in itertools.count()), backtracks)
    outcomes = ((candidate, *evaluate(candidate)) for candidate in candidates)
    return next((candidate for candidate, gain, kl in outcomes if gain > 0 and kl <= max_kl), torch.zeros_like(step))


def _looking_at_all(evaluate: Evaluate, step: Tensor, *, max_kl: float, backtracks: int, shrink: float) -> Tensor:
    """Every step evaluated, then the first that fits; wasteful, and right."""
    scales = torch.tensor([shrink**power for power in range(backtracks)], dtype=step.dtype)
    outcomes = torch.tensor([evaluate(scale * step) for scale in scales], dtype=torch.float64)
    fitting = ((outcomes[:, 0] > 0) & (outcomes[:, 1] <= max_kl)).nonzero().flatten()
    return scales[fitting[0]] * step if len(fitting) else step.new_zeros(step.shape)


EXERCISE = Exercise(
    id="line_search",
    unit="08",
    title="Line search",
    points=2,
    minutes=12,
    difficulty=2,
    cases=cases,
    observe=Search(),
    show_case=_show,
    reference=line_search,
    alternatives=(_multiplying_on, _with_while, _with_generator, _looking_at_all),
    hints=(
        "Try the full step first. What do you do when it fails, how often may you do that, and what do you return when "
        "nothing helps?",
        "Loop over k = 0, 1, ..., backtracks - 1. The candidate is step * shrink**k; evaluate(candidate) gives improvement "
        "and divergence. Return the first candidate that meets both conditions, and zeros after the loop.",
        "for k in range(backtracks): candidate = step * shrink**k; improvement, kl = evaluate(candidate); if improvement > 0 "
        "and kl <= max_kl: return candidate. After the loop: return torch.zeros_like(step)",
    ),
    misconceptions=MISCONCEPTIONS,
)
