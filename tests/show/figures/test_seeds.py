"""Every run that speaks for or against a claim, a variant or a level is a dot, with interquartile mean and interval."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from pgcourse import InvalidInput
from pgcourse.show.figures import seeds
from pgcourse.show.figures.seeds import Panel
from pgcourse.statistics import bootstrap_interval, interquartile_mean

FAST, SLOW = [60.0, 62.0, 64.0, 70.0], [80.0, 90.0, 95.0, None]
GOOD, POOR = [-150.0, -155.0, -160.0, -158.0], [-900.0, -300.0, -200.0, -1200.0]
LOW, HIGH = [1.0, 2.0, 3.0, 4.0], [10.0, 11.0, 12.0, 20.0]
PANEL = Panel("rate", {"0.1": LOW, "1": "study:high/late"}, preset="1")


@pytest.fixture(autouse=True)
def claims(monkeypatch: pytest.MonkeyPatch) -> None:
    values: dict[str, list[Any]] = {
        "fast/steps": FAST, "slow/steps": SLOW, "good/held_out": GOOD, "poor/held_out": POOR, "good/up": [1.0, 2.0],
        "high/late": HIGH,
    }  # fmt: skip
    stored = {"values": {name: {"per_seed": numbers} for name, numbers in values.items()}}
    monkeypatch.setattr(seeds, "load_claims", lambda name: stored)


def marked(ax: Axes, marker: str) -> list[list[float]]:
    return [list(line.get_xdata()) for line in ax.lines if line.get_marker() == marker]


def verdict(**options: Any) -> Axes:
    rows = {"fast": "study:fast/steps", "slow": SLOW}
    return seeds.verdict_figure("slow is fast", "fails", rows, x_label="steps", **options).axes[0]


def test_every_run_is_a_dot_or_is_counted_as_never() -> None:
    ax = verdict()
    assert marked(ax, ".") == [FAST, SLOW[:3]]
    crosses = [line for line in ax.lines if line.get_marker() == "x"]
    assert [list(line.get_ydata()) for line in crosses] == [[1]], "in the row of the slow ones"
    assert crosses[0].get_xdata()[0] > 95, "to the right of every run that got there"
    assert [text.get_text() for text in ax.texts] == ["1 of 4"] and ax.get_xticklabels()[-1].get_text() == "never"


def test_the_large_dot_is_the_interquartile_mean_with_never_as_infinity() -> None:
    expected = [[interquartile_mean(FAST)], [interquartile_mean([80, 90, 95, np.inf])]]
    np.testing.assert_allclose(marked(verdict(), "o"), expected)


def test_rows_where_nobody_got_there_have_no_mean() -> None:
    (ax,) = seeds.verdict_figure("x", "fails", {"none": [None] * 4}, x_label="steps").axes
    assert marked(ax, "o") == [] and [text.get_text() for text in ax.texts] == ["4 of 4"]


def test_verdict_claim_and_seeds_stand_above() -> None:
    figure = seeds.verdict_figure("slow is fast", "depends", {"fast": "study:fast/steps"}, x_label="steps")
    (ax,) = figure.axes
    assert figure.get_suptitle() == "“slow is fast”"
    assert ax.get_title("right") == "± depends" and ax.get_title("left") == "4 seeds a row"


def test_runs_that_all_got_there_leave_the_axis_alone() -> None:
    (ax,) = seeds.verdict_figure("x", "holds", {"fast": FAST}, x_label="steps", threshold=65, logarithmic=True).axes
    assert ax.get_xscale() == "log" and "never" not in [label.get_text() for label in ax.get_xticklabels()]


def test_each_variant_has_its_seeds_and_their_interquartile_mean() -> None:
    (ax,) = seeds.claimed_effects("study", {"good": "as it is", "poor": "changed"}).axes
    np.testing.assert_allclose(marked(ax, "."), [GOOD, POOR])
    np.testing.assert_allclose(marked(ax, "o"), [[interquartile_mean(np.array(row))] for row in (GOOD, POOR)])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["as it is", "changed"]
    assert ax.yaxis_inverted(), "the first row is at the top"


def test_the_axis_of_costs_holds_every_seed_and_better_is_on_the_right() -> None:
    (ax,) = seeds.claimed_effects("study", {"poor": "changed"}, threshold=-200.0, reference="good").axes
    low, high = ax.get_xlim()
    assert low < min(POOR) and max(POOR) < high and all(low < tick < 0 for tick in ax.get_xticks())
    (plain,) = seeds.claimed_effects("study", {"good": "good"}, value="up").axes
    assert plain.get_xscale() == "linear", "positive numbers"


def test_each_level_has_its_seeds_and_the_presets_interval_runs_through_all() -> None:
    (ax,) = seeds.level_panels([PANEL], y_label="return", columns=1).axes
    for place, numbers in enumerate((LOW, HIGH)):
        here = [line for line in ax.lines if line.get_xdata()[0] == place]
        assert [list(line.get_ydata()) for line in here if line.get_marker() == "."] == [numbers]
        (centre,) = (line for line in here if line.get_marker() == "o")
        assert centre.get_ydata()[0] == interquartile_mean(numbers)
        assert (centre.get_markerfacecolor() == "white") is (place == 0), "the preset's dot is full"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.1", "1"]
    assert ax.get_title() == "rate" and ax.get_ylabel() == "return"
    (shade,) = ax.patches
    np.testing.assert_allclose([shade.get_y(), shade.get_y() + shade.get_height()], bootstrap_interval(HIGH))


def test_panels_that_do_not_fill_the_grid_leave_no_empty_axes() -> None:
    axes = seeds.level_panels([PANEL] * 4, y_label="return", columns=3).axes
    assert [ax.get_visible() for ax in axes] == [True] * 4 + [False] * 2


@pytest.mark.parametrize(("draw", "message"), [
    (lambda: seeds.verdict_figure("x", "maybe", {"a": FAST}, x_label="x"), "use one of holds, fails, depends"),
    (lambda: seeds.verdict_figure("x", "holds", {}, x_label="x"), "no runs to draw"),
    (lambda: seeds.verdict_figure("x", "holds", {"empty": []}, x_label="x"), "no runs to draw"),
    (lambda: seeds.verdict_figure("x", "holds", {"a": "study:b/c"}, x_label="x"), "no values 'b/c' in claims 'study'"),
    (lambda: seeds.claimed_effects("study", {"bad": "?"}), "no values 'bad/held_out'"),
    (lambda: seeds.claimed_effects("study", {"slow": "s"}, value="steps"), "slow/steps: some seeds have no number"),
    (lambda: seeds.claimed_effects("study", {}), "no variants"),
    (lambda: seeds.level_panels([], y_label="y"), "no panels"),
    (lambda: seeds.level_panels([Panel("rate", {"1": LOW}, "2")], y_label="y"), "preset '2' is none of its levels 1"),
    (lambda: seeds.level_panels([Panel("rate", {"1": SLOW}, "1")], y_label="y"), "rate, 1: some seeds have no number"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused(draw: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        draw()


def test_shares_stand_against_the_number_of_seeds() -> None:
    (ax,) = seeds.sizes_figure((2, 10), {"x": [0.2, 0.1], "y": [0.5, 0.9]}, y_label="share", level=0.95).axes
    assert [list(line.get_ydata()) for line in ax.lines[:2]] == [[0.2, 0.1], [0.5, 0.9]]
    assert ax.lines[2].get_ydata()[0] == 0.95 and ax.get_legend() is not None
