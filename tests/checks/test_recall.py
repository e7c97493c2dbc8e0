"""How the checks fare on answers of readers who never saw them: wrong ones refused and named, right ones accepted."""

from __future__ import annotations

import pytest

from pgcourse.checks import catalogue, run
from tests.checks.answers import recall

IDS = [entry.id for entry in catalogue.EXERCISES]
NAMED_AT_LEAST = 0.88  # of the wrong answers


@pytest.mark.parametrize("id", IDS)
def test_every_right_answer_is_accepted(id: str) -> None:
    for answer in recall(id, "right_"):
        result = run(id, answer)
        assert result.status == "correct", f"{answer.__name__}: {result.message}"


@pytest.mark.parametrize("id", IDS)
def test_every_wrong_answer_is_refused(id: str) -> None:
    for answer in recall(id, "wrong_"):
        assert run(id, answer).status == "not yet", answer.__name__


def test_most_wrong_answers_get_a_name(record_property: pytest.RecordProperty) -> None:
    names = [run(id, answer).misconception for id in IDS for answer in recall(id, "wrong_")]
    assert len(names) >= 400 and sum(len(recall(id, "right_")) for id in IDS) >= 120
    assert sum(name is not None for name in names) / len(names) >= NAMED_AT_LEAST
