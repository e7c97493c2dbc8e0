"""Lines of derivations that the reader fills in: judged by numbers, at points drawn at random.

next_step = lambda x, g, alpha: ...  # your line
questions.check_line("00-step", next_step)
"""

import html
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from IPython.display import display

from ...errors import InvalidInput
from .ask import inline, keep, plain

POINTS = 20
Function = Callable[..., Any]
Draw = Callable[[np.random.Generator], dict[str, float]]


@dataclass(frozen=True)
class Line:
    """One line of a derivation.

    Fields:
      right: the line itself.
      draw: random generator -> its arguments by name, floats; the first point that differs is shown.
      slips: what to say -> the line of somebody who makes this slip.
    """

    right: Function
    draw: Draw
    slips: Mapping[str, Function] = field(default_factory=dict)


def check_line(line_id: str, attempt: Function) -> None:
    """Say whether the reader's line is the derivation's: the same number at every one of 20 random points.

    Args: attempt: a function of the arguments that the lesson names; `...` in its body counts as not filled in.
    Raises: InvalidInput for an unknown id.
    """
    right, text = judge(line_id, attempt)
    if right is not None:
        keep(line_id, _source(attempt), None, right)
    display(
        {
            "text/html": f'<p role="status" style="line-height: 1.4">{inline(text)}</p>',
            "text/plain": plain(text),
        },
        raw=True,
    )


def judge(line_id: str, attempt: Function) -> tuple[bool | None, str]:
    """The verdict on a line, None where nothing is filled in, and what is said."""
    if line_id not in LINES:
        raise InvalidInput(f"no line is called {line_id!r}; there are {', '.join(LINES)}")
    line = LINES[line_id]
    generator = np.random.default_rng(0)
    points = [{name: round(number, 3) for name, number in line.draw(generator).items()} for _ in range(POINTS)]
    try:
        given = [attempt(**point) for point in points]
    except Exception as error:
        return False, f"✗ Your line stops with {type(error).__name__}: {error}."
    if any(number is ... or number is None for number in given):
        return None, "○ Not filled in yet: put your line in place of the dots, and run the cell again."
    wanted = [line.right(**point) for point in points]
    wrong = next((i for i in range(POINTS) if not _same(given[i], wanted[i])), None)
    if wrong is None:
        return True, "✓ Right: at 20 random points your line gives the derivation's number."
    at = ", ".join(f"{name} = {number:g}" for name, number in points[wrong].items())
    slip = next(
        (
            words for words, function in line.slips.items()
            if all(_same(one, function(**point)) for one, point in zip(given, points, strict=True))
        ),
        "",
    )  # fmt: skip
    return (
        False,
        f"✗ Not yet. At {at} your line gives {_shown(given[wrong])}, the derivation {wanted[wrong]:.4g}. {slip}",
    )


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(np.isclose(float(one), float(other), rtol=1e-6, atol=1e-9))
    except (TypeError, ValueError):
        return False


def _shown(number: Any) -> str:
    try:
        return f"{float(number):.4g}"
    except (TypeError, ValueError):
        return f"{type(number).__name__} {html.escape(str(number)[:40])}"


def _source(attempt: Function) -> str:
    try:
        return inspect.getsource(attempt).strip()[:500]
    except (OSError, TypeError):
        return "a line"


def unit(generator: np.random.Generator, *names: str) -> dict[str, float]:
    """A number between 0.1 and 0.9 for each name: probabilities, discounts, λ."""
    return {name: float(generator.uniform(0.1, 0.9)) for name in names}


def real(generator: np.random.Generator, *names: str) -> dict[str, float]:
    """A number between -3 and 3 for each name."""
    return {name: float(generator.uniform(-3, 3)) for name in names}


LINES: dict[str, Line] = {
    # --- 00 ------------------------------------------------------------------------------------------------------------
    #
    # --- 01 ------------------------------------------------------------------------------------------------------------
    #
    # --- 02 ------------------------------------------------------------------------------------------------------------
    #
    # --- 03 ------------------------------------------------------------------------------------------------------------
    # GAE's recursion: what the advantage of a row is, given that of the next one.
    "03-gae-recursion": Line(
        lambda delta, next_advantage, gamma, gae_lambda: delta + gamma * gae_lambda * next_advantage,
        lambda g: real(g, "delta", "next_advantage") | unit(g, "gamma", "gae_lambda"),
        {
            "You left out λ: the whole of the next row's advantage flows back, which is right at λ = 1 only.": (
                lambda delta, next_advantage, gamma, gae_lambda: delta + gamma * next_advantage
            ),
            "You weight the row's own error too. It belongs to this very step, and keeps its weight of 1.": (
                lambda delta, next_advantage, gamma, gae_lambda: (
                    (1 - gae_lambda) * delta + gamma * gae_lambda * next_advantage
                )
            ),
        },
    ),
    #
    # --- 04 ------------------------------------------------------------------------------------------------------------
    #
    # --- 05 ------------------------------------------------------------------------------------------------------------
    #
    # --- 06 ------------------------------------------------------------------------------------------------------------
    #
    # --- 07 ------------------------------------------------------------------------------------------------------------
    #
    # --- 08 ------------------------------------------------------------------------------------------------------------
    # The lowest point of f(x) - alpha p.e + alpha^2 p.Ap / 2 along a direction p: the step length of conjugate gradient.
    "08-line-length": Line(
        lambda slope, curvature: slope / curvature,
        lambda g: real(g, "slope") | unit(g, "curvature"),
        {
            "You left out the half: the derivative of half of alpha squared is alpha, not twice alpha.": (
                lambda slope, curvature: slope / (2 * curvature)
            ),
            "The sign is lost: the derivative is minus the slope plus alpha times the curvature.": (
                lambda slope, curvature: -slope / curvature
            ),
            "Turned upside down: a strongly curved direction needs a short step.": (
                lambda slope, curvature: curvature / slope
            ),
        },
    ),
}
