"""The guide: every case takes the exit that its answers name, and only that way is coloured."""

import pytest

from pgcourse import InvalidInput
from pgcourse.show.figures import methods as guide
from pgcourse.show.page.style import PALETTE


@pytest.mark.parametrize(
    ("case", "asked", "advice"),
    [
        ("robot arm, in a fast simulator", 5, guide.LAST),
        ("robot arm, the real one", 4, guide.STEPS[3].advice),
        ("video game from pixels", 5, guide.LAST),
        ("limited data, a fixed log", 4, guide.STEPS[3].advice),
        ("sparse reward, never seen", 3, guide.STEPS[2].advice),
        ("a model at hand: chess, a known crane", 2, guide.STEPS[1].advice),
        ("many optima: design of an antenna", 5, guide.STEPS[4].advice),
        ("which advertisement to show", 1, guide.STEPS[0].advice),
    ],
)
def test_a_case_leaves_at_its_exit(case: str, asked: int, advice: str) -> None:
    assert guide.path_of(guide.CASES[case]) == (asked, advice)


def test_every_exit_has_a_case() -> None:
    reached = {guide.path_of(case)[1] for case in guide.CASES.values()}
    assert reached == {step.advice for step in guide.STEPS} | {guide.LAST}


@pytest.mark.parametrize("case", list(guide.CASES))
def test_the_way_of_the_case_is_coloured_and_one_advice_is_bold(case: str) -> None:
    (ax,) = guide.guide_figure(case).axes
    asked, advice = guide.path_of(guide.CASES[case])
    bold = [text.get_text() for text in ax.texts if text.get_weight() == "bold"]
    assert bold == [advice]
    black = {text.get_text() for text in ax.texts if text.get_color() == "#000000"}
    assert {step.question for step in guide.STEPS if step.question in black} == {
        step.question for step in guide.STEPS[:asked]
    }
    assert ax.get_title("left") == case
    assert PALETTE[1] != PALETTE[0]


def test_unknown_cases_and_answers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no case 'flying'"):
        guide.guide_figure("flying")
    with pytest.raises(InvalidInput, match="goes on after it has left at question 1"):
        guide.path_of(guide.Case((False, True), ""))
    with pytest.raises(InvalidInput, match="stops before its end"):
        guide.path_of(guide.Case((True, False), ""))


def test_the_widget_starts_with_the_first_case(capsys: pytest.CaptureFixture[str]) -> None:
    guide.explore_guide()
    assert "Traceback" not in capsys.readouterr().err
