"""Marks by hand come into the tables and the feedback without a submission, and as a run of the grader brings them."""

import json
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pgcourse.errors import InvalidInput
from pgcourse.grading import grader
from pgcourse.grading.grader import grade
from pgcourse.grading.marking import sheet
from pgcourse.grading.release import manifest
from pgcourse.grading.release.make import Settings as ReleaseSettings
from pgcourse.grading.release.make import make
from pgcourse.grading.release.manifest import Late
from pgcourse.grading.renew import renew
from pgcourse.grading.settings import Settings
from pgcourse.grading.tables import rows, whole_table
from tests.grading.classroom import SEED, fill, hand_in, notebook, solutions

NAME = "01_reinforce"
EXPERIMENT = "experiment-01"
FORBIDDEN = "import sys\ndef standardize(values):\n    return sys._getframe()"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class that was graded once: anna in time, ben late, carl without a notebook, zoe of no roster."""
    root = tmp_path_factory.mktemp("class")
    due = datetime.fromisoformat("2026-12-01T12:00:00+00:00")
    make(ReleaseSettings(out=root / "release", units=(1,), version="0.1.0", due=due, late=Late(per_day=0.1)))
    handed_out, solved = notebook(root / "release", NAME), solutions(root / "release", NAME)
    for name, content in (
        ("anna", fill(handed_out, solved)),
        ("ben", fill(handed_out, solved | {"standardize": FORBIDDEN})),
        ("zoe", handed_out),
    ):
        hand_in(root / "submissions", name, NAME, content)
    (root / "roster.csv").write_text("student,name\nanna,Anna Berg\nben,\ncarl,\n")
    (root / "times.csv").write_text("student,handed_in\nben,2026-12-02T11:00:00+00:00\n")
    grade(settings(root))
    return root


@pytest.fixture
def root(first: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(first, tmp_path / "class"))


def settings(root: Path) -> Settings:
    fixed = {"hidden_seed": SEED, "timeout": 1.0}
    tables = {"roster": root / "roster.csv", "times": root / "times.csv"}
    return Settings(root / "submissions", root / "release", root / "out", **fixed, **tables)  # type: ignore[arg-type]


def mark(root: Path, student: str, comment: str = "") -> None:
    """All points of the experiment."""
    cell = manifest.read(root / "release").assignments[0].manual[0]
    for item, line in enumerate(cell.rubric):
        sheet.change_experiment(root / "out" / "manual.csv", cell, student, sheet.Change(item, line.points))
    sheet.change_experiment(root / "out" / "manual.csv", cell, student, sheet.Change(comment=comment))


def written(root: Path) -> dict[str, bytes]:
    """The tables, and what is of single students."""
    paths = [*(root / "out").glob("*.csv"), *(root / "out" / "students").iterdir()]
    return {path.relative_to(root / "out").as_posix(): path.read_bytes() for path in paths}


def test_the_grader_would_write_the_same(root: Path) -> None:
    untouched = written(root)
    renew(root / "out", manifest.read(root / "release"))
    assert written(root) == untouched, "nothing was marked"
    mark(root, "ben", "Clear; but <b>which</b> seeds?")
    (root / "out" / "overrides.csv").write_text(
        "student,exercise,points,reason\nben,standardize,1,seen\nanna,reinforce_loss,0.5,copied\n"
    )
    renew(root / "out", manifest.read(root / "release"))
    renewed = written(root)
    grade(settings(root))
    again = written(root)
    assert {name for name in renewed if renewed[name] != again[name]} == {"manual.csv"}, "which notes what was marked"
    changed = {name for name in renewed if renewed[name] != untouched.get(name)}
    assert {each for each in changed if each.startswith("students/")} == {
        "students/anna.html", "students/anna.json", "students/ben.html", "students/ben.json",
    }  # fmt: skip
    table = {row["student"]: row for row in whole_table(root / "out" / "class.csv", ())[1]}
    assert (table["ben"]["late"], table["ben"]["open"], table["anna"]["open"]) == ("0.1", "", EXPERIMENT)


def test_a_mark_by_hand_of_another_answer_is_said_and_stays(root: Path) -> None:
    mark(root, "ben")
    assert not any("marked by hand" in each for each in grade(settings(root)).remarks)
    content = json.loads((root / "submissions" / "ben" / f"{NAME}.ipynb").read_text())
    hand_in(root / "submissions", "ben", NAME, fill(content, {EXPERIMENT: "Another answer."}))
    said = f"Handed in anew since it was marked by hand: {EXPERIMENT} of ben."
    for _ in range(2):
        result = grade(settings(root))
        assert [each for each in result.remarks if each.startswith(said)]
        assert next(each for each in result.students if each.name == "ben").by_hand.points > 0


def test_points_that_are_taken_back_are_the_grader_s_again(root: Path) -> None:
    before = written(root)
    overrides = root / "out" / "overrides.csv"
    standing = overrides.read_text()
    overrides.write_text("student,exercise,points,reason\nanna,reinforce_loss,0.5,copied\n")
    renew(root / "out", manifest.read(root / "release"))
    assert (
        json.loads((root / "out" / "students" / "anna.json").read_text())["exercises"]["reinforce_loss"]["points"]
        == 0.5
    )
    overrides.write_text(standing)
    renew(root / "out", manifest.read(root / "release"))
    told = json.loads((root / "out" / "students" / "anna.json").read_text())["exercises"]
    assert told == json.loads(before["students/anna.json"])["exercises"]
    assert written(root)["class.csv"] == before["class.csv"]


def test_a_mark_by_hand_is_one_row_of_the_same_attempt(root: Path) -> None:
    columns = ("student", "digest", "by_hand", "open_points", "seed")
    attempts = rows(root / "out" / "history.csv", columns)
    hand_in(root / "submissions", "anna", NAME, "{")
    mark(root, "anna")
    for _ in range(2):
        renew(root / "out", manifest.read(root / "release"))
    now = rows(root / "out" / "history.csv", columns)
    assert now[:-1] == attempts
    last = next(row for row in attempts if row["student"] == "anna")
    assert now[-1] == last | {"by_hand": last["open_points"], "open_points": "0"}, (
        "what is handed in since is not graded"
    )


def test_marks_that_are_given_while_one_student_is_graded_again_stay(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    observe = grader.observe

    def meanwhile(*arguments: Any) -> Any:
        mark(root, "anna")
        renew(root / "out", manifest.read(root / "release"))
        return observe(*arguments)

    monkeypatch.setattr(grader, "observe", meanwhile)
    grade(replace(settings(root), only=("ben",)))
    table = {row["student"]: row["open"] for row in rows(root / "out" / "class.csv", ("student", "open"))}
    assert table == {"anna": "", "ben": EXPERIMENT, "carl": "", "zoe": EXPERIMENT}


def test_nothing_is_written_where_the_release_is_another_one_or_a_table_is_broken(root: Path) -> None:
    release = manifest.read(root / "release")
    (root / "out" / "overrides.csv").write_text("student,exercise,points,reason\nanna,gae,1,\n")
    before = written(root)
    with pytest.raises(InvalidInput, match="no exercise of this release is called 'gae'"):
        renew(root / "out", release)
    make(ReleaseSettings(out=root / "other", units=(2,), version="0.1.0"))
    with pytest.raises(InvalidInput, match=r"holds marks of another release \(anna\); grade the whole class again"):
        renew(root / "out", manifest.read(root / "other"))
    assert written(root) == before
