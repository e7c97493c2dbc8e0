"""Conjugate gradient: its path on a valley beside steepest descent's, its residuals, the spectrum it works on."""

from collections.abc import Mapping

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from ...errors import InvalidInput
from ...natural_gradient import conjugate_gradient
from ..page.style import COLOURS, OTHERS, new_figure

CONJUGATE, STEEPEST = COLOURS["trpo"], "pg:blue"
LOOKS = {CONJUGATE: ("-", "o"), STEEPEST: ("--", "s")}


def valley(condition: float, angle: float) -> NDArray[np.float64]:
    """A symmetric matrix [2, 2] with eigenvalues 1 and `condition`, the first along `angle` degrees."""
    turn = np.deg2rad(angle)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    return np.outer(along, along) + condition * np.outer(across, across)


def steepest_descent_path(matrix: ArrayLike, b: ArrayLike, iterations: int) -> NDArray[np.float64]:
    """Points [iterations + 1, P] of steepest descent on x^T A x / 2 - b^T x from 0, each step of the best length."""
    a, target = np.asarray(matrix, dtype=np.float64), np.asarray(b, dtype=np.float64)
    points = [np.zeros_like(target)]
    for _ in range(iterations):
        residual = target - a @ points[-1]
        curvature = residual @ a @ residual
        step = residual @ residual / curvature if curvature > 0 else 0.0
        points.append(points[-1] + step * residual)
    return np.stack(points)


def conjugate_gradient_path(matrix: ArrayLike, b: ArrayLike, iterations: int) -> NDArray[np.float64]:
    """Points [iterations + 1, P] of the package's `conjugate_gradient`, stopped after 0, 1, 2, ... iterations."""
    a, target = torch.as_tensor(np.asarray(matrix, dtype=np.float64)), torch.as_tensor(np.asarray(b, dtype=np.float64))
    points = [
        conjugate_gradient(lambda v: a @ v, target, iterations=count, tolerance=1e-12)
        for count in range(iterations + 1)
    ]
    return torch.stack(points).numpy()


