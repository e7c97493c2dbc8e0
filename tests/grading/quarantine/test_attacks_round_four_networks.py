"""A round on networks, updates and minibatches: what a network is besides its parameters, what few rows never show."""

import sys
from pathlib import Path

import pytest

from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.release.make import Settings as Made
from pgcourse.grading.release.make import make
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, notebook
from tests.grading.quarantine.attacks_round_four_networks import CELLS, OPEN
from tests.grading.quarantine.test_attacks_round_three import student_of

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")]
UNITS = (1, 2, 4, 5, 6)
Graded = tuple[ClassResult, Path]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Each attack alone, in a release as teachers make it: without libraries."""
    root = tmp_path_factory.mktemp("attacks_round_four_networks")
    release = root / "class"
    make(Made(out=release, units=UNITS, version="0.1.0", experiments=False))
    for name, (assignment, exercise, cell, _, _) in CELLS.items():
        content = fill(notebook(release, assignment), {exercise: cell})
        hand_in(root / "submissions", student_of(name), assignment, content)
    return grade(Settings(root / "submissions", release, root / "out", hidden_seed=SEED, timeout=10.0, jobs=1)), root


def test_every_cause_is_of_an_attack() -> None:
    assert {*OPEN} <= {*CELLS}
    assert len({student_of(name) for name in CELLS}) == len(CELLS)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=OPEN[name])) if name in OPEN else name
        for name in CELLS
    ],
)
def test_no_attack_scores_beyond_its_work(graded: Graded, name: str) -> None:
    _, exercise, _, _, most = CELLS[name]
    student = next(student for student in graded[0].students if student.name == student_of(name))
    row = next(row for row in student.rows if row.id == exercise)
    assert student.score == row.points, "nothing else of the notebook is filled in"
    assert row.points <= most * row.max_points


@pytest.mark.parametrize("name", CELLS)
def test_the_grader_says_what_it_should(graded: Graded, name: str) -> None:
    page = (graded[1] / "out" / "students" / f"{student_of(name)}.html").read_text(encoding="utf-8")
    assert CELLS[name][3] in page
