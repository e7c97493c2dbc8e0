"""Whatever one submission holds, and whatever fails in the grader over it, costs that student alone."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.marks import judge
from pgcourse.grading.quarantine import reading, running
from pgcourse.grading.quarantine.submissions import find
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, make_release, notebook, solutions

NAME = "01_reinforce"
AS_THEY_ARE = ("O'Brien, Pat", '[Ada] "the first"', "\u5f20" * 80, "Zo\u00eb", "a.b+c@d_e-f")
LEFT_OUT = {
    "anna ": "ends with a blank",
    " ben": "begins or ends with a blank",
    "=1+1": "formula",
    "ada;100": "semicolon",
    "\u5f20" * 83: "249 bytes long",
}
UNREADABLE, NOT_RUN, UNJUDGED = "the reading fails", "the run fails", "the judging fails"
HUGE = "big = 0x" + "f" * 5000  # of more digits than Python writes out


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("class")
    make_release(root / "release", 1)
    handed_out, solved = notebook(root / "release", NAME), solutions(root / "release", NAME)
    for student in (*AS_THEY_ARE, *LEFT_OUT, "anna", UNREADABLE, NOT_RUN, UNJUDGED):
        hand_in(root / "submissions", student, NAME, fill(handed_out, solved))
    huge = fill(handed_out, solved | {"reinforce_loss": f"{HUGE}\n{solved['reinforce_loss']}"})
    hand_in(root / "submissions", "many digits", NAME, huge)
    return root


@pytest.fixture(scope="module")
def graded(root: Path) -> ClassResult:
    asked, judged, collected = reading._asked, judge._judged, running._collect

    def failing_read(job: Any, file: int) -> Any:
        if job.student == UNREADABLE:
            raise ZeroDivisionError("of ours")
        return asked(job, file)

    def failing_run(job: Any) -> Any:
        if job.student == NOT_RUN:
            raise OverflowError("of ours")
        return collected(job)

    def failing_judge(work: Any, *further: Any) -> Any:
        if work.submission.student == UNJUDGED:
            raise KeyError("of ours")
        return judged(work, *further)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_asked", failing_read)
        patch.setattr(running, "_collect", failing_run)
        patch.setattr(judge, "_judged", failing_judge)
        settings = Settings(root / "submissions", root / "release", root / "out", hidden_seed=SEED, timeout=2.0)
        return grade(settings)


def test_names_are_kept_as_they_are(graded: ClassResult, root: Path) -> None:
    with (root / "out" / "class.csv").open(encoding="utf-8", newline="") as file:
        scores = {row["student"]: float(row["score"]) for row in csv.DictReader(file)}
    assert {name: scores[name] for name in (*AS_THEY_ARE, "anna")} == dict.fromkeys((*AS_THEY_ARE, "anna"), 11.0)
    for name in AS_THEY_ARE:
        assert json.loads((root / "out" / "students" / f"{name}.json").read_text("utf-8"))["student"] == name


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_name_that_is_not_taken_is_left_out_with_its_reason(graded: ClassResult, name: str) -> None:
    assert name not in {student.name for student in graded.students}
    (said,) = [remark for remark in graded.remarks if remark.startswith(f"{name!r} ")]
    assert LEFT_OUT[name] in said


@pytest.mark.parametrize(
    ("name", "kind"), [(UNREADABLE, "ZeroDivisionError"), (NOT_RUN, "OverflowError"), (UNJUDGED, "KeyError")]
)
def test_a_failure_of_the_grader_s_own_is_one_student_s_line(
    graded: ClassResult, root: Path, name: str, kind: str
) -> None:
    (student,) = [each for each in graded.students if each.name == name]
    assert student.score == 0 and {row.status for row in student.rows} == {"withheld"}
    with (root / "out" / "look_at.csv").open(encoding="utf-8", newline="") as file:
        said = [row["what"] for row in csv.DictReader(file) if row["student"] == name]
    assert said == [f"The grader itself failed on this notebook ({kind}); a person marks it."]


def test_a_number_of_too_many_digits_is_only_a_number(graded: ClassResult) -> None:
    (student,) = [each for each in graded.students if each.name == "many digits"]
    assert student.score == 11


def test_a_notebook_that_was_handed_in_twice_is_said_with_both_places(tmp_path: Path) -> None:
    for place in ("anna/01_a.ipynb", "anna/01_a/01_a.ipynb"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text('{"cells": []}')
    _, remarks = find(tmp_path, ["01_a"])
    assert remarks == ["anna handed in 01_a twice; anna/01_a.ipynb was taken, anna/01_a/01_a.ipynb was left out."]
