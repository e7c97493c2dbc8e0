"""Grading a small class from end to end: marks, feedback, tables, and what a second run does."""

import csv
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pgcourse.cli import main
from pgcourse.errors import InvalidInput
from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.release.manifest import Late
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, grade_id, hand_in, make_release, notebook, solutions

NAME = "01_reinforce"
FORWARDS = """
def discounted_returns(rewards, *, gamma):
    out, following = torch.empty_like(rewards), 0
    for t in range(len(rewards)):
        following = rewards[t] + gamma * following
        out[t] = following
    return out
"""
LOSS = "def reinforce_loss(log_prob, weight):\n    return -(weight.detach() * log_prob).mean()\n"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    due = datetime.fromisoformat("2026-12-01T12:00:00+00:00")
    return make_release(tmp_path_factory.mktemp("release") / "class", 1, due=due, late=Late(per_day=0.1))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, release: Path) -> Path:
    """Submissions of a small class."""
    root = tmp_path_factory.mktemp("class")
    folder, handed_out, solved = root / "submissions", notebook(release, NAME), solutions(release, NAME)
    hand_in(folder, "anna", NAME, fill(handed_out, solved))
    hand_in(folder, "ben", NAME, handed_out)
    hand_in(folder, "carl", NAME, fill(handed_out, solved | {"discounted_returns": FORWARDS}))
    hand_in(folder, "dora", NAME, fill(handed_out, {"standardize": "while True:\n    pass", "reinforce_loss": LOSS}))
    hand_in(folder, "emil", NAME, "{")
    hand_in(folder, "fred", NAME, scattered(handed_out, solved))
    return root


