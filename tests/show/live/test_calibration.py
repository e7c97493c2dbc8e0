"""The calibration figure says how often the learner was right when they were sure."""

from typing import Any

import pytest
from scipy.stats import binomtest

from pgcourse.checks import progress
from pgcourse.show.live.explainers.calibration import calibration, calibration_of, figure, interval, verdict


def answers(*pairs: tuple[float | None, bool | None]) -> dict[str, dict[str, Any]]:
    return {f"q{i}": {"confidence": said, "correct": right} for i, (said, right) in enumerate(pairs)}


def test_answers_are_grouped_by_what_was_said_and_only_those_with_a_confidence_count() -> None:
    explainer = calibration_of(
        answers((0.5, True), (0.5, False), (0.75, True), (0.95, True), (None, False), (0.95, None))
    )
    marks = explainer.at()["panels"][0]["marks"]
    assert [mark["text"] for mark in marks if mark["kind"] == "text"] == ["1 of 2", "1 of 1", "1 of 1"]
    assert [mark["x"][0] for mark in marks if mark["kind"] == "points"] == [0.5, 0.75, 0.95]
    assert [mark["kind"] for mark in figure({})["panels"][0]["marks"]] == ["line"], "the diagonal alone"


@pytest.mark.parametrize(("right", "count", "said", "words"), [
    (2, 10, 0.95, "surer than right"),
    (9, 10, 0.5, "knew more than you trusted"),
    (5, 10, 0.5, "the two agree"),
    (1, 5, 0.5, "the two agree"),
    (0, 1, 0.95, "1 of your predictions came with a confidence; from 5 on"),
])  # fmt: skip
def test_the_verdict_tells_over_and_under_confidence_from_luck(right: int, count: int, said: float, words: str) -> None:
    assert words in verdict([(said, i < right) for i in range(count)])


@pytest.mark.parametrize(("right", "count"), [(0, 10), (10, 10), (3, 7), (1, 1)])
def test_the_interval_is_wilsons(right: int, count: int) -> None:
    found = binomtest(right, count).proportion_ci(method="wilson")
    assert interval(right, count) == pytest.approx((found.low, found.high), abs=1e-9)


def test_the_figure_is_made_from_the_progress_file_also_where_it_is_empty(shown: list[Any]) -> None:
    calibration()
    for number in range(6):
        progress.record_answer(f"q{number}", "a", 0.75, number < 3)
    calibration()
    assert "0 of your predictions" in shown[0]["text/html"]
    assert "Over 6 predictions you were 75% sure and 50% right" in shown[1]["text/html"]
