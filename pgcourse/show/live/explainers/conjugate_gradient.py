"""Steepest descent and conjugate gradient on one valley, from the same start."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....study.descent import conjugate_gradient_path, relative_residuals, steepest_descent_path, valley
from .. import chart
from ..explainer import Explainer, Slider

SOLUTION = np.array([3.0, 1.0])
LEVELS = 5
SMALLEST = 1e-12  # below the precision of the numbers a residual is noise
FEW = 0.01  # of the first residual
LONGEST = 2000  # iterations that are counted


def figure(condition: float, angle: float, iterations: int, data: Any = None) -> chart.Chart:
    """Both paths over the level lines of x^T A x / 2 - b^T x, and what is left of the residual.

    Args: condition: largest over smallest eigenvalue. angle: of the valley's floor, in degrees. iterations: of each.
    """
    matrix = valley(condition, angle)
    b = matrix @ SOLUTION
    walks = [(walk(matrix, b, iterations)) for walk in (steepest_descent_path, conjugate_gradient_path)]
    left = [np.maximum(relative_residuals(walk, matrix, b), SMALLEST) for walk in walks]
    counts = np.arange(iterations + 1)
    looks = [("steepest descent", "blue", "square"), ("conjugate gradient", "vermillion", "")]
    descent, conjugate = (float(np.linalg.norm(SOLUTION - walk[-1])) for walk in walks)
    needed = iterations_until_few(condition, angle)
    return chart.chart(
        chart.panel(
            chart.axis("x₁", -0.6, 3.8),
            chart.axis("x₂", -1.4, 2.4),
            *[chart.line(x, y, "pale", width=1) for x, y in level_lines(condition, angle, matrix)],
            *[chart.line(walk[:, 0], walk[:, 1], colour, label=label)
              for walk, (label, colour, _) in zip(walks, looks, strict=True)],
            *[chart.points(walk[:, 0], walk[:, 1], colour, shape=shape, size=3.5)
              for walk, (_, colour, shape) in zip(walks, looks, strict=True)],
            chart.points(SOLUTION[:1], SOLUTION[1:], "ink", size=7, hollow=True, label="solution"),
            aspect="equal",
        ),
        chart.panel(
            chart.axis("iterations", 0, 20),
            chart.axis("‖b − A x‖ / ‖b‖", SMALLEST / 3, 10, log=True),
            chart.rule("y", FEW, "grey", dash="2 4", label="a hundredth"),
            *[chart.line(counts, height, colour) for height, (_, colour, _) in zip(left, looks, strict=True)],
            *[chart.points(counts, height, colour, shape=shape, size=3.5)
              for height, (_, colour, shape) in zip(left, looks, strict=True)],
            height=290,
        ),
        words=f"Iterations until the residual is below a hundredth of the first: steepest descent {needed[0]}, conjugate "
        f"gradient {needed[1]}. After {iterations:.0f}, steepest descent is {descent:.3f} away from the solution, conjugate "
        f"gradient {conjugate:.3f}.",
    )  # fmt: skip


def level_lines(condition: float, angle: float, matrix: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Ellipses [2, 120] of equal height around the solution; the outermost goes through the start at 0."""
    turn, circle = np.deg2rad(angle), np.linspace(0, 2 * np.pi, 120)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    reach = np.sqrt(SOLUTION @ matrix @ SOLUTION)
    one = np.outer(along, np.cos(circle)) + np.outer(across, np.sin(circle)) / np.sqrt(condition)
    return [SOLUTION[:, None] + reach * level / LEVELS * one for level in range(1, LEVELS + 1)]


def iterations_until_few(condition: float, angle: float) -> tuple[int, int]:
    """Iterations of steepest descent and of conjugate gradient until the residual is below FEW of the first."""
    turn, scale = np.deg2rad(angle), np.array([1.0, condition])
    error = np.array([SOLUTION @ (np.cos(turn), np.sin(turn)), SOLUTION @ (-np.sin(turn), np.cos(turn))])
    residual = scale * error  # along the floor, across it
    start = float(np.sum(residual**2))
    count = 0
    while np.sum(residual**2) >= FEW**2 * start and count < LONGEST:
        residual = residual - np.sum(residual**2) / np.sum(scale * residual**2) * scale * residual
        count += 1
    return count, min(count, 2)  # two weights: conjugate gradient is done after two, and its first step is the same


CONJUGATE_GRADIENT = Explainer(
    "explainers/conjugate_gradient",
    figure,
    {
        "condition": Slider(1, 100, 20, 1, "steepness across / along"),
        "angle": Slider(0, 175, 15, 5, "angle of the valley [degrees]"),
        "iterations": Slider(1, 20, 8, 1, "iterations"),
    },
    alt="Left: level lines of a narrow valley with two paths from the same start; steepest descent zigzags, "
    "conjugate gradient reaches the solution at its second step. Right: the size of the residual over the "
    "iterations, which falls to zero after two for conjugate gradient and slowly for steepest descent.",
    caption="The first step is the same for both. Then conjugate gradient turns towards the solution. Steepest "
    "descent zigzags at some angles and hardly at others: turn the valley, and find the worst one. Then set the "
    "steepness to 1, and say why one step is enough.",
    size=(9.5, 4.2),
)
