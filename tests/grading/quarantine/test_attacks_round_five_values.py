"""A fifth round, on answers that are values: inputs that nobody drew, what is kept between calls; and right ones that lose."""

import sys
from pathlib import Path

import pytest

from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.release.make import Settings as Made
from pgcourse.grading.release.make import make
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, notebook
from tests.grading.quarantine.attacks_round_five_values import CELLS, OPEN, RIGHT, TRIED_RIGHT
from tests.grading.quarantine.test_attacks_round_three import student_of

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")]
Graded = tuple[ClassResult, Path]


ALL_RIGHT = {**RIGHT, **TRIED_RIGHT}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Each attack alone, in a release as teachers make it: without libraries."""
    root = tmp_path_factory.mktemp("attacks_round_five_values")
    release = root / "class"
    make(Made(out=release, units=tuple(range(10)), version="0.1.0", experiments=False))
    answers = {name: each[:3] for name, each in CELLS.items()} | ALL_RIGHT
    for name, (assignment, exercise, cell) in answers.items():
        content = fill(notebook(release, assignment), {exercise: cell})
        hand_in(root / "submissions", student_of(name), assignment, content)
    return grade(Settings(root / "submissions", release, root / "out", hidden_seed=SEED, timeout=5.0, jobs=1)), root


def test_every_attack_and_right_answer_has_a_student_of_its_own() -> None:
    assert len({student_of(name) for name in (*CELLS, *ALL_RIGHT)}) == len(CELLS) + len(RIGHT) + len(TRIED_RIGHT)
    assert {*OPEN} <= {*CELLS}


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


@pytest.mark.parametrize("name", ALL_RIGHT)
def test_no_right_answer_loses_points(graded: Graded, name: str) -> None:
    student = next(student for student in graded[0].students if student.name == student_of(name))
    row = next(row for row in student.rows if row.id == ALL_RIGHT[name][1])
    assert row.points == row.max_points
