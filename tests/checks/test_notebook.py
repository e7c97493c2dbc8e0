"""`pgcourse check notebook.ipynb`: every check is counted, also beside broken cells, and the file is left as it is."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from pgcourse.checks.notebook import check_notebook
from pgcourse.errors import InvalidInput

RETURNS = "import torch\nfrom pgcourse.checks import check\nfrom pgcourse.returns import discounted_returns, normalize"


def write(path: Path, *cells: str) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nbformat.write(notebook, path)
    return path


def test_states_of_all_checks_and_the_rest_still_counts(tmp_path: Path, progress_home: Path) -> None:
    path = write(
        tmp_path / "work.ipynb",
        RETURNS,
        'open("here.txt", "w").write("cwd"); check("discounted_returns", discounted_returns)',
        "1 / 0",
        "def broken(:",
        'check("standardize", lambda x: x)',
        'check("reinforce_loss", undefined)',
        '# check("policy_network", None)',
        'check("bandit_step", None)',
    )
    before = path.read_bytes()
    report = check_notebook(path)
    assert {id: result.status for id, result in report} == {
        "discounted_returns": "correct",
        "standardize": "not yet",
        "reinforce_loss": "not attempted",
        "bandit_step": "not attempted",
    }
    assert [problem.split()[1] for problem in report.problems] == ["3", "4", "6"]
    assert "ZeroDivisionError" in report.problems[0] and "SyntaxError" in report.problems[1]
    assert report.text().splitlines()[-1] == "1 of 4 correct"
    assert path.read_bytes() == before and (tmp_path / "here.txt").exists()
    assert json.loads((progress_home / "progress.json").read_text())["exercises"]["discounted_returns"]["attempts"] == 1


@pytest.mark.slow
def test_endless_cell_costs_only_itself(tmp_path: Path) -> None:
    path = write(tmp_path / "slow.ipynb", RETURNS, "while True: pass", 'check("standardize", normalize)')
    report = check_notebook(path, cell_timeout=20)
    assert [result.status for _, result in report] == ["correct"]
    assert "Cell 2" in report.problems[0] and "KeyboardInterrupt" in report.problems[0]


def test_dead_kernel_keeps_what_was_checked_before(tmp_path: Path) -> None:
    path = write(
        tmp_path / "dead.ipynb", RETURNS, 'check("standardize", normalize)', "import os; os._exit(1)",
        'check("bandit_step", None)',
    )  # fmt: skip
    report = check_notebook(path)
    assert [result.status for _, result in report] == ["correct", "not attempted"]
    assert "kernel died" in report.problems[0]


def test_refusals_are_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "text.ipynb").write_text("hello")
    (tmp_path / "list.ipynb").write_text("[1]")
    write(tmp_path / "none.ipynb", "1 + 1")
    for name, words in (
        ("missing.ipynb", "there is no file"), ("text.ipynb", "is no Jupyter notebook"),
        ("list.ipynb", "is no Jupyter notebook"), ("none.ipynb", "holds no checks"), (".", "cannot read"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=words) as raised:
            check_notebook(tmp_path / name)
        assert "\n" not in str(raised.value)
