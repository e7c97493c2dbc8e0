"""Every notebook that a learner opens: *Run All* reaches the end, nothing complains, and nothing is broken the next day."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Lab, run_all

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parents[2]
LESSONS = sorted(path.name for path in (REPOSITORY / "notebooks").glob("*.ipynb"))
EXERCISES = sorted(path.name for path in (REPOSITORY / "exercises").glob("*.ipynb"))
CELLS = """() => {
    const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells].filter(cell => cell.type === "code");
    const source = cell => cell.sharedModel.getSource();
    return cells.filter(cell => source(cell).trim()).map(cell => ({
        source: source(cell),
        count: cell.executionCount,
        errors: cell.outputs.toJSON().filter(output => output.output_type === "error").map(output => output.evalue),
        stderr: cell.outputs.toJSON().filter(output => output.name === "stderr").map(output => output.text).flat().join(""),
    }));
}"""

# What is drawn, a part of the notebook, is awake. Without figures and questions there is nothing to wait for.
ALIVE = """() => document.querySelector(".jp-Cell") !== null
    && [...document.querySelectorAll("[data-live]")].every(figure => "awake" in figure.dataset)"""


def run_to_the_end(kind: str, name: str, lab: Lab, open_file: Callable[..., Any]) -> None:
    shutil.copy(REPOSITORY / kind / name, lab.folder / f"{kind}-{name}")
    page, errors = open_file(f"{kind}-{name}", height=1600)
    page.evaluate("() => window.jupyterapp.commands.execute('editmenu:clear-all')")
    assert run_all(page), [cell["errors"] for cell in page.evaluate(CELLS) if cell["errors"]]
    cells = page.evaluate(CELLS)
    assert len(cells) > 5
    assert [cell["source"][:80] for cell in cells if cell["count"] is None] == []
    assert [cell["errors"] for cell in cells if cell["errors"]] == []
    assert [cell["stderr"] for cell in cells if "Traceback" in cell["stderr"]] == []
    assert broken(page) == 0
    assert errors == []
    # The second day: saved, the kernel stopped, opened again.
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")
    page.goto(lab.url(f"{kind}-{name}"))
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context?.isReady", timeout=120_000)
    page.wait_for_function(ALIVE, timeout=60_000)
    assert broken(page) == 0


def broken(page: Any) -> int:
    """How many outputs show the error of a widget whose model is gone."""
    return int(page.locator(".jp-OutputArea-output:visible", has_text="Error displaying widget").count())


# Two classes of lessons, because pytest-xdist hands out a class as a whole and all of them take minutes.
class TestFirstLessons:
    @pytest.mark.parametrize("name", LESSONS[:5])
    def test_runs_to_the_end(self, name: str, lab: Lab, open_file: Callable[..., Any]) -> None:
        run_to_the_end("notebooks", name, lab, open_file)


class TestLaterLessons:
    @pytest.mark.parametrize("name", LESSONS[5:])
    def test_runs_to_the_end(self, name: str, lab: Lab, open_file: Callable[..., Any]) -> None:
        run_to_the_end("notebooks", name, lab, open_file)


class TestExercises:
    @pytest.mark.parametrize("name", EXERCISES)
    def test_runs_to_the_end(self, name: str, lab: Lab, open_file: Callable[..., Any]) -> None:
        run_to_the_end("exercises", name, lab, open_file)


def test_the_course_is_there() -> None:
    assert len(LESSONS) == len(EXERCISES) >= 8
