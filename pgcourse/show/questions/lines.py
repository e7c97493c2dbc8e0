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

from ...checks import progress
from ...errors import InvalidInput
from .ask import inline, plain

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
        progress.record_answer(line_id, _source(attempt), None, right)
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
    # The mean change of an arm's logit, for a learning rate of 1.
    "00-expected-push": Line(
        lambda probability, q, value: probability * (q - value),
        lambda g: unit(g, "probability") | real(g, "q", "value"),
        {
            "You left out the second sum: the pulls of all arms, this one too, push it down by π(k) V.": (
                lambda probability, q, value: probability * q
            ),
            "The factor π(k) is missing: an arm that is seldom pulled is seldom pushed.": (
                lambda probability, q, value: q - value
            ),
            "The second sum has its own factor π(k): each pull lowers this arm in proportion to its probability.": (
                lambda probability, q, value: probability * q - value
            ),
            "That is the push of one pull of this arm. It comes with probability π(k), and pulls of other arms push too.": (
                lambda probability, q, value: (1 - probability) * q
            ),
            "The second sum has the factor π(k), not 1 − π(k): the pulls of this arm count in it too.": (
                lambda probability, q, value: probability * q - (1 - probability) * value
            ),
            "One factor π(k) too many: V is an average over the arms already.": (
                lambda probability, q, value: probability * (q - probability * value)
            ),
        },
    ),
    #
    # --- 01 ------------------------------------------------------------------------------------------------------------
    # The score-function trick: what a sampled action contributes, so that the mean over samples is the gradient.
    "01-score-function": Line(
        lambda pi, slope, reward: slope / pi * reward,
        lambda g: unit(g, "pi") | real(g, "slope", "reward"),
        {
            "That is the term of the sum. A sample comes with probability pi, so on average it would count pi times.": (
                lambda pi, slope, reward: slope * reward
            ),
            "You multiplied by pi. The draw does that already: divide, so that the two cancel.": (
                lambda pi, slope, reward: pi * slope * reward
            ),
            "The slope is missing, and the draw multiplies by pi already: divide by it instead.": (
                lambda pi, slope, reward: pi * reward
            ),
            "That is the score alone: the reward is missing.": (lambda pi, slope, reward: slope / pi),
        },
    ),
    #
    # --- 02 ------------------------------------------------------------------------------------------------------------
    # The price of a constant b that is not the best one: how much variance it adds.
    "02-price": Line(
        lambda mean_square, b, best: mean_square * (b - best) ** 2,
        lambda g: {"mean_square": float(g.uniform(0.2, 3))} | real(g, "b", "best"),
        {
            "You left out the factor: a parabola with b squared times E|ψ|² is that much steeper.": (
                lambda mean_square, b, best: (b - best) ** 2
            ),
            "That is the slope of the parabola at b, up to a factor of 2. The added variance is quadratic in b − b*.": (
                lambda mean_square, b, best: mean_square * (b - best)
            ),
            "That is the whole part with b² alone. Complete the square: the added variance is 0 at b = b*.": (
                lambda mean_square, b, best: mean_square * b**2
            ),
        },
    ),
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
            "γ is missing. Each TD error that is a step further off counts γλ times, not λ times.": (
                lambda delta, next_advantage, gamma, gae_lambda: delta + gae_lambda * next_advantage
            ),
            "The sign is wrong: every term of the sum is added.": (
                lambda delta, next_advantage, gamma, gae_lambda: delta - gamma * gae_lambda * next_advantage
            ),
            "γλ belongs to what comes later only. The first term of the sum, with k = 0, has the weight 1.": (
                lambda delta, next_advantage, gamma, gae_lambda: gamma * gae_lambda * (delta + next_advantage)
            ),
        },
    ),
    #
    # --- 04 ------------------------------------------------------------------------------------------------------------
    # The old policy's advantages along an episode of two steps, discounted and added up.
    "04-telescope": Line(
        lambda r0, r1, v0, v1, gamma: r0 + gamma * r1 - v0,
        lambda g: real(g, "r0", "r1", "v0", "v1") | unit(g, "gamma"),
        {
            "The second advantage is not discounted in yours: it counts γ times, and then v1 cancels.": (
                lambda r0, r1, v0, v1, gamma: r0 + gamma * v1 - v0 + r1 - v1
            ),
            "The second reward comes a step later, so it counts γ times.": (lambda r0, r1, v0, v1, gamma: r0 + r1 - v0),
            "This is the return alone. Each advantage subtracts a value, and that of s0 has nothing to cancel with.": (
                lambda r0, r1, v0, v1, gamma: r0 + gamma * r1
            ),
        },
    ),
    #
    # --- 05 ------------------------------------------------------------------------------------------------------------
    # The score of a Gaussian's log σ, from its log-density.
    "05-score-log-std": Line(
        lambda u, mu, sigma: (u - mu) ** 2 / sigma**2 - 1,
        lambda g: real(g, "u", "mu") | unit(g, "sigma"),
        {
            "This is the derivative for σ. For log σ there is another factor: dσ / d log σ = σ.": (
                lambda u, mu, sigma: (u - mu) ** 2 / sigma**3 - 1 / sigma
            ),
            "The term −log σ of the log-density has a derivative too: −1.": (
                lambda u, mu, sigma: (u - mu) ** 2 / sigma**2
            ),
            "This is the score of the mean. Hold μ still and move log σ.": (lambda u, mu, sigma: (u - mu) / sigma**2),
        },
    ),
    #
    # --- 06 ------------------------------------------------------------------------------------------------------------
    # Adam under a gradient that is always the same, times a factor c: its step, as a share of the learning rate.
    "06-adam": Line(
        lambda c, gradient, eps: c * gradient / (c * gradient + eps),
        lambda g: unit(g, "c", "gradient", "eps"),
        {
            "You left the factor out below the line. The mean of the squares holds it too: its root is c times the gradient.": (
                lambda c, gradient, eps: c * gradient / (gradient + eps)
            ),
            "You left eps out. Then the factor would cancel wholly, however small it is.": lambda c, gradient, eps: 1.0,
            "You did not take the root: below the line stands the root of the mean square, and eps.": (
                lambda c, gradient, eps: c * gradient / ((c * gradient) ** 2 + eps)
            ),
        },
    ),
    #
    # --- 07 ------------------------------------------------------------------------------------------------------------
    # The bootstrap's variance of a mean of R runs, from the unbiased estimate s2 of the variance of one run.
    "07-bootstrap-variance": Line(
        lambda s2, R: (R - 1) / R * s2 / R,
        lambda g: {"s2": float(g.uniform(1, 9)), "R": float(g.integers(2, 41))},
        {
            "This is the variance of one draw from the runs at hand. The mean of R such draws varies less.": (
                lambda s2, R: (R - 1) / R * s2
            ),
            "This is the estimate for runs drawn from all seeds. A draw from the runs at hand varies by a factor less.": (
                lambda s2, R: s2 / R
            ),
            "You divided by R a second time for the wrong reason: equation (2) divides the variance of one draw by R, once.": (
                lambda s2, R: (R - 1) / R * s2 / R**2
            ),
        },
    ),
    #
    # --- 08 ------------------------------------------------------------------------------------------------------------
    # The lowest point of f(x) - eta p.e + eta^2 p.Ap / 2 along a direction p: the step length of conjugate gradient.
    "08-line-length": Line(
        lambda descent, curvature: descent / curvature,
        lambda g: real(g, "descent") | unit(g, "curvature"),
        {
            "You left out the half: the derivative of half of eta squared is eta, not twice eta.": (
                lambda descent, curvature: descent / (2 * curvature)
            ),
            "The sign is lost: the derivative is minus the descent plus eta times the curvature.": (
                lambda descent, curvature: -descent / curvature
            ),
            "Turned upside down: a strongly curved direction needs a short step.": (
                lambda descent, curvature: curvature / descent
            ),
        },
    ),
    #
    # --- 09 ------------------------------------------------------------------------------------------------------------
    # The mean of a group of M answers as baseline: the factor that the expected gradient is multiplied by.
    "09-group-mean": Line(
        lambda M: 1 - 1 / M,
        lambda g: {"M": float(g.integers(2, 65))},
        {
            "That is what is taken away. What is left of the gradient?": lambda M: 1 / M,
            "This is the factor that repairs it: leave-one-out multiplies by it. What is repaired is its inverse.": (
                lambda M: M / (M - 1)
            ),
            "The mean is over all M answers, this one included: the sum is divided by M.": lambda M: 1 - 1 / (M - 1),
        },
    ),
}
