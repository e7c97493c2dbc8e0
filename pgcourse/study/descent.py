"""Steepest descent and conjugate gradient as paths: where each iteration stands, and what is left of the residual."""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ..natural_gradient import conjugate_gradient


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
