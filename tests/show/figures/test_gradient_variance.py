"""The ladder of variances shows the numbers that it is given."""

import numpy as np
import pytest

from pgcourse.errors import InvalidInput
from pgcourse.show.figures.gradient_variance import variance_ladder


def figure_of(value: float) -> dict[str, float]:
    return {"value": value, "low": value / 2, "high": value * 3}


def test_the_ladder_has_one_marker_and_one_interval_a_rung_and_series() -> None:
    rungs = {"whole": [figure_of(4.0), figure_of(6.0)], "to go": [figure_of(1.0), figure_of(1.0)]}
    ax = variance_ladder(rungs, ["early", "late"]).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["whole", "to go"]
    low, high = ax.get_ylim()
    assert low > high, "the first rung is on top"
    assert len(ax.containers) == 2
    early, late = ax.containers
    assert early.get_label() == "early"
    np.testing.assert_allclose(early.lines[0].get_xdata(), [4.0, 1.0])
    np.testing.assert_allclose(late.lines[0].get_xdata(), [6.0, 1.0])
    segments = early.lines[2][0].get_segments()
    np.testing.assert_allclose([segment[:, 0] for segment in segments], [[2.0, 12.0], [0.5, 3.0]])
    # Series of one rung stand one below the other, within the rung's own row.
    rows = [container.lines[0].get_ydata() for container in ax.containers]
    assert all(abs(rows[0] - [0, 1]) < 0.5) and rows[0][0] < rows[1][0]


def test_a_rung_with_a_figure_too_few_is_refused() -> None:
    with pytest.raises(InvalidInput, match="one figure for each of early, late"):
        variance_ladder({"whole": [figure_of(4.0)]}, ["early", "late"])
