"""The calibration plot says how often the learner was right when they were sure."""

from typing import Any

import pytest

from pgcourse.checks import progress
from pgcourse.show.questions.calibration import calibration, calibration_figure, interval, levels, verdict


def answers(*pairs: tuple[float | None, bool | None]) -> dict[str, dict[str, Any]]:
    return {f"q{i}": {"confidence": said, "correct": right} for i, (said, right) in enumerate(pairs)}


def test_answers_are_grouped_by_what_was_said_and_only_those_with_a_confidence_count() -> None:
    found = levels(answers((0.5, True), (0.5, False), (0.75, True), (0.95, True), (None, False), (0.95, None)))
    assert [(level.said, level.right, level.count) for level in found] == [(0.5, 1, 2), (0.75, 1, 1), (0.95, 1, 1)]
    assert levels({}) == []


@pytest.mark.parametrize(("right", "count", "said", "words"), [
    (2, 10, 0.95, "surer than right"),
    (9, 10, 0.5, "knew more than you trusted"),
    (5, 10, 0.5, "the two agree"),
    (1, 5, 0.5, "the two agree"),
])  # fmt: skip
def test_the_verdict_tells_over_and_under_confidence_from_luck(right: int, count: int, said: float, words: str) -> None:
    assert words in verdict(levels(answers(*[(said, i < right) for i in range(count)])))


def test_a_few_answers_prove_nothing() -> None:
    assert verdict(levels(answers((0.95, False)))).startswith("1 of your predictions came with a confidence; from 5 on")


def test_the_interval_is_wilsons() -> None:
    # By hand for 0 of 10 at z = 1.96: upper end z^2 / (n + z^2) = 3.8415 / 13.8415.
    low, high = interval(0, 10)
    assert low == 0 and high == pytest.approx(3.8415 / 13.8415, abs=1e-4)


def test_the_plot_is_drawn_from_the_progress_file_also_where_it_is_empty(shown: list[Any]) -> None:
    calibration()
    assert "nothing to draw yet" in shown[0]["text/plain"]
    for number in range(6):
        progress.record_answer(f"q{number}", "a", 0.75, number < 3)
    calibration()
    assert "said 75%, right 3 of 6" in shown[1]["text/plain"]
    assert shown[0]["text/html"] != shown[1]["text/html"] and len(calibration_figure(levels()).axes) == 1
