"""A third round of attacks: points without the work, hidden numbers in words, and what a remark must tell of."""

import json
import re
import sys
from pathlib import Path

import pytest

from pgcourse.checks.exercise import get
from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.quarantine.prepare import inputs
from pgcourse.grading.quarantine.reader.review import review
from pgcourse.grading.release.make import Settings as Made
from pgcourse.grading.release.make import make
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, notebook
from tests.grading.quarantine.attacks_round_two import CELLS, ELSEWHERE, LEAKS, LOOK_AT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")]
UNITS = (1, 4, 5, 6, 7, 8)
Graded = tuple[ClassResult, Path]


def student_of(name: str) -> str:
    return re.sub(r"[^\w -]", "", name)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Each attack alone, in a release as teachers make it: without libraries."""
    root = tmp_path_factory.mktemp("attacks_round_two")
    release = root / "class"
    make(Made(out=release, units=UNITS, version="0.1.0", experiments=False))
    attacks = [(name, *each[:3]) for table in (CELLS, LEAKS) for name, each in table.items()]
    for name, assignment, exercise, cell in attacks:
        content = fill(notebook(release, assignment), {exercise: cell})
        hand_in(root / "submissions", student_of(name), assignment, content)
    return grade(Settings(root / "submissions", release, root / "out", hidden_seed=SEED, timeout=2.0, jobs=2)), root


def test_every_cause_is_of_an_attack() -> None:
    assert {*ELSEWHERE} <= {*CELLS}


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


@pytest.mark.parametrize("name", LEAKS)
def test_no_page_tells_a_hidden_input(graded: Graded, name: str) -> None:
    _, exercise, _, given, words = LEAKS[name]
    drawn = inputs(get(exercise), SEED)
    # Of a network's observations the rows come in another order: any may stand first.
    numbers = [x for case in drawn.cases[drawn.visible :] for x in case[given].reshape(len(case[given]), -1)[:, 0]]
    told = json.loads((graded[1] / "out" / "students" / f"{student_of(name)}.json").read_text(encoding="utf-8"))
    said = json.dumps([told["notes"], told["exercises"][exercise]["message"]])
    assert not [word for x in numbers for word in words(float(x)) if word in said]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_the_right_values_of_another_are_pointed_out(graded: Graded, name: str) -> None:
    student = next(student for student in graded[0].students if student.name == student_of(name))
    assert [text for part in student.parts for text in part.look_at]


@pytest.mark.parametrize("name", LOOK_AT)
def test_a_person_is_told_to_look(name: str) -> None:
    assert review(LOOK_AT[name])
