"""Paths of two descents: a valley has its shape, the lesson's example comes out, each method turns as it should."""

import numpy as np
import pytest

from pgcourse.study import descent


@pytest.mark.parametrize(("condition", "angle"), [(1.0, 0.0), (7.0, 30.0), (100.0, 175.0)])
def test_a_valley_has_the_eigenvalues_that_it_says_and_its_floor_at_the_angle(condition: float, angle: float) -> None:
    matrix = descent.valley(condition, angle)
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix), [1, condition])
    floor = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    np.testing.assert_allclose(matrix @ floor, floor, atol=1e-9)


def test_the_example_of_the_lesson_worked_by_hand() -> None:
    matrix, b = [[3, 1], [1, 2]], [5, 5]
    # alpha_0 = 50 / 175 = 2/7; alpha_1 = 7/10 along (-30/49, 40/49).
    path = descent.conjugate_gradient_path(matrix, b, 2)
    np.testing.assert_allclose(path, [[0, 0], [10 / 7, 10 / 7], [1, 2]], atol=1e-12)
    # Steepest descent starts alike; its second residual (-5/7, 5/7) gives alpha = 2/3 and x_2 = (20/21, 40/21).
    steepest = descent.steepest_descent_path(matrix, b, 2)
    np.testing.assert_allclose(steepest, [[0, 0], [10 / 7, 10 / 7], [20 / 21, 40 / 21]])
    np.testing.assert_allclose(descent.relative_residuals(path, matrix, b), [1, 1 / 7, 0], atol=1e-12)


def test_steepest_descent_turns_by_a_right_angle_and_conjugate_gradient_does_not() -> None:
    matrix = descent.valley(20.0, 35.0)
    b = matrix @ np.array([3.0, 1.0])
    steepest = np.diff(descent.steepest_descent_path(matrix, b, 5), axis=0)
    np.testing.assert_allclose(np.sum(steepest[1:] * steepest[:-1], axis=1), 0, atol=1e-9)
    first, second = np.diff(descent.conjugate_gradient_path(matrix, b, 2), axis=0)
    assert first @ matrix @ second == pytest.approx(0, abs=1e-9) and abs(first @ second) > 0.1


def test_a_start_at_the_solution_stays_there() -> None:
    path = descent.steepest_descent_path(np.eye(2), np.ones(2), 4)
    np.testing.assert_allclose(path[1:], 1)
