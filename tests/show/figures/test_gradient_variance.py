"""Figures of variance show the numbers they are given, and the parabola has its lowest point where the formula says."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from pgcourse.errors import InvalidInput
from pgcourse.show.figures.gradient_variance import baseline_parabola, variance_ladder, variance_of_baseline

# Two episodes: scores 1 and -2, returns 3 and 6. E[s^2 G] / E[s^2] = (1*3 + 4*6) / (1 + 4) = 5.4; the mean return is 4.5.
SCORES, RETURNS = [1.0, -2.0], [3.0, 6.0]


def vertical_lines(figure: Figure) -> dict[str, float]:
    lines = figure.axes[0].get_lines()
    return {str(line.get_label()): line.get_xdata()[0] for line in lines if len(set(line.get_xdata())) == 1}


def test_the_variance_of_two_estimates_by_hand() -> None:
    # At 0 the estimates are 3 and -12: variance 15^2 / 2. At 4.5 they are -1.5 and -3: variance 1.5^2 / 2.
    np.testing.assert_allclose(variance_of_baseline(SCORES, RETURNS, 0.0), 112.5)
    np.testing.assert_allclose(variance_of_baseline(SCORES, RETURNS, [0.0, 4.5]), [112.5, 1.125])


def test_mean_and_best_constant_are_marked_and_the_chosen_one_lies_on_the_curve() -> None:
    figure = baseline_parabola(SCORES, RETURNS, 4.5)
    lines = vertical_lines(figure)
    assert lines["mean return, 4.5"] == 4.5 and lines["least variance, 5.4"] == pytest.approx(5.4)
    assert lines["yours, 4.5: 0.01"] == 4.5
    chosen = next(line for line in figure.axes[0].get_lines() if "yours" in str(line.get_label()))
    assert chosen.get_ydata()[0] == pytest.approx(1.125 / 112.5)


def test_the_curve_is_lowest_at_the_best_constant_where_scores_have_mean_zero() -> None:
    generator = np.random.default_rng(0)
    scores = np.concatenate([noise := generator.normal(size=500), -noise])  # mean 0, so E[s G] has no part in b
    returns = np.concatenate([noise**2, noise**2]) + generator.normal(size=1000)
    curve = baseline_parabola(scores, returns, 0.0).axes[0].get_lines()[0]
    best = (scores**2 * returns).mean() / (scores**2).mean()
    lowest = curve.get_xdata()[np.argmin(curve.get_ydata())]
    assert abs(lowest - best) <= np.diff(curve.get_xdata())[0]
    assert best > 2 * returns.mean()  # large scores come with large returns here, and weigh more
    assert np.interp(0.0, curve.get_xdata(), curve.get_ydata()) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(("scores", "returns"), [([1.0], [1.0, 2.0]), ([0.0, 0.0], [1.0, 2.0]), ([[1.0]], [[1.0]])])
def test_scores_that_do_not_fit_are_refused(scores: list, returns: list) -> None:
    with pytest.raises(InvalidInput, match="give two of shape"):
        baseline_parabola(scores, returns, 0.0)


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
