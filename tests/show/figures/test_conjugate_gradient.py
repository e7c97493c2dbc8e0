"""The figures of conjugate gradient hold every residual and every eigenvalue."""

import numpy as np
import pytest

from pgcourse.errors import InvalidInput
from pgcourse.show.figures import conjugate_gradient


def lines_of(ax):  # type: ignore[no-untyped-def]
    return {line.get_label(): line for line in ax.get_lines()}


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
