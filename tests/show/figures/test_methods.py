"""Every method stands once, oldest on the left."""

import re
from typing import Any

import pytest

from pgcourse.show.figures import methods
from pgcourse.show.page.style import COLOURS


def test_every_method_stands_in_the_picture_once_inside_its_box() -> None:
    (ax,) = methods.family_figure().axes
    texts = {text.get_text(): text.get_position() for text in ax.texts if text.get_text()}
    for method in (*methods.SCORE_FUNCTION, *methods.LEARNED_Q):
        x, y = texts[method.name]
        inside = [box for box in ax.patches if box.get_extents().width and _holds(box, x, y)]
        assert len(inside) == 1, method.name


def test_methods_stand_in_order_of_their_years() -> None:
    for sentence, lane in methods.LANES.items():
        years = [int(re.search(r"\d{4}", method.name).group()) for method in lane]  # type: ignore[union-attr]
        assert years == sorted(years) and sentence


def test_algorithms_of_the_course_keep_their_colours() -> None:
    own = [COLOURS[name] for name in ("reinforce", "a2c", "ppo")]
    assert [method.colour for method in methods.SCORE_FUNCTION] == own
    assert {method.colour for method in methods.LEARNED_Q}.isdisjoint(own)


def test_every_measured_method_stands_in_both_panels_with_a_look_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    curves = {
        name + suffix: {"x": [10 * i, 100 * i], "mean": [-900, -100 * i], "low": [-950, -150], "high": [-800, -90]}
        for i, name in enumerate(methods.MEASURED, start=1)
        for suffix in ("", "/seconds")
    }
    monkeypatch.setattr(methods, "load_claims", {"off_policy": {"curves": curves}}.__getitem__)
    figure = methods.steps_and_seconds_figure()
    steps, seconds = figure.axes
    assert "environment steps" in steps.get_xlabel() and "seconds" in seconds.get_xlabel()
    for ax in (steps, seconds):
        lines = {line.get_label(): line for line in ax.lines}
        for i, (label, *_) in enumerate(methods.MEASURED.values(), start=1):
            assert list(lines[label].get_ydata()) == [-900, -100 * i]
        looks = [(line.get_color(), line.get_linestyle()) for line in lines.values()]
        assert len(set(looks)) == len(looks) == len(methods.MEASURED) + 1, "and the threshold"


def _holds(box: Any, x: float, y: float) -> bool:
    left, bottom = box.get_x(), box.get_y()
    return bool(left <= x <= left + box.get_width() and bottom <= y <= bottom + box.get_height())
