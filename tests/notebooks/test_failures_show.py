"""A notebook that is wrong makes the run of the notebooks fail, and the report names notebook and cell."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CHECK = 'print("double:", "correct" if double(2) == 4 else "not yet")'


def cell(source, name, printed="", *, checked=False):
    """Make an executed cell whose stored output is `printed`."""
    outputs = [new_output("stream", name="stdout", text=printed)] if printed else []
    tags = ["nbval-check-output"] if checked else []
    return new_code_cell(source, id=name, execution_count=1, outputs=outputs, metadata={"tags": tags})


def solution(body, *, printed="double: correct\n"):
    """A solved notebook of one exercise; without a kernel's worth of imports it runs in a second."""
    return new_notebook(
        cells=[
            new_markdown_cell("# Exercises", id="title"),
            cell(f"def double(number):\n    {body}", "double"),
            cell(CHECK, "check-double", printed, checked=True),
            cell("import os\nprint(os.getpid())", "free", "4711\n"),
        ]
    )


@pytest.fixture
def project(tmp_path):
    """Return an empty project with this folder's way of collecting notebooks."""
    folder = tmp_path / "project" / "tests" / "notebooks"
    folder.mkdir(parents=True)
    for name in ("conftest.py", "executed.notebooks"):
        shutil.copy(HERE / name, folder / name)
    (tmp_path / "project" / "pytest.ini").write_text("[pytest]\n")
    for name in ("notebooks", "solutions"):
        (tmp_path / "project" / name).mkdir()
    return tmp_path / "project"


def outcomes(project, *options):
    """Run the project's notebooks. Returns: exit status, {"notebook::cell": outcome}, the whole report."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "tests", "--import-mode=importlib", "-rA", "--color=no"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", *options],
        cwd=project,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = re.findall(r"^(PASSED|FAILED) (\S+\.ipynb)::cell \d+ \(([\w-]+)\)", done.stdout, flags=re.MULTILINE)
    found = {f"{path}::{name}": outcome for outcome, path, name in lines}
    return done.returncode, found, done.stdout + done.stderr


def test_each_way_to_fail_is_found_where_it_is_and_harms_no_other_notebook(project):
    notebooks = {
        "solutions/01_right": solution("return number + number"),
        "solutions/02_wrong": solution("return number + 1"),
        "solutions/03_raises": solution("raise RuntimeError('broken')"),
        "solutions/04_slow": solution("import time; time.sleep(600); return 4"),
        "notebooks/05_dies": solution("import os; os._exit(1)"),
    }
    for name, notebook in notebooks.items():
        nbformat.write(notebook, project / f"{name}.ipynb")
    # Two workers, as `make test` has them: loadscope keeps the cells of a notebook together and in order.
    status, found, report = outcomes(project, "--nbval-cell-timeout=8", "-n", "2", "--dist", "loadscope")
    assert status == 1, report
    assert {name for name, outcome in found.items() if outcome == "FAILED"} == {
        "solutions/02_wrong.ipynb::check-double",
        "solutions/03_raises.ipynb::check-double",
        "solutions/04_slow.ipynb::check-double",
        "notebooks/05_dies.ipynb::check-double",
        "notebooks/05_dies.ipynb::free",
    }
    right = {name: outcome for name, outcome in found.items() if "01_right" in name}
    assert len(right) == 3, report  # among them the unmarked cell whose output always differs
    assert "solutions/02_wrong.ipynb, cell 3 (check-double)" in report
    assert "RuntimeError: broken" in report
    assert "Timeout of 8 seconds" in report
    assert "the cell ended its kernel" in report
