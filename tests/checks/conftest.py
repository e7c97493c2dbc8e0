"""A progress folder of its own for each test, and a summary of what the matrix of exercises proved."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgcourse.checks import exercises, progress


@pytest.fixture(autouse=True)
def progress_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("PGCOURSE_HOME", str(home))
    monkeypatch.setattr(progress, "_pending", [])
    monkeypatch.setattr(progress, "_complained", set())
    return home


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
