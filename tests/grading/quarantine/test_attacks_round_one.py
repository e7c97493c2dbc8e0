"""A second round of attacks: points without the work, and secrets."""

import json
import re
import sys
from pathlib import Path

import pytest

from pgcourse.checks.exercise import get
from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.quarantine.prepare import inputs
from pgcourse.grading.release.make import Settings as Made
from pgcourse.grading.release.make import make
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, notebook
from tests.grading.quarantine.attacks_round_one import CELLS, ELSEWHERE, LEAKS, D, traces

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")]
UNITS = (1, 3, 4, 5, 6, 7, 8)
CLINIC = "06_debugging_traps"
Graded = tuple[ClassResult, Path]


def student_of(name: str) -> str:
    return re.sub(r"[^\w -]", "", name)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Each attack alone, in a release as teachers make it: without libraries."""
    root = tmp_path_factory.mktemp("attacks_round_one")
    release = root / "class"
    make(Made(out=release, units=UNITS, version="0.1.0", experiments=True))
    for name, (assignment, exercise, cell, _, _) in CELLS.items():
        hand_in(
            root / "submissions", student_of(name), assignment, fill(notebook(release, assignment), {exercise: cell})
        )
    hand_in(root / "submissions", "as handed out", CLINIC, notebook(release, CLINIC))
    return grade(Settings(root / "submissions", release, root / "out", hidden_seed=SEED, timeout=2.0, jobs=2)), root


def test_every_list_is_of_attacks() -> None:
    assert {*LEAKS, *ELSEWHERE} <= {*CELLS}


@pytest.mark.parametrize("name", CELLS)
def test_no_attack_scores_beyond_its_work(graded: Graded, name: str) -> None:
    result, _ = graded
    _, exercise, _, _, most = CELLS[name]
    student = next(student for student in result.students if student.name == student_of(name))
    row = next(row for row in student.rows if row.id == exercise)
    assert row.points <= most * row.max_points
    assert student.score == row.points, "nothing else of the notebook is filled in"


@pytest.mark.parametrize("name", CELLS)
def test_the_grader_says_what_it_should(graded: Graded, name: str) -> None:
    page = (graded[1] / "out" / "students" / f"{student_of(name)}.html").read_text(encoding="utf-8")
    assert CELLS[name][3] in page


@pytest.mark.parametrize("name", traces([0.0, 0.0, 0.0]))
def test_no_page_tells_a_hidden_input(graded: Graded, name: str) -> None:
    hidden = inputs(get(D), SEED).cases[-1]["rewards"].flatten().tolist()
    folder = graded[1] / "out" / "students"
    told = json.loads((folder / f"{student_of(name)}.json").read_text(encoding="utf-8"))
    said = json.dumps([told["notes"], [row["message"] for row in told["exercises"].values()]])
    assert not [trace for trace in traces(hidden)[name] if trace in said]


def test_no_shape_tells_a_hidden_input(graded: Graded) -> None:
    path = graded[1] / "out" / "students" / f"{student_of('writes hidden inputs as a shape')}.json"
    shown = re.findall(r"\d{4,}", path.read_text(encoding="utf-8"))
    hidden = {
        str(int(abs(x) * 10**5)) for case in inputs(get(D), SEED).cases for x in case["rewards"].flatten().tolist()
    }
    assert not hidden & {*shown}


@pytest.mark.parametrize("name", ["hides a gradient that must not flow", *ELSEWHERE])
def test_a_person_is_told_to_look(graded: Graded, name: str) -> None:
    result, _ = graded
    student = next(student for student in result.students if student.name == student_of(name))
    assert [text for part in student.parts for text in part.look_at]


def test_a_clinic_as_handed_out_earns_nothing(graded: Graded) -> None:
    result, _ = graded
    student = next(student for student in result.students if student.name == "as handed out")
    assert student.score == 0
