"""A claim's figure shows every run that speaks for or against it, those that never got there too."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from pgcourse import InvalidInput
from pgcourse.show.figures import seeds as verdicts
from pgcourse.statistics import interquartile_mean

FAST, SLOW = [60.0, 62.0, 64.0, 70.0], [80.0, 90.0, 95.0, None]


@pytest.fixture(autouse=True)
def claims(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = {"values": {"fast/steps": {"per_seed": FAST}}}
    monkeypatch.setattr(verdicts, "load_claims", lambda name: stored)


def drawn(**options: Any) -> Axes:
    rows = {"fast": "ppo:fast/steps", "slow": SLOW}
    return verdicts.verdict_figure("slow is fast", "fails", rows, x_label="steps", **options).axes[0]


def test_every_run_is_a_dot_or_is_counted_as_never() -> None:
    ax = drawn()
    dots = [list(line.get_xdata()) for line in ax.lines if line.get_marker() == "."]
    assert dots == [FAST, SLOW[:3]]
    crosses = [line for line in ax.lines if line.get_marker() == "x"]
    assert [list(line.get_ydata()) for line in crosses] == [[1]], "in the row of the slow ones"
    assert crosses[0].get_xdata()[0] > 95, "to the right of every run that got there"
    assert [text.get_text() for text in ax.texts] == ["1 of 4"]
    assert ax.get_xticklabels()[-1].get_text() == "never"


def test_the_large_dot_is_the_interquartile_mean_with_never_as_infinity() -> None:
    centres = [float(line.get_xdata()[0]) for line in drawn().lines if line.get_marker() == "o"]
    np.testing.assert_allclose(centres, [interquartile_mean(FAST), interquartile_mean([80, 90, 95, np.inf])])


def test_rows_where_nobody_got_there_have_no_mean() -> None:
    (ax,) = verdicts.verdict_figure("x", "fails", {"none": [None] * 4}, x_label="steps").axes
    assert not [line for line in ax.lines if line.get_marker() == "o"]
    assert [text.get_text() for text in ax.texts] == ["4 of 4"]


def test_verdict_claim_and_seeds_stand_above() -> None:
    figure = verdicts.verdict_figure("slow is fast", "depends", {"fast": "ppo:fast/steps"}, x_label="steps")
    (ax,) = figure.axes
    assert figure.get_suptitle() == "“slow is fast”"
    assert ax.get_title("right") == "± depends" and ax.get_title("left") == "4 seeds a row"


def test_runs_that_all_got_there_leave_the_axis_alone() -> None:
    (ax,) = verdicts.verdict_figure("x", "holds", {"fast": FAST}, x_label="steps", threshold=65, logarithmic=True).axes
    assert ax.get_xscale() == "log" and "never" not in [label.get_text() for label in ax.get_xticklabels()]


@pytest.mark.parametrize(
    ("verdict", "rows", "message"),
    [
        ("maybe", {"fast": FAST}, "verdict 'maybe' is not allowed; use one of holds, fails, depends"),
        ("holds", {}, "no runs to draw"),
        ("holds", {"empty": []}, "no runs to draw"),
        ("holds", {"fast": "ppo:slow/steps"}, "no values 'slow/steps' in claims 'ppo'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(verdict: str, rows: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        verdicts.verdict_figure("x", verdict, rows, x_label="steps")
