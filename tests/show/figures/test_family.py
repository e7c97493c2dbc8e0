"""The family picture names every method once, oldest on the left, each on its own side."""

import re

from pgcourse.show.figures.methods import LANES, LEARNED_Q, SCORE_FUNCTION, family_figure
from pgcourse.show.page.style import COLOURS


def test_every_method_stands_in_the_picture_once_inside_its_box() -> None:
    (ax,) = family_figure().axes
    texts = {text.get_text(): text.get_position() for text in ax.texts if text.get_text()}
    for method in (*SCORE_FUNCTION, *LEARNED_Q):
        x, y = texts[method.name]
        inside = [box for box in ax.patches if box.get_extents().width and _holds(box, x, y)]
        assert len(inside) == 1, method.name


def test_methods_stand_in_order_of_their_years() -> None:
    for sentence, methods in LANES.items():
        years = [int(re.search(r"\d{4}", method.name).group()) for method in methods]  # type: ignore[union-attr]
        assert years == sorted(years) and sentence


def test_algorithms_of_the_course_keep_their_colours() -> None:
    assert [method.colour for method in SCORE_FUNCTION] == [COLOURS[name] for name in ("reinforce", "a2c", "ppo")]
    assert {method.colour for method in LEARNED_Q}.isdisjoint(COLOURS[name] for name in ("reinforce", "a2c", "ppo"))


def _holds(box: object, x: float, y: float) -> bool:
    left, bottom = box.get_x(), box.get_y()  # type: ignore[attr-defined]
    return left <= x <= left + box.get_width() and bottom <= y <= bottom + box.get_height()  # type: ignore[attr-defined]
