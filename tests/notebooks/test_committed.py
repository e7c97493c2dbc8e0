"""The committed notebooks are what course/ gives, and every stub runs to its end."""

import re
from pathlib import Path

import nbformat
import pytest

from pgcourse.checks import exercises
from tools.builder.__main__ import check, course_here
from tools.builder.execute import CELL_TIMEOUT, Runner

ROOT = Path(__file__).resolve().parents[2]
STUBS = sorted((ROOT / "exercises").glob("*.ipynb"))
SOLUTIONS = sorted((ROOT / "solutions").glob("*.ipynb"))


def checks_of(notebook):
    """Check cells of a notebook, with the text of all that each showed."""
    return {
        cell.id: "".join(output.get("text", output.get("data", {}).get("text/plain", "")) for output in cell.outputs)
        for cell in notebook.cells
        if cell.id.startswith("check-")
    }


def test_committed_notebooks_are_what_their_sources_give():
    differences = check(course_here())
    assert not differences, "\n" + "\n".join(differences)


def test_every_unit_has_a_lesson_exercises_and_a_row_in_the_readme():
    lessons = {path.name[:2] for path in (ROOT / "course").glob("*.py") if ".exercises" not in path.name}
    assert "01" in lessons
    assert {path.name[:2] for path in (ROOT / "course").glob("*.exercises.py")} == lessons
    assert {exercise.unit for exercise in exercises()} == lessons
    assert set(re.findall(r"^\| (\d\d) ", (ROOT / "README.md").read_text(), re.MULTILINE)) == lessons


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_stored_answers_of_every_check_in_a_solution_say_correct(path):
    answers = checks_of(nbformat.read(path, as_version=4))
    assert answers
    assert [name for name, text in answers.items() if "correct" not in text or "not yet" in text] == []


@pytest.mark.parametrize("path", STUBS, ids=lambda path: path.stem)
def test_a_stub_runs_to_its_end_with_every_check_not_attempted(path):
    notebook = nbformat.read(path, as_version=4)
    Runner(cell_timeout=5 * CELL_TIMEOUT).execute(
        notebook, folder=path.parent
    )  # refuses the first cell that raises, and names it
    answers = checks_of(notebook)
    assert answers
    assert [name for name, text in answers.items() if "not attempted" not in text] == []
