"""The valley alive: paths, level lines through the start, and counts of iterations that are those of the walk."""

import numpy as np
import pytest

from pgcourse.show.live.explainers.conjugate_gradient import (
    CONJUGATE_GRADIENT,
    FEW,
    SOLUTION,
    iterations_until_few,
    level_lines,
)
from pgcourse.study.descent import relative_residuals, steepest_descent_path, valley


@pytest.mark.parametrize(("condition", "angle"), [(1, 40), (20, 15), (50, 20), (100, 90)])
def test_the_counts_are_those_of_the_walk(condition: float, angle: float) -> None:
    matrix = valley(condition, angle)
    left = relative_residuals(steepest_descent_path(matrix, matrix @ SOLUTION, 300), matrix, matrix @ SOLUTION)
    steepest, conjugate = iterations_until_few(condition, angle)
    assert steepest == int(np.argmax(left < FEW)) and conjugate == min(steepest, 2)


def test_level_lines_have_one_height_each_and_the_last_goes_through_the_start() -> None:
    matrix = valley(20, 35)
    for curve in level_lines(20, 35, matrix):
        offset = curve - SOLUTION[:, None]
        heights = np.einsum("ip,ij,jp->p", offset, matrix, offset)
        np.testing.assert_allclose(heights, heights[0])
    assert heights[0] == pytest.approx(SOLUTION @ matrix @ SOLUTION), "the height of the start, 0"


def test_one_step_is_enough_in_a_round_valley_and_two_in_every_other() -> None:
    assert "steepest descent 1, conjugate gradient 1" in CONJUGATE_GRADIENT.at(condition=1)["words"]
    assert "conjugate gradient 0.000" in CONJUGATE_GRADIENT.at(condition=100, angle=20, iterations=2)["words"]
    assert "conjugate gradient 0.000" not in CONJUGATE_GRADIENT.at(condition=100, angle=20, iterations=1)["words"]