def scattered(handed_out: dict[str, Any], solved: dict[str, str]) -> dict[str, Any]:
    """A notebook whose cells were moved, split, doubled and robbed of their names, with a helper and magics."""
    filled = fill(handed_out, solved)
    cells = [cell for cell in filled["cells"] if grade_id(cell) not in solved]
    head, *tail = reversed(list(solved))

    def plain(source: str) -> dict[str, Any]:
        return {"cell_type": "code", "metadata": {}, "outputs": [], "source": source}

    helper = plain("%matplotlib inline\n!pip install something\nfactor = -1.0")
    first = plain(LOSS.replace("reinforce_loss", "not_yet_right"))
    twice = [plain("def reinforce_loss(a, b):\n    return 0"), plain(LOSS.replace("-(", "factor * ("))]
    moved = [plain(f"%%time\n{solved[id]}") for id in (head, *tail) if id != "reinforce_loss"]
    filled["cells"] = [*cells, helper, first, *twice, *moved]
    filled["metadata"]["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}
    return filled


def settings(root: Path, release: Path, out: str = "out", **changes: Any) -> Settings:
    return Settings(root / "submissions", release, root / out, hidden_seed=SEED, timeout=1.0, **changes)


@pytest.fixture(scope="module")
def graded(root: Path, release: Path) -> ClassResult:
    return grade(settings(root, release))


def read(root: Path, student: str, out: str = "out") -> dict[str, Any]:
    return json.loads((root / out / "students" / f"{student}.json").read_text(encoding="utf-8"))


def test_the_marks_of_the_class(graded: ClassResult) -> None:
    assert {student.name: student.score for student in graded.students} == {
        "anna": 11, "ben": 0, "carl": 5, "dora": 2, "emil": 0, "fred": 11,
    }  # fmt: skip
    assert {student.max_score for student in graded.students} == {11}


def test_feedback_names_example_misconception_and_hint(graded: ClassResult, root: Path) -> None:
    exercises = read(root, "carl")["exercises"]
    told = exercises["discounted_returns"]
    assert (told["status"], told["points"], told["misconception"]) == ("not yet", 0, "accumulated-forwards")
    smallest = "Smallest failing input (example 2; 4 of 7 examples are right): discounted_returns([1, 2, 3], gamma=0.5)"
    assert smallest in told["message"]
    assert "At [0]: got 1, expected 2.75." in told["message"]
    assert "Hint: Work [1, 2, 3] with gamma = 0.5 by hand" in told["message"]
    assert "It calls discounted_returns, not right yet: mend that first." in exercises["reinforce_update"]["message"]
    page = (root / "out" / "students" / "carl.html").read_text(encoding="utf-8")
    assert "href" not in page  # in a JupyterHub, a link within the page leads out of it
    assert "carl: 5 of 11 points" in page


def test_an_endless_loop_at_top_level_costs_its_own_cell_only(graded: ClassResult, root: Path) -> None:
    exercises = read(root, "dora")["exercises"]
    stopped = "The cell that holds it was stopped after 1 seconds: does a loop never end?"
    assert exercises["standardize"]["message"].endswith(stopped)
    assert exercises["reinforce_loss"]["status"] == "correct"


def test_a_scattered_notebook_and_a_file_that_is_none_are_said(graded: ClassResult, root: Path) -> None:
    assert "it is not JSON" in read(root, "emil")["notes"][NAME][0]
    notes = read(root, "fred")["notes"][NAME]
    assert any("both define reinforce_loss" in note and "the last one counts" in note for note in notes)
    assert any("names a kernel for R" in note for note in notes)
    assert any("The cell of standardize has lost its name" in note for note in notes)


def test_the_tables_of_the_class(graded: ClassResult, root: Path) -> None:
    with (root / "out" / "class.csv").open() as file:
        table = {row["student"]: row for row in csv.DictReader(file)}
    assert table["carl"]["discounted_returns"] == "0.0"
    assert table["anna"]["score"] == "11.0"
    with (root / "out" / "statistics.csv").open() as file:
        rows = {row["exercise"]: row for row in csv.DictReader(file)}
    assert rows["discounted_returns"]["misconceptions"] == "accumulated-forwards 1"
    assert (rows["discounted_returns"]["correct"], rows["discounted_returns"]["not attempted"]) == ("2", "3")


def test_a_published_solution_is_recognised_as_such(graded: ClassResult) -> None:
    pairs = {(pair.exercise, pair.first, pair.second, pair.similarity) for pair in graded.similar}
    assert ("reinforce_update", "(published solution)", "anna", 1.0) in pairs
    assert not any("ben" in (pair.first, pair.second) for pair in graded.similar), "stubs are not compared"


def test_a_second_run_grades_only_what_changed(graded: ClassResult, root: Path, release: Path) -> None:
    assert grade(settings(root, release)).ran == 0
    (root / "out" / "observations" / "ben" / f"{NAME}.json").unlink()  # as after an interrupt
    again = grade(settings(root, release))
    assert again.ran == 1
    assert [student.score for student in again.students] == [student.score for student in graded.students]


def test_overrides_and_lateness_survive_a_second_run(graded: ClassResult, root: Path, release: Path) -> None:
    overrides, times = root / "out" / "overrides.csv", root / "times.csv"
    assert overrides.read_text() == "student,exercise,points,reason\n"
    overrides.write_text(overrides.read_text() + "ben,standardize,0.5,shown at the board\nbenn,standardize,1,\n")
    times.write_text("student,handed_in\nanna,2026-12-02T13:00:00+00:00\ncarl,2026-12-01T13:59:00+02:00\n")
    for _ in range(2):
        result = grade(settings(root, release, times=times))
        scores = {student.name: student.score for student in result.students}
        assert (scores["ben"], scores["anna"], scores["carl"]) == (0.5, 8.8, 5)
        assert any("gives points to 'benn'" in remark for remark in result.remarks)
    assert read(root, "ben")["exercises"]["standardize"]["changed_by_hand"] == "shown at the board"
    assert overrides.read_text().count("\n") == 3
    overrides.unlink()
    # Without the option the same times count, and one line says so; without any, too.
    again = grade(settings(root, release))
    assert next(student.score for student in again.students if student.name == "anna") == 8.8
    assert "times.csv is used again; --times FILE for another." in again.remarks
    times.unlink()
    with pytest.raises(InvalidInput, match=r"the last run used .*times\.csv, which is gone; give --times FILE") as gone:
        grade(settings(root, release))
    assert "\n" not in str(gone.value)
    kept = root / "out" / "grading.json"
    data = json.loads(kept.read_text())
    assert data.pop("times") == "../times.csv"
    kept.write_text(json.dumps(data))
    without = grade(settings(root, release))
    assert next(student.score for student in without.students if student.name == "anna") == 11
    assert "The release has a due time; without --times FILE nothing counts as late." in without.remarks


def test_another_hidden_seed_gives_the_same_marks(graded: ClassResult, root: Path, release: Path) -> None:
    other = Settings(root / "submissions", release, root / "other", timeout=1.0, namespaces=False)
    result = grade(other)
    assert [student.score for student in result.students] == [student.score for student in graded.students]
    kept = json.loads((root / "other" / "grading.json").read_text())["hidden_seed"]
    assert kept != SEED
    assert any("Weaker isolation: switched off" in remark for remark in result.remarks)
    assert grade(other).ran == 0, "the drawn seed is kept"


def test_the_command_prints_the_marks(
    graded: ClassResult, root: Path, release: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["grade", str(root / "submissions"), "--release", str(release), "--out", str(root / "out")]
    assert main([*command, "--hidden-seed", str(SEED), "--timeout", "1"]) == 0
    printed = capsys.readouterr().out
    assert "anna                                11 of 11" in printed
    assert "6 students; 0 notebooks run" in printed


def test_a_mistake_is_one_line(root: Path, release: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    here, handed_in, nowhere = str(release), str(root / "submissions"), str(tmp_path / "nowhere")
    for arguments, complaint in (
        ([nowhere, "--release", here], "nowhere; give a notebook"),
        ([handed_in, "--release", nowhere], "pgcourse assignment make"),
        ([handed_in, "--release", here, "--jobs", "0"], "--jobs 0 is not allowed; use an integer of at least 1\n"),
    ):
        assert main(["grade", *arguments, "--out", str(tmp_path / "out")]) == 2
        error = capsys.readouterr().err
        assert complaint in error
        assert error.count("\n") == 1
