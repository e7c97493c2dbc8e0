"""The teacher's table of a class with a roster: who is in it, what is open, what changed, and who is graded again."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from pgcourse.cli import main
from pgcourse.grading.grader import ClassResult, grade
from pgcourse.grading.release.make import Settings as ReleaseSettings
from pgcourse.grading.release.make import make
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, notebook, solutions

NAME = "01_reinforce"
EXPERIMENT = "experiment-01"
ROSTER = """student,name,email,aliases
anna,Anna Berg,anna@x.org,a.berg|annab
ben,Ben O'Hara,ben@x.org,
carl,Carl Li,carl@x.org,
"""
BEN = "Ben OHara_7_assignsubmission_file_"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("class")
    make(ReleaseSettings(out=root / "release", units=(1,), version="0.1.0"))
    handed_out, solved = notebook(root / "release", NAME), solutions(root / "release", NAME)
    (root / "roster.csv").write_text(ROSTER)
    hand_in(root / "submissions", "anna", NAME, fill(handed_out, solved))
    hand_in(root / "submissions", "a.berg", NAME, handed_out)
    hand_in(root / "submissions", BEN, NAME, fill(handed_out, {"standardize": "def standardize(:"}))
    hand_in(root / "submissions", "zoe", NAME, handed_out)
    return root


def settings(root: Path, **changes: Any) -> Settings:
    fixed: dict[str, Any] = {"hidden_seed": SEED, "timeout": 1.0, "roster": root / "roster.csv"}
    return Settings(root / "submissions", root / "release", root / "out", **fixed | changes)


@pytest.fixture(scope="module")
def graded(root: Path) -> ClassResult:
    return grade(settings(root))


def table(path: Path, key: str = "student") -> dict[str, dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row[key]: row for row in csv.DictReader(file)}


def history(root: Path) -> list[dict[str, str]]:
    with (root / "out" / "history.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_roster_is_in_the_table_and_so_is_who_is_not_in_it(graded: ClassResult, root: Path) -> None:
    rows = table(root / "out" / "class.csv")
    assert {name: (row["score"], row["note"]) for name, row in rows.items()} == {
        "anna": ("11.0", ""),
        "ben": ("0.0", ""),
        "carl": ("0.0", "nothing handed in"),
        "zoe": ("0.0", "not in the roster"),
    }


def test_what_is_open_is_neither_earned_nor_lost(graded: ClassResult, root: Path) -> None:
    rows = table(root / "out" / "class.csv")
    split = ("automatic", "automatic_max", "by_hand", "by_hand_max", "open_points", "max_score")
    most = float(rows["anna"]["max_score"]) - 11
    assert [float(rows["anna"][name]) for name in split] == [11, 11, 0, 0, most, 11 + most]
    assert (rows["anna"]["open"], rows["anna"][EXPERIMENT]) == (EXPERIMENT, "")
    assert (rows["carl"]["open"], rows["carl"][EXPERIMENT]) == ("", "0.0"), "nothing was handed in: nothing is open"
    for name, row in rows.items():
        assert sum(float(row[part]) for part in ("automatic_max", "by_hand_max", "open_points")) == 11 + most, name
    told = json.loads((root / "out" / "students" / "anna.json").read_text("utf-8"))
    assert (told["score"], told["automatic_max"], told["open"], told["open_points"]) == (11, 11, [EXPERIMENT], most)
    page = (root / "out" / "students" / "anna.html").read_text("utf-8")
    assert "<h1>Anna Berg (anna): 11 of 11 points</h1>" in page
    assert f"<p>Automatic 11 of 11, by hand open {most:g}. What is open is not marked yet" in page
    assert table(root / "out" / "statistics.csv", "exercise")[EXPERIMENT]["mean points"] == "0.0", "carl's alone"


def test_remarks_are_kept_with_both_folders_of_a_double_and_nobody_s_name(graded: ClassResult, root: Path) -> None:
    remarks = (root / "out" / "remarks.txt").read_text("utf-8").splitlines()
    assert remarks == graded.remarks
    double = f"anna handed in {NAME} twice; anna/{NAME}.ipynb was taken, a.berg/{NAME}.ipynb was left out."
    assert double in remarks
    assert any(remark.startswith("'zoe' is nobody of roster.csv") for remark in remarks)


def test_a_cell_s_error_says_its_line_once(graded: ClassResult, root: Path) -> None:
    message = json.loads((root / "out" / "students" / "ben.json").read_text("utf-8"))["exercises"]["standardize"][
        "message"
    ]
    assert "raised SyntaxError: invalid syntax (line 1)" in message


def test_each_attempt_is_noted_once_and_the_last_counts(graded: ClassResult, root: Path) -> None:
    first = history(root)
    assert [(row["student"], row["automatic"], row["open_points"] != "0") for row in first] == [
        ("anna", "11", True), ("ben", "0", True), ("zoe", "0", True),
    ]  # fmt: skip
    assert all(len(row["digest"]) == 64 and row["time"].endswith("+00:00") for row in first)
    assert all(str(SEED) not in row["seed"] and len(row["seed"]) == 8 for row in first)
    before = contents(root / "out")
    grade(settings(root))
    assert contents(root / "out") == before, "the same run again writes the same"
    manual = root / "out" / "manual.csv"
    original = manual.read_text()
    manual.write_text(original.replace(f"anna,{EXPERIMENT},,", f"anna,{EXPERIMENT},2,good"))
    grade(settings(root))
    added = history(root)[len(first) :]
    assert [(row["student"], row["automatic"], row["by_hand"], row["open_points"]) for row in added] == [
        ("anna", "11", "2", "0")
    ]
    told = json.loads((root / "out" / "students" / "anna.json").read_text("utf-8"))
    assert [(each["by_hand"], each["open_points"]) for each in told["attempts"]][-1] == ("2", "0")
    assert len(told["attempts"]) == 2
    assert "seed" not in told["attempts"][0]
    manual.write_text(original)
    grade(settings(root))


def test_the_roster_is_used_again_where_the_option_is_left_out(graded: ClassResult, root: Path, tmp_path: Path) -> None:
    before = contents(root / "out")
    again = grade(settings(root, roster=None))
    assert "roster.csv is used again; --roster FILE for another." in again.remarks
    after = contents(root / "out")
    assert after.keys() == before.keys(), "no second set of names"
    assert {name for name in after if after[name] != before[name]} == {"remarks.txt"}
    grade(settings(root))
    assert contents(root / "out") == before
    one = grade(settings(root, roster=None, only=("ben",)))
    assert len(one.students) == 4
    assert json.loads((root / "out" / "grading.json").read_text())["roster"] == "../roster.csv"
    grade(settings(root))


def test_pages_of_nobody_in_the_class_are_named(root: Path, graded: ClassResult) -> None:
    (root / "out" / "students" / "a.berg.html").write_text("of an earlier run")
    (said,) = [remark for remark in grade(settings(root)).remarks if "pages of nobody" in remark]
    assert "from an earlier run: a.berg; remove them" in said
    (root / "out" / "students" / "a.berg.html").unlink()
    grade(settings(root))


def test_one_student_is_graded_again_and_nobody_else_moves(graded: ClassResult, root: Path) -> None:
    handed_out, solved = notebook(root / "release", NAME), solutions(root / "release", NAME)
    before, rows = contents(root / "out"), table(root / "out" / "class.csv")
    again = grade(settings(root, only=("A.BERG",)))
    assert again.ran == 1, "afresh, though nothing has changed"
    assert contents(root / "out").keys() == before.keys()
    same = {name for name, data in contents(root / "out").items() if data == before[name]}
    assert before.keys() - same <= {f"observations/anna/{NAME}.json"}, "its seconds"
    # Both hand in anew, and one of them is graded.
    hand_in(root / "submissions", "zoe", NAME, fill(handed_out, solved))
    hand_in(root / "submissions", BEN, NAME, fill(handed_out, solved))
    result = grade(settings(root, only=("ben",)))
    assert {student.name: student.score for student in result.students} == {"anna": 11, "ben": 11, "carl": 0, "zoe": 0}
    now = table(root / "out" / "class.csv")
    assert {name for name in rows if rows[name] != now[name]} == {"ben"}
    assert history(root)[-1]["student"] == "ben"
    for untouched in ("students/zoe.json", "students/zoe.html", "students/anna.json", "similarity.csv"):
        assert (root / "out" / untouched).read_bytes() == before[untouched]
    assert {student.name: student.score for student in grade(settings(root)).students}["zoe"] == 11


def test_what_cannot_be_graded_again_is_one_line(
    graded: ClassResult, root: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    handed_in, roster = str(root / "submissions"), ["--roster", str(root / "roster.csv"), "--timeout", "1"]
    for out, arguments, complaint in (
        (root / "out", ["--only", "ana"], "--only 'ana': nobody is called so; there is anna\n"),
        (tmp_path, ["--only", "anna"], "class.csv; grade the class first"),
        (root / "out", ["--only", "anna", "--hidden-seed", "5"], "another seed is for the whole class"),
        (root / "out", ["--roster", str(tmp_path / "none.csv")], "none.csv"),
    ):
        command = ["grade", handed_in, "--release", str(root / "release"), "--out", str(out), *roster, *arguments]
        assert main(command) == 2
        error = capsys.readouterr().err
        assert complaint in error
        assert error.count("\n") == 1


def test_the_printed_list_says_what_is_open(
    graded: ClassResult, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["grade", str(root / "submissions"), "--release", str(root / "release"), "--out", str(root / "out")]
    assert main([*command, "--timeout", "1", "--roster", str(root / "roster.csv")]) == 0
    printed = capsys.readouterr().out
    most = graded.students[0].open_points
    assert f"anna                                11 of 11  automatic 11 of 11, by hand open {most:g}\n" in printed
    assert (
        f"carl                                 0 of {11 + most:g}  automatic 0 of 11, by hand 0 of {most:g}" in printed
    )
    assert "(nothing handed in)" in printed
