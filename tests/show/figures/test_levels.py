"""Panels of levels show every seed at its level, and mark the preset."""

from typing import Any

import numpy as np
import pytest

from pgcourse import InvalidInput
from pgcourse.show.figures.seeds import Panel, level_panels
from pgcourse.statistics import bootstrap_interval, interquartile_mean

LOW, HIGH = [1.0, 2.0, 3.0, 4.0], [10.0, 11.0, 12.0, 20.0]
PANEL = Panel("rate", {"0.1": LOW, "1": HIGH}, preset="1")


def test_each_level_has_its_seeds_and_their_interquartile_mean() -> None:
    (ax,) = level_panels([PANEL], y_label="return", columns=1).axes
    for place, numbers in enumerate((LOW, HIGH)):
        dots = [line for line in ax.lines if line.get_marker() == "." and line.get_xdata()[0] == place]
        assert [list(line.get_ydata()) for line in dots] == [numbers]
        centre = [line for line in ax.lines if line.get_marker() == "o" and line.get_xdata()[0] == place]
        assert [float(line.get_ydata()[0]) for line in centre] == [interquartile_mean(numbers)]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0.1", "1"]
    assert ax.get_title() == "rate" and ax.get_ylabel() == "return"


def test_the_presets_interval_runs_through_all_levels_and_its_dot_is_full() -> None:
    (ax,) = level_panels([PANEL], y_label="return", columns=1).axes
    (shade,) = ax.patches
    np.testing.assert_allclose([shade.get_y(), shade.get_y() + shade.get_height()], bootstrap_interval(HIGH))
    faces = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert faces[0] == "white" != faces[1]


def test_panels_that_do_not_fill_the_grid_leave_no_empty_axes() -> None:
    axes = level_panels([PANEL] * 4, y_label="return", columns=3).axes
    assert [ax.get_visible() for ax in axes] == [True] * 4 + [False] * 2


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ([], "no panels"),
        ([Panel("rate", {"1": LOW}, preset="2")], "rate: preset '2' is none of its levels 1"),
        ([Panel("rate", {"1": [1.0, None]}, preset="1")], "rate, 1: some seeds have no number"),
    ],
)
def test_what_cannot_be_drawn_is_refused(panels: list[Panel], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        level_panels(panels, y_label="return")


def test_levels_may_be_references(monkeypatch: pytest.MonkeyPatch) -> None:
    from pgcourse.show.figures import seeds as verdicts

    stored: dict[str, Any] = {"values": {"a/late": {"per_seed": LOW}}}
    monkeypatch.setattr(verdicts, "load_claims", lambda name: stored)
    (ax,) = level_panels([Panel("rate", {"1": "ppo:a/late"}, preset="1")], y_label="return", columns=1).axes
    assert list(ax.lines[0].get_ydata()) == LOW
