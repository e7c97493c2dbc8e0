"""A progress folder of its own for each test, and a summary of what the matrix of exercises proved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pgcourse.checks import exercises, progress, runner
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.record import Arrays, Case


@pytest.fixture(autouse=True)
def progress_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("PGCOURSE_HOME", str(home))
    monkeypatch.setattr(progress, "_pending", [])
    monkeypatch.setattr(progress, "_complained", set())
    return home


@pytest.fixture(scope="module")
def known_answers_are_observed_once() -> Iterator[None]:
    """What the reference and the misconceptions do on a case is kept: else each of them would run once per attempt.

    An attempt's own observation is made afresh each time.
    """
    kept: dict[tuple[Any, ...], Any] = {}
    expected, observed = Exercise.expected, runner._observed

    def kept_expected(exercise: Exercise, case: Case) -> list[Arrays]:
        key = (id(case), "expected")
        if key not in kept:
            kept[key] = (expected(exercise, case), case)  # the case too: an id is of one object while that lives
        return kept[key][0]

    def kept_observed(exercise: Exercise, attempt: Any, case: Case) -> Arrays:
        key = (id(case), attempt)
        if key not in kept:
            kept[key] = (observed(exercise, attempt, case), case)
        return kept[key][0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Exercise, "expected", kept_expected)
        patch.setattr(runner, "_observed", kept_observed)
        yield


def pytest_terminal_summary(terminalreporter) -> None:
    passed = [report.nodeid for report in terminalreporter.stats.get("passed", []) if "test_matrix.py" in report.nodeid]
    count = {
        name: sum(f"::{test}[" in nodeid for nodeid in passed)
        for name, test in (
            ("references", "test_reference_is_correct"),
            ("misconceptions", "test_misconception_is_named"),
            ("alternatives", "test_alternative_is_correct"),
        )
    }
    if any(count.values()):
        wrong = sum(len(exercise.misconceptions) for exercise in exercises())
        terminalreporter.write_line(
            f"exercises {count['references']}, misconceptions {wrong} ({count['misconceptions']} named), "
            f"alternatives {count['alternatives']}"
        )
