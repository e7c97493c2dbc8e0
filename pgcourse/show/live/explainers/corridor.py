"""The short corridor: the exact return of every stochastic policy, its slope, and steps along the gradient."""

import math
from typing import Any

import numpy as np

from ....envs.corridor import BEST_RIGHT_PROBABILITY, exact_gradient, exact_value
from .. import chart
from ..explainer import Explainer, Slider

GRID = np.linspace(0.03, 0.97, 160)
REACH = 0.1  # of the tangent, to both sides
STEP_SIZE = 0.02  # learning rate of the logit


def climb(p: float, steps: int) -> list[float]:
    """The probabilities after 0, 1, ... steps of gradient ascent on the logit, [steps + 1]."""
    course = [p]
    logit = math.log(p / (1 - p))
    for _ in range(steps):
        logit += STEP_SIZE * exact_gradient(course[-1])
        course.append(1 / (1 + math.exp(-logit)))
    return course


def figure(p: float, steps: int, data: Any = None) -> chart.Chart:
    """Expected return against p with its tangent and the course of gradient ascent, and the gradient against p."""
    course = climb(p, int(steps))
    end = course[-1]
    value, gradient = exact_value(end), exact_gradient(end)
    slope = gradient / (end * (1 - end))  # d value / d p
    near = np.array([end - REACH, end + REACH])
    push = "more likely" if gradient > 0 else "less likely"
    moved = f"After {steps:.0f} steps of gradient ascent p is {end:.3f}" if steps else f"At p = {end:.2f}"
    across = chart.axis("probability p of going right", 0, 1)
    return chart.chart(
        chart.panel(
            across,
            chart.axis("expected return", -80, 0),
            chart.rule("x", BEST_RIGHT_PROBABILITY, "grey", dash="2 4", label="best p"),
            chart.line(GRID, [exact_value(each) for each in GRID], "blue"),
            chart.line(near, value + slope * (near - end), "vermillion", label="slope here"),
            chart.points(course[:-1], [exact_value(each) for each in course[:-1]], "grey", size=3),
            chart.points([end], [value], "ink", size=6),
        ),
        chart.panel(
            across,
            chart.axis("gradient in the logit", -40, 80),
            chart.rule("x", BEST_RIGHT_PROBABILITY, "grey", dash="2 4"),
            chart.rule("y", 0, "grey"),
            chart.line(GRID, [exact_gradient(each) for each in GRID], "vermillion"),
            chart.points([end], [gradient], "ink", size=6),
        ),
        words=f"{moved}: expected return {value:.2f}, gradient {gradient:+.2f}. One more step makes right {push}.",
    )


CORRIDOR = Explainer(
    "explainers/corridor",
    figure,
    {
        "p": Slider(0.05, 0.95, 0.2, 0.01, "probability p of going right"),
        "steps": Slider(0, 40, 0, 1, "steps of gradient ascent from there"),
    },
    alt="Left: expected return against the probability of going right: an arch that falls to minus infinity at 0 and 1, "
    "highest at about 0.59, with a tangent at the chosen point. Right: the gradient in the logit, large near 0, zero at the "
    "top of the arch, negative beyond.",
    caption="Both deterministic policies, p = 0 and p = 1, never reach the goal. Small grey points: where the steps passed.",
    size=(7.6, 3.6),
)
