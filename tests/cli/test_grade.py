"""`pgcourse grade`: what it says of a class, and that a teacher's mistake is told before anything runs."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pgcourse.cli import main
from pgcourse.cli.grade import _columns, fitted
from pgcourse.grading import grader
from pgcourse.grading.grader import ClassResult
from pgcourse.grading.marks.gradebook import NotebookMarks, Row, Student
from tests.grading.marking.desks import RELEASE

DONE = Row("gae", "correct", 4, 4, "")
OPEN = Row("experiment-01", "not marked yet", 0, 4, "", by_hand=True)
WITHHELD = Row("gae", "withheld", 0, 4, "")


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with submissions/ and a release class/; no notebook of it may be read or run."""
    folder = tmp_path / "course"
    (folder / "submissions" / "anna").mkdir(parents=True)
    (folder / "submissions" / "anna" / "01_reinforce.ipynb").write_text("{}")
    (folder / "class" / "teacher").mkdir(parents=True)
    RELEASE.write(folder / "class")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(grader, "find", lambda *_: pytest.fail("a notebook was looked into"))
    return folder


@pytest.fixture
def mistake(course: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The one line that a refused command prints; nothing but what lay there before lies there then."""

    def told(*arguments: str, **folders: str) -> str:
        before = sorted(course.rglob("*"))
        words = {"submissions": "submissions", "release": "class", "out": "grades"} | folders
        command = ["grade", words["submissions"], "--release", words["release"], "--out", words["out"], *arguments]
        assert main(command) == 2
        printed = capsys.readouterr()
        (line,) = printed.err.splitlines()
        assert printed.out == "" and line.startswith("pgcourse: ") and len(line) < 500
        assert [path for path in sorted(course.rglob("*")) if path.suffix != ".lock"] == before
        return line

    return told


def test_a_file_in_the_way_is_one_line(mistake: Callable[..., str], course: Path) -> None:
    (course / "roster.csv").write_text("student\nanna\n")
    assert "--out roster.csv: it is no folder; give one for the grades" in mistake(out="roster.csv")
    assert "--out roster.csv/x: roster.csv is no folder" in mistake(out="roster.csv/x")
    assert "class/release.json is a file; give the folder that" in mistake(release="class/release.json")
    (course / "odd" / "release.json").mkdir(parents=True)
    assert "cannot read odd/release.json (Is a directory); give the folder that" in mistake(release="odd")


def test_a_folder_that_cannot_be_made_is_one_line(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(grader, "find", lambda *_: ([], []))
    monkeypatch.setattr(Path, "mkdir", refused)
    assert main(["grade", "submissions", "--release", "class", "--out", "gro/x"]) == 2
    assert "--out gro/x cannot be made (Permission denied); give a folder that you may" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "text", "complaint"),
    [
        ("times.csv", "student,handed_in\nanna,soon\n", "times.csv: handed_in of anna='soon' is no time"),
        ("times.csv", "name\nanna\n", "times.csv has no column 'student'; its first line holds 'name', and must hold"),
        ("roster.csv", "Name;Full name\nanna;A\n", "its first line holds 'name', 'Full name', and must hold student"),
        ("grades/overrides.csv", "student,exercise,points,reason\nanna,x,1,\n", "in the row of 'anna': no exercise"),
        ("grades/manual.csv", "student,id,points,comment\nanna,experiment-01,99,\n", "99 points for experiment-01 of 'anna'"),
    ],
)  # fmt: skip
def test_a_table_is_read_before_anything_runs(
    mistake: Callable[..., str], course: Path, table: str, text: str, complaint: str
) -> None:
    (course / table).parent.mkdir(exist_ok=True)
    (course / table).write_text(text)
    option = [] if "/" in table else [f"--{table.removesuffix('.csv')}", table]
    assert complaint in mistake(*option)


def test_options_are_called_as_they_were_typed(mistake: Callable[..., str]) -> None:
    assert "--jobs 0 is not allowed; use an integer of at least 1" in mistake("--jobs", "0")
    assert "--timeout 0 is not allowed; use a number above 0" in mistake("--timeout", "0")
    assert "--hidden-seed -1 is not allowed" in mistake("--hidden-seed", "-1")
    assert "there is no rooster.csv; give a CSV with the columns student" in mistake("--roster", "rooster.csv")
    assert "there is no nowhere.csv; give a CSV" in mistake("--times", "nowhere.csv")
    assert "repeat --only for each: --only joerg --only lea" in mistake("--only", "joerg", "lea")


def test_what_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for command, said in (
        (["assignment", "make"], "--units and --out are needed; see pgcourse assignment make --help"),
        (["grade", "s", "--release", "c"], "--out is needed; see pgcourse grade --help"),
        (["mark"], "GRADES (The folder that `pgcourse grade` wrote) and --release are needed; see pgcourse mark --help"),
    ):  # fmt: skip
        assert main(command) == 2
        assert capsys.readouterr().err == f"pgcourse: {said}\n"


def printed(
    students: list[Student], ran: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    monkeypatch.setattr(grader, "grade", lambda *_, **__: ClassResult(students, [], ran))
    assert main(["grade", "submissions", "--release", "class", "--out", "grades"]) == 0
    return capsys.readouterr().out.splitlines()


def student(name: str, *rows: Row) -> Student:
    return Student(name, (NotebookMarks("01_reinforce", rows),))


def test_one_is_no_plural_and_the_next_step_is_named(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = printed([student("anna", DONE, OPEN)], 1, monkeypatch, capsys)
    assert one[-2] == "1 student; 1 notebook run; tables and feedback are in grades"
    assert one[-1] == (
        "1 mark waits for a person (the column `open` of class.csv says which); "
        "next: pgcourse mark grades --release class"
    )
    two = printed([student("anna", DONE, OPEN), student("ben", WITHHELD)], 2, monkeypatch, capsys)
    assert two[-2].startswith("2 students; 2 notebooks run; ")
    assert two[-1].startswith("2 marks wait for a person (the column `open` of class.csv says which, look_at.csv why")
    assert len(printed([student("anna", DONE)], 0, monkeypatch, capsys)) == 2, "nothing waits"


def test_names_of_any_length_and_width_keep_the_columns(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["anna", "Maximiliana-Theodora von und zu Hohenstein", "\u5f20" * 3, "\u5f20" * 40, "Zoe\u0308"]
    lines = printed([student(name, DONE) for name in names], 0, monkeypatch, capsys)[:-1]
    assert {_columns(line.partition(" of ")[0]) for line in lines} == {38}
    assert fitted(names[1], 30) == "Maximiliana-Theodora von und …"
    assert fitted("\u5f20" * 40, 30) == "\u5f20" * 14 + "…" + " "
    assert fitted("x" * 30, 30) == "x" * 30


def test_an_interrupt_says_that_nothing_is_lost(
    course: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(grader, "grade", stopped)
    assert main(["grade", "submissions", "--release", "class", "--out", "grades"]) == 130
    said = "pgcourse: interrupted; what is done is kept, the same command goes on"
    assert capsys.readouterr().err.strip() == said


def test_an_interrupt_while_the_package_is_loaded_is_one_line(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "gymnasium.py").write_text("raise KeyboardInterrupt\n")
    path = os.pathsep.join([str(tmp_path), str(repository)])
    done = subprocess.run(
        [sys.executable, "-m", "pgcourse", "--version"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert (done.returncode, done.stderr) == (130, "pgcourse: interrupted\n")
