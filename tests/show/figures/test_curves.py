"""Learning curves show what was measured: the mean, the interval, the number of seeds."""

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from pgcourse.errors import InvalidInput
from pgcourse.show.figures import curves
from pgcourse.show.figures.curves import band, claimed_curves, learning_curves
from pgcourse.show.page import style
from pgcourse.statistics import interquartile_mean
from pgcourse.study import claims
from pgcourse.study.seeds import Run


def lines(figure: Figure) -> dict[str, Any]:
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


def bands(figure: Figure) -> list[Any]:
    return [part for part in figure.axes[0].collections if isinstance(part, PolyCollection)]


def test_the_line_is_the_interquartile_mean_and_the_band_holds_it() -> None:
    curves = np.random.default_rng(0).normal(size=(8, 30)).cumsum(axis=1)
    figure, ax = style.new_figure()
    band(ax, np.arange(30), curves, label="PPO")
    drawn = lines(figure)["PPO"]
    np.testing.assert_allclose(
        drawn.get_ydata(), interquartile_mean(curves, axis=0)
    )  # so a lucky seed does not move it
    vertices = bands(figure)[0].get_paths()[0].vertices
    for x, y in zip(drawn.get_xdata(), drawn.get_ydata(), strict=True):
        column = vertices[vertices[:, 0] == x][:, 1]
        assert column.min() <= y <= column.max() and column.max() - column.min() > 0


def test_one_run_is_a_line_without_a_band_and_the_caption_says_so(episodes: np.ndarray) -> None:
    figure = learning_curves({"PPO": [episodes]})
    assert bands(figure) == [] and "one seed, so no interval" in figure.get_supxlabel()


@pytest.mark.parametrize("curves", [np.zeros((2, 3)), np.zeros((0, 4)), np.zeros((2, 2, 4))])
def test_curves_that_do_not_fit_x_are_refused(curves: np.ndarray) -> None:
    _, ax = style.new_figure()
    with pytest.raises(InvalidInput, match="give x \\[X\\] and curves \\[runs, X\\]"):
        band(ax, np.arange(4), curves, label="x")


def test_a_result_a_run_episodes_and_returns_draw_the_same_curve(episodes: np.ndarray) -> None:
    numbers = episodes["episodic_return"]
    sources = [[source] for source in (Run(0, episodes, {}), episodes, numbers, list(numbers))]
    first, *rest = (lines(learning_curves({"PPO": runs}, window=5))["PPO"].get_ydata() for runs in sources)
    for other in rest:
        np.testing.assert_array_equal(first, other)


def test_window_averages_the_last_episodes_and_the_caption_says_over_how_many() -> None:
    figure = learning_curves({"PPO": [[2.0, 4.0, 6.0, 8.0]]}, window=2)
    np.testing.assert_allclose(lines(figure)["PPO"].get_ydata(), [2, 3, 5, 7])
    assert "Moving average of 2 episodes" in figure.get_supxlabel()
    assert "Moving average" not in learning_curves({"PPO": [[2.0, 4.0]]}, window=1).get_supxlabel()


def test_runs_are_cut_to_the_shortest_and_counted() -> None:
    figure = learning_curves({"PPO": [np.ones(10), np.ones(7), np.ones(9)], "A2C": [np.ones(5)] * 2})
    assert lines(figure)["PPO"].get_xdata()[-1] == 7 and "of 2 to 3 seeds" in figure.get_supxlabel()


def test_by_steps_the_curve_stands_where_the_steps_are(episodes: np.ndarray) -> None:
    figure = learning_curves({"PPO": [episodes, episodes]}, x="env_step", window=1)
    line = lines(figure)["PPO"]
    assert line.get_xdata()[-1] == episodes["env_step"][-1]
    at = np.searchsorted(line.get_xdata(), 500)
    assert line.get_ydata()[at] == pytest.approx(np.interp(500, episodes["env_step"], np.arange(1, 41)), rel=0.02)
    assert figure.axes[0].get_xlabel() == "environment steps"


def test_axes_are_named_and_the_threshold_is_in_the_legend(episodes: np.ndarray) -> None:
    figure = learning_curves({"PPO": [episodes]}, threshold=475, title="CartPole-v1")
    ax = figure.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("episode", "episodic return")
    assert ax.get_title(loc="left") == "CartPole-v1"
    assert "threshold 475" in [text.get_text() for text in ax.get_legend().get_texts()]
    assert lines(figure)["PPO"].get_color() == style.COLOURS["ppo"]


@pytest.mark.parametrize(("runs", "keywords", "message"), [
    ({}, {}, "no runs to draw"),
    ({"PPO": []}, {}, "no runs to draw"),
    ({"PPO": [[]]}, {}, "has no curve"),
    ({"PPO": [[1.0]]}, {"x": "seconds"}, "use 'episode' or 'env_step'"),
    ({"PPO": [[1.0]]}, {"window": 0}, "use at least 1"),
    ({"PPO": [[1.0]]}, {"x": "env_step"}, "does not know its environment steps"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_said_in_one_line(runs: Any, keywords: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        learning_curves(runs, **keywords)


NO_BASELINE = {"x": [10, 20], "mean": [20.0, 90.0], "low": [15.0, 70.0], "high": [25.0, 110.0], "n": 10}
STORED = {
    "curves": {
        "no_baseline": {**NO_BASELINE, "x_unit": "episode", "window": 50},
        "other": {**NO_BASELINE, "x_unit": "env_step"},
    }
}


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "load_claims", lambda name: STORED if name == "made-up" else claims.load_claims(name))


@pytest.mark.usefixtures("stored")
def test_claimed_curves_show_the_stored_mean_band_and_seeds() -> None:
    figure = claimed_curves("made-up", ["no_baseline"], threshold=475)
    line = lines(figure)["REINFORCE without baseline"]
    np.testing.assert_array_equal(line.get_ydata(), [20.0, 90.0])
    assert bands(figure)[0].get_paths()[0].vertices[:, 1].max() == 110.0
    assert "of 10 seeds" in figure.get_supxlabel() and "Moving average of 50 episodes" in figure.get_supxlabel()
    renamed = lines(claimed_curves("made-up", {"no_baseline": "after the last repair"}))["after the last repair"]
    assert line.get_color() == renamed.get_color() == style.COLOURS["reinforce_no_baseline"]


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(("name", "drawn", "message"), [
    ("made-up", ["typo"], "no curve 'typo' in claims 'made-up'; it has no_baseline, other"),
    ("made-up", ["no_baseline", "other"], "draw one unit a figure"),
    ("nothing-of-this-name", ["no_baseline"], "no claims named"),
])  # fmt: skip
def test_unknown_curves_and_mixed_units_are_refused(name: str, drawn: list[str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        claimed_curves(name, drawn)
