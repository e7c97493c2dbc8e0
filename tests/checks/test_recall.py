"""How the checks fare on answers of readers who never saw them: wrong ones refused and named, right ones accepted."""

from __future__ import annotations

from functools import cache

import pytest

from pgcourse.checks import CheckResult, catalogue, get
from pgcourse.checks.runner import run_exercise
from tests.checks.answers import recall, with_kept_cases

pytestmark = pytest.mark.usefixtures("known_answers_are_observed_once")

IDS = [entry.id for entry in catalogue.EXERCISES]
NAMED_AT_LEAST = 0.88  # of the wrong answers


@cache
def results(id: str) -> dict[str, CheckResult]:
    """What the check says of each wrong answer."""
    exercise = with_kept_cases(get(id))
    return {answer.__name__: run_exercise(exercise, answer) for answer in recall(id, "wrong_")}


@pytest.mark.parametrize("id", IDS)
def test_every_right_answer_is_accepted(id: str) -> None:
    for answer in recall(id, "right_"):
        result = run_exercise(get(id), answer)
        assert result.status == "correct", f"{answer.__name__}: {result.message}"


@pytest.mark.parametrize("id", IDS)
def test_every_wrong_answer_is_refused(id: str) -> None:
    assert [name for name, result in results(id).items() if result.status != "not yet"] == []


def test_most_wrong_answers_get_a_name() -> None:
    wrong = [result for id in IDS for result in results(id).values()]
    named = sum(result.misconception is not None for result in wrong)
    right = sum(len(recall(id, "right_")) for id in IDS)
    print(f"{len(wrong)} wrong answers, {named} named; {right} right ones")
    assert len(wrong) >= 400 and right >= 120
    assert named / len(wrong) >= NAMED_AT_LEAST
