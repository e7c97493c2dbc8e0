"""The figures of conjugate gradient hold the package's own iterates, the residuals of a path, and every eigenvalue."""

import numpy as np
import pytest

from pgcourse.errors import InvalidInput
from pgcourse.show.figures import conjugate_gradient


def lines_of(ax):  # type: ignore[no-untyped-def]
    return {line.get_label(): line for line in ax.get_lines()}


@pytest.mark.parametrize(("condition", "angle"), [(1.0, 0.0), (7.0, 30.0), (100.0, 175.0)])
def test_a_valley_has_the_eigenvalues_that_it_says_and_its_floor_at_the_angle(condition: float, angle: float) -> None:
    matrix = conjugate_gradient.valley(condition, angle)
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix), [1, condition])
    floor = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    np.testing.assert_allclose(matrix @ floor, floor, atol=1e-9)


def test_the_example_of_the_lesson_worked_by_hand() -> None:
    matrix, b = [[3, 1], [1, 2]], [5, 5]
    # alpha_0 = 50 / 175 = 2/7; alpha_1 = 7/10 along (-30/49, 40/49).
    path = conjugate_gradient.conjugate_gradient_path(matrix, b, 2)
    np.testing.assert_allclose(path, [[0, 0], [10 / 7, 10 / 7], [1, 2]], atol=1e-12)
    # Steepest descent starts alike; its second residual (-5/7, 5/7) gives alpha = 2/3 and x_2 = (20/21, 40/21).
    descent = conjugate_gradient.steepest_descent_path(matrix, b, 2)
    np.testing.assert_allclose(descent, [[0, 0], [10 / 7, 10 / 7], [20 / 21, 40 / 21]])
    np.testing.assert_allclose(conjugate_gradient.relative_residuals(path, matrix, b), [1, 1 / 7, 0], atol=1e-12)


def test_steepest_descent_turns_by_a_right_angle_and_conjugate_gradient_does_not() -> None:
    matrix = conjugate_gradient.valley(20.0, 35.0)
    b = matrix @ np.array([3.0, 1.0])
    descent = np.diff(conjugate_gradient.steepest_descent_path(matrix, b, 5), axis=0)
    np.testing.assert_allclose(np.sum(descent[1:] * descent[:-1], axis=1), 0, atol=1e-9)
    first, second = np.diff(conjugate_gradient.conjugate_gradient_path(matrix, b, 2), axis=0)
    assert first @ matrix @ second == pytest.approx(0, abs=1e-9) and abs(first @ second) > 0.1


def test_a_start_at_the_solution_stays_there() -> None:
    path = conjugate_gradient.steepest_descent_path(np.eye(2), np.ones(2), 4)
    np.testing.assert_allclose(path[1:], 1)


def test_both_paths_are_drawn_with_their_residuals() -> None:
    left, right = map(lines_of, conjugate_gradient.paths(20.0, 35.0, 6).axes)
    matrix = conjugate_gradient.valley(20.0, 35.0)
    b = matrix @ np.array([3.0, 1.0])
    for label, walk in (
        ("steepest descent", conjugate_gradient.steepest_descent_path),
        ("conjugate gradient", conjugate_gradient.conjugate_gradient_path),
    ):
        path = walk(matrix, b, 6)
        np.testing.assert_allclose(left[label].get_xydata(), path)
        drawn = right[label].get_ydata()
        np.testing.assert_allclose(drawn, conjugate_gradient.relative_residuals(path, matrix, b), atol=2e-15)
    assert right["conjugate gradient"].get_ydata()[2] < 1e-12 < 1e-3 < right["steepest descent"].get_ydata()[2]
    assert list(left["solution"].get_xydata()[0]) == [3.0, 1.0]


def test_each_curve_of_residuals_is_there_and_the_usual_number_is_marked() -> None:
    curves = {"one": [1.0, 0.1, 0.01], "other": [1.0, 0.5, 0.25, 0.2]}
    ax = conjugate_gradient.convergence(curves, usual=2, tolerance=0.05).axes[0]
    lines = lines_of(ax)
    for label, values in curves.items():
        np.testing.assert_array_equal(lines[label].get_xydata(), np.column_stack([range(len(values)), values]))
    assert any(list(line.get_xdata()) == [2, 2] for line in ax.get_lines())
    assert any(list(line.get_ydata()) == [0.05, 0.05] for line in ax.get_lines()) and ax.get_yscale() == "log"
    with pytest.raises(InvalidInput, match="no residuals"):
        conjugate_gradient.convergence({})


def test_the_spectrum_counts_all_eigenvalues_and_shows_the_largest() -> None:
    eigenvalues = [0.001, 3.0, 0.5, -1e-18, 0.05]  # those that are not given are 0
    ax = conjugate_gradient.spectrum(eigenvalues, num_parameters=50, damping=0.1, shown=4).axes[0]
    lines = lines_of(ax)
    np.testing.assert_allclose(lines["2 above the damping"].get_xydata(), [[1, 3.0], [2, 0.5]])
    np.testing.assert_allclose(lines["48 below it"].get_xydata(), [[3, 0.05], [4, 0.001]])
    assert list(lines["damping 0.1"].get_ydata()) == [0.1, 0.1]
