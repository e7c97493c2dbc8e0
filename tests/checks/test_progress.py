"""Progress survives two kernels, damage and a disk that refuses; a check's answer never depends on it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pgcourse.checks import check, hint, progress, run
from pgcourse.checks.progress import table
from pgcourse.returns import discounted_returns


def stored(home: Path) -> dict:
    return json.loads((home / "progress.json").read_text())


def test_correct_stays_correct_and_stubs_do_not_count(progress_home: Path) -> None:
    check("discounted_returns", None)
    check("discounted_returns", lambda rewards, *, gamma: rewards)
    check("discounted_returns", discounted_returns)
    check("discounted_returns", lambda rewards, *, gamma: rewards)
    entry = stored(progress_home)["exercises"]["discounted_returns"]
    assert (entry["status"], entry["attempts"], entry["hints"]) == ("correct", 3, 0)
    assert entry["first_attempt"] <= entry["solved"] <= entry["last_check"]


def test_quiz_answers_keep_the_first_answer(progress_home: Path) -> None:
    progress.record_answer("01-q1", "b", 0.9, False)
    progress.record_answer("01-q1", "a", 0.6, True)
    entry = stored(progress_home)["answers"]["01-q1"]
    assert (entry["answer"], entry["first_answer"], entry["tries"], entry["correct"]) == ("a", "b", 2, True)


def test_two_processes_lose_nothing(progress_home: Path) -> None:
    code = "from pgcourse.checks import progress\nfor _ in range(40): progress.record_check({!r}, 'not yet')"
    names = ("gae", "standardize")
    children = [subprocess.Popen([sys.executable, "-c", code.format(name)]) for name in names for _ in range(2)]
    assert [child.wait(timeout=120) for child in children] == [0] * 4
    assert {name: stored(progress_home)["exercises"][name]["attempts"] for name in names} == dict.fromkeys(names, 80)


@pytest.fixture
def no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the folder should be: refused for root too, unlike a read-only folder."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PGCOURSE_HOME", str(tmp_path / "file" / "home"))


def test_what_waited_in_memory_joins_what_another_kernel_wrote(
    progress_home: Path, no_folder: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress.record_check("standardize", "correct")
    monkeypatch.setenv("PGCOURSE_HOME", str(progress_home))
    progress_home.mkdir()
    other = {"status": "correct", "attempts": 7, "hints": 1}
    (progress_home / "progress.json").write_text(json.dumps({"exercises": {"gae": other}, "answers": {}}))
    progress.record_hint("standardize", 2)
    assert stored(progress_home)["exercises"]["gae"] == other
    entry = stored(progress_home)["exercises"]["standardize"]
    assert (entry["status"], entry["attempts"], entry["hints"]) == ("correct", 1, 2)


@pytest.mark.parametrize(
    "content", [b"{", b"", b"[]", b"\xff\xfe\x00", b'{"exercises": {"gae": 3}, "answers": {}}', b'{"exercises": []}']
)
def test_damaged_file_is_set_aside(progress_home: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    progress_home.mkdir()
    (progress_home / "progress.json").write_bytes(content)
    (progress_home / "progress.json.damaged-1").write_text("an older one")
    check("discounted_returns", discounted_returns)
    printed = capsys.readouterr().out.splitlines()
    assert "✓ discounted_returns: correct (2 points)" in printed and len(printed) == 2
    assert (progress_home / "progress.json.damaged-2").read_bytes() == content
    assert (progress_home / "progress.json.damaged-1").read_text() == "an older one"
    assert stored(progress_home)["exercises"]["discounted_returns"]["status"] == "correct"


def test_folder_that_cannot_be_written(no_folder: None, capsys: pytest.CaptureFixture[str]) -> None:
    check("discounted_returns", discounted_returns)
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2].startswith("✓") or printed[0].startswith("✓")
    assert sum("Progress" in line for line in printed) >= 1
    for _ in range(2):
        hint("discounted_returns")
    assert "gives hint 3 of 3" in run("discounted_returns", lambda rewards, *, gamma: rewards).message
    assert progress.load()["exercises"]["discounted_returns"]["status"] == "correct"


def test_table_adds_up(progress_home: Path) -> None:
    check("discounted_returns", discounted_returns)
    check("standardize", lambda x: x)
    text = table()
    lines = {line.split()[1]: line for line in text.splitlines() if line[:2] in ("00", "01")}
    assert "✓ correct" in lines["discounted_returns"] and "2/2" in lines["discounted_returns"]
    assert "✗ not yet" in lines["standardize"] and "0/1" in lines["standardize"]
    assert "1 of " in text and "2 of " in text and str(progress_home) in text
