"""A notebook that is wrong, broken or empty, under a right name: the teacher is told, and nobody else is touched."""

import csv
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, make_release, notebook, solutions

ONE, TWO = "01_reinforce", "02_baselines"
NO_JSON = "The file is no Jupyter notebook: it is not JSON. Save it in JupyterLab and hand in that file."
BROKEN: dict[str, tuple[str, str, str]] = {
    "empty": ("", "The file is empty.", f"{ONE} could not be read"),
    "not json": ("{not json", NO_JSON, f"{ONE} could not be read"),
    "closed": ("{}", "The file cannot be read (Permission denied).", f"{ONE} could not be read"),
    "no cell": (
        '{"cells": []}',
        f"{ONE}.ipynb has no solution cell of {ONE}; ask for the notebook that was handed out.",
        f"{ONE} has no solution cell",
    ),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("class")
    make_release(root / "release", 1, 2)
    one, two = (notebook(root / "release", name) for name in (ONE, TWO))
    for student, (content, _, _) in BROKEN.items():
        hand_in(root / "in", student, ONE, content)
    right = {id: text for id, text in solutions(root / "release", ONE).items() if id == "standardize"}
    hand_in(root / "in", "swapped", TWO, fill(one, right))
    hand_in(root / "in", "swapped", ONE, two)
    hand_in(root / "in", "double", ONE, two)
    hand_in(root / "in", "double", TWO, two)
    (root / "in" / "pat").mkdir()
    (root / "in" / "pat" / f"{ONE}.zip").write_bytes(b"PK")
    return root


@pytest.fixture(scope="module")
def graded(root: Path) -> ClassResult:
    opened = os.open

    def closed(path: Any, *rest: Any, **named: Any) -> int:
        if Path(str(path)).parent.name == "closed" and str(path).endswith(".ipynb"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", closed)
        return grade(Settings(root / "in", root / "release", root / "out", hidden_seed=SEED, timeout=2.0))


def notes(root: Path) -> dict[str, str]:
    with (root / "out" / "class.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: row["note"] for row in csv.DictReader(file)}


@pytest.mark.parametrize("student", BROKEN)
def test_what_cannot_be_graded_is_a_remark_and_a_note(graded: ClassResult, root: Path, student: str) -> None:
    _, said, note = BROKEN[student]
    (remark,) = [remark for remark in graded.remarks if remark.startswith(f"{student}: ")]
    assert said in remark and f"{ONE}.ipynb" in remark
    assert remark in (root / "out" / "remarks.txt").read_text(encoding="utf-8").splitlines()
    assert notes(root)[student] == note


def test_swapped_notebooks_get_their_marks(graded: ClassResult, root: Path) -> None:
    (student,) = [each for each in graded.students if each.name == "swapped"]
    assert {row.id for row in student.rows if row.status == "correct"} == {"standardize"}
    assert notes(root)["swapped"] == ""


def test_one_notebook_twice_is_said_once(graded: ClassResult, root: Path) -> None:
    assert f"double: {ONE}.ipynb is the notebook {TWO}." in graded.remarks
    assert notes(root)["double"] == f"{ONE} is another notebook"


def test_who_handed_in_an_archive_handed_in_something(graded: ClassResult, root: Path) -> None:
    assert f"pat: {ONE}.zip is no notebook, and was left out; unpack it." in graded.remarks
    assert notes(root)["pat"] == "no notebook; files left out: see remarks.txt"
