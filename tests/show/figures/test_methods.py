"""Every method stands once, oldest on the left."""

import re
from typing import Any

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


def _holds(box: Any, x: float, y: float) -> bool:
    left, bottom = box.get_x(), box.get_y()
    return bool(left <= x <= left + box.get_width() and bottom <= y <= bottom + box.get_height())
