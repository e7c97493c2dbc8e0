"""Every case takes the exit that its answers name, one question after the other."""

from typing import Any

import pytest

from pgcourse import InvalidInput
from pgcourse.show.live.explainers import which_method
from pgcourse.show.live.explainers.which_method import WHICH_METHOD

EXITS = {
    "robot arm, in a fast simulator": (5, which_method.LAST),
    "robot arm, the real one": (4, which_method.STEPS[3].advice),
    "video game from pixels": (5, which_method.LAST),
    "limited data, a fixed log": (4, which_method.STEPS[3].advice),
    "sparse reward, never seen": (3, which_method.STEPS[2].advice),
    "a language model, and a verifier": (3, which_method.STEPS[2].advice),
    "a model at hand: chess, a known crane": (2, which_method.STEPS[1].advice),
    "many optima: design of an antenna": (5, which_method.STEPS[4].advice),
    "which advertisement to show": (1, which_method.STEPS[0].advice),
}


def test_each_case_leaves_at_its_exit_and_every_exit_has_a_case() -> None:
    assert {case: which_method.path_of(which_method.CASES[case]) for case in EXITS} == EXITS
    reached = {which_method.path_of(case)[1] for case in which_method.CASES.values()}
    assert reached == {step.advice for step in which_method.STEPS} | {which_method.LAST}


@pytest.mark.parametrize("case", list(which_method.CASES))
def test_the_way_grows_by_a_question_until_it_leaves(case: str) -> None:
    asked, advice = which_method.path_of(which_method.CASES[case])
    questions = [step.question for step in which_method.STEPS]
    for answered in range(len(questions) + 1):
        drawing = WHICH_METHOD.at(case=case, answered=answered)
        strong = [mark["text"] for mark in drawing["panels"][0]["marks"] if mark.get("strong")]
        assert [text for text in strong if text in questions] == questions[: min(answered + 1, asked)]
        arrived = answered >= asked
        assert [text for text in strong if text not in questions] == ([advice] if arrived else [])
        assert (advice in drawing["words"]) == arrived, "no answer before it is asked for"


@pytest.mark.parametrize(("answers", "message"), [
    ((False, True), "goes on after it has left at question 1"),
    ((True, False), "stops before its end"),
])  # fmt: skip
def test_answers_that_do_not_fit_are_refused(answers: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        which_method.path_of(which_method.Case(answers, ""))