def relative_residuals(path: ArrayLike, matrix: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """||b - A x|| / ||b|| at each point [K] of a path [K, P]."""
    target = np.asarray(b, dtype=np.float64)
    residuals = target - np.asarray(path) @ np.asarray(matrix).T
    return np.linalg.norm(residuals, axis=1) / np.linalg.norm(target)


def paths(condition: float, angle: float, iterations: int) -> Figure:
    """Both methods on one valley from the same start, and their residuals.

    Args: condition: largest over smallest eigenvalue. angle: of the valley's floor, in degrees. iterations: of each.
    """
    matrix, solution = valley(condition, angle), np.array([3.0, 1.0])
    b = matrix @ solution
    figure, (left, right) = new_figure(columns=2, width=9.5, height=4.3, width_ratios=[1.5, 1])
    walks = {
        "steepest descent": (steepest_descent_path(matrix, b, iterations), STEEPEST),
        "conjugate gradient": (conjugate_gradient_path(matrix, b, iterations), CONJUGATE),
    }
    _draw_valley(left, matrix, solution, np.concatenate([path for path, _ in walks.values()]))
    counts = np.arange(iterations + 1)
    for label, (path, colour) in walks.items():
        line, marker = LOOKS[colour]
        left.plot(path[:, 0], path[:, 1], line, color=colour, marker=marker, markersize=5, label=label)
        # Below the precision of the numbers a residual is noise.
        heights = np.maximum(relative_residuals(path, matrix, b), 1e-15)
        right.plot(counts, heights, line, color=colour, marker=marker, markersize=5, label=label)
    left.plot(*solution, "*", color="black", markersize=13, label="solution", zorder=5)
    left.set(xlabel="x₁", ylabel="x₂")
    left.legend(loc="upper left", fontsize=9)
    right.set(xlabel="iterations", ylabel="‖b − A x‖ / ‖b‖", yscale="log", ylim=(1e-16, 10))
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _draw_valley(ax: Axes, matrix: NDArray, solution: NDArray, points: NDArray) -> None:
    """Level lines of x^T A x / 2 - b^T x around what has to be in view, with the same scale on both axes."""
    seen = np.vstack([points, solution, np.zeros(2)])
    centre, reach = (seen.max(axis=0) + seen.min(axis=0)) / 2, np.ptp(seen, axis=0).max() / 2 * 1.25 + 0.2
    grid_x, grid_y = np.meshgrid(*(np.linspace(c - reach, c + reach, 120) for c in centre))
    offset = np.stack([grid_x - solution[0], grid_y - solution[1]], axis=-1)
    height = 0.5 * np.einsum("...i,ij,...j->...", offset, matrix, offset)  # the same up to a constant
    levels = height.max() * np.linspace(0.02, 1, 12) ** 2
    ax.contour(grid_x, grid_y, height, levels=levels, colors="#BBBBBB", linewidths=0.9)
    ax.set(aspect="equal", xlim=(grid_x.min(), grid_x.max()), ylim=(grid_y.min(), grid_y.max()))


def convergence(
    residuals: Mapping[str, ArrayLike], *, usual: int | None = None, tolerance: float | None = None
) -> Figure:
    """Relative residuals over the iterations, one line for each label.

    Args: residuals: label -> [K], from iteration 0. usual: a number of iterations to mark. tolerance: a level to mark.
    Raises: InvalidInput where there is nothing to draw.
    """
    if not residuals:
        raise InvalidInput("no residuals to draw; give {'label': [1.0, 0.3, ...]}")
    figure, ax = new_figure(height=3.9)
    looks = [(CONJUGATE, "-", "o"), (STEEPEST, "--", "s"), *((colour, ":", "^") for colour in OTHERS)]
    for (label, values), (colour, style, marker) in zip(residuals.items(), looks, strict=False):
        heights = np.asarray(values, dtype=np.float64)
        ax.plot(np.arange(len(heights)), heights, style, color=colour, marker=marker, markersize=4, label=label)
    if usual is not None:
        ax.axvline(usual, color=COLOURS["threshold"], linestyle=":", linewidth=1)
    if tolerance is not None:
        ax.axhline(tolerance, color=COLOURS["threshold"], linestyle=":", linewidth=1)
    ax.set(yscale="log", xlabel="iterations", ylabel="‖b − A x‖ / ‖b‖")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="best", fontsize=9)
    return figure


def spectrum(eigenvalues: ArrayLike, *, num_parameters: int, damping: float, shown: int = 60) -> Figure:
    """The largest eigenvalues of F in order, and the damping that is added to each.

    Args: eigenvalues: [K], of any order; tiny negative ones are rounding. num_parameters: P. shown: how many at most.
    """
    ordered = np.sort(np.asarray(eigenvalues, dtype=np.float64))[::-1]
    figure, ax = new_figure(height=3.9)
    rank = np.arange(1, min(len(ordered), shown) + 1)
    above = ordered[: len(rank)] > damping
    heights = np.maximum(ordered[: len(rank)], 1e-12)
    large = int((ordered > damping).sum())
    for chosen, marker, colour, count, words in (
        (above, "o", CONJUGATE, large, "above the damping"),
        (~above, "s", "pg:grey", num_parameters - large, "below it"),
    ):
        ax.plot(rank[chosen], heights[chosen], marker, color=colour, markersize=5, label=f"{count:,} {words}")
    if damping > 0:
        ax.axhline(damping, color="black", linestyle="--", linewidth=1.2, label=f"damping {damping:g}")
    ax.set(yscale="log", xlabel="eigenvalues of F, largest first", ylabel="size")
    ax.set_title(f"{len(rank)} of {num_parameters:,} eigenvalues")
    ax.legend(loc="upper right", fontsize=9)
    return figure
