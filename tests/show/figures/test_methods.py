"""Every case takes the exit that its answers name; every method stands once, oldest on the left."""

import re
from typing import Any

import pytest

from pgcourse import InvalidInput
from pgcourse.show.figures import methods
from pgcourse.show.page.style import COLOURS, PALETTE

EXITS = {
    "robot arm, in a fast simulator": (5, methods.LAST),
    "robot arm, the real one": (4, methods.STEPS[3].advice),
    "video game from pixels": (5, methods.LAST),
    "limited data, a fixed log": (4, methods.STEPS[3].advice),
    "sparse reward, never seen": (3, methods.STEPS[2].advice),
    "a model at hand: chess, a known crane": (2, methods.STEPS[1].advice),
    "many optima: design of an antenna": (5, methods.STEPS[4].advice),
    "which advertisement to show": (1, methods.STEPS[0].advice),
}


def test_each_case_leaves_at_its_exit_and_every_exit_has_a_case() -> None:
    assert {case: methods.path_of(methods.CASES[case]) for case in EXITS} == EXITS
    reached = {methods.path_of(case)[1] for case in methods.CASES.values()}
    assert reached == {step.advice for step in methods.STEPS} | {methods.LAST}


@pytest.mark.parametrize("case", list(methods.CASES))
def test_the_way_of_the_case_is_coloured_and_one_advice_is_bold(case: str) -> None:
    (ax,) = methods.guide_figure(case).axes
    asked, advice = methods.path_of(methods.CASES[case])
    assert [text.get_text() for text in ax.texts if text.get_weight() == "bold"] == [advice]
    black = {text.get_text() for text in ax.texts if text.get_color() == "#000000"}
    questions = [step.question for step in methods.STEPS]
    assert black & set(questions) == set(questions[:asked])
    assert ax.get_title("left") == case and PALETTE[1] != PALETTE[0]


@pytest.mark.parametrize(("function", "case", "message"), [
    (methods.guide_figure, "flying", "no case 'flying'"),
    (methods.path_of, methods.Case((False, True), ""), "goes on after it has left at question 1"),
    (methods.path_of, methods.Case((True, False), ""), "stops before its end"),
])  # fmt: skip
def test_unknown_cases_and_answers_that_do_not_fit_are_refused(function: Any, case: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        function(case)


def test_the_widget_starts_with_the_first_case(capsys: pytest.CaptureFixture[str]) -> None:
    methods.explore_guide()
    assert "Traceback" not in capsys.readouterr().err


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
