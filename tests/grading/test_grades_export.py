"""Marks as Moodle, Canvas and nbgrader take them, and the plain table."""

import csv
import os
import sys
from pathlib import Path

import pytest

from pgcourse.cli import main
from pgcourse.grading.grader import grade
from pgcourse.grading.release.make import Settings as ReleaseSettings
from pgcourse.grading.release.make import make
from pgcourse.grading.release.manifest import Late, parse_time
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, notebook, solutions
from tests.grading.marking.desks import make_class

NAME, EXPERIMENT = "00_welcome", "experiment-00"
DUE = "2026-12-01T12:00:00+00:00"
ROSTER = """student,name,id,email,login,canvas,section
anna,Anna Berg,1001,anna@x.org,aberg,501,A
ben,"O'Hara, Ben",1002,ben@x.org,,502,A
carl,Carl Li,1003,carl@x.org,,,B
"""
WRONG = "def bandit_step(logits, action, reward, *, learning_rate):\n    return logits\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graded class: anna all right and a day late, ben half and waiting for a person, carl nothing."""
    root = tmp_path_factory.mktemp("class")
    make(
        ReleaseSettings(
            out=root / "release", units=(0,), version="0.1.0", due=parse_time(DUE, "due"), late=Late(per_day=0.1)
        )
    )
    handed_out, solved = notebook(root / "release", NAME), solutions(root / "release", NAME)
    (root / "roster.csv").write_text(ROSTER)
    hand_in(root / "submissions", "anna", NAME, fill(handed_out, solved))
    hand_in(root / "submissions", "ben", NAME, fill(handed_out, solved | {"bandit_step": WRONG}))
    out = root / "grades"
    out.mkdir()
    (out / "manual.csv").write_text(f"student,id,points,comment\nanna,{EXPERIMENT},3,good\n")
    (out / "overrides.csv").write_text("student,exercise,points,reason\nben,bandit_step,0.5,at the board\n")
    (root / "times.csv").write_text(f"student,handed_in\nanna,2026-12-02T11:00:00+00:00\nben,{DUE}\n")
    options = {"hidden_seed": SEED, "roster": root / "roster.csv", "times": root / "times.csv"}
    grade(Settings(root / "submissions", root / "release", out, **options))  # type: ignore[arg-type]
    return root


def export(root: Path, system: str, *arguments: str) -> list[list[str]]:
    assert main(["grades", "export", str(root / "grades"), "--to", system, *arguments]) == 0
    with (root / "grades" / f"{system}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def roster(root: Path) -> list[str]:
    return ["--roster", str(root / "roster.csv")]


def test_moodle_finds_students_by_email_or_number_and_gets_feedback_beside_the_points(root: Path) -> None:
    head, anna, ben, carl = export(root, "moodle", *roster(root), "--provisional")
    assert head == ["Email address", "ID number", NAME, f"{NAME} feedback"]
    assert anna[:3] == ["anna@x.org", "1001", "8.1"], "9 points, a tenth of which lateness costs"
    assert "bandit_step: 2 of 2, correct" in anna[3]
    assert anna[3].endswith(f"{EXPERIMENT}: 3 of 4, marked by hand (good); late: 10 % lost")
    assert "bandit_step: 0.5 of 2, not yet (at the board)" in ben[3] and "late" not in ben[3]
    assert f"{EXPERIMENT}: open" in ben[3]
    assert carl == ["carl@x.org", "1003", "0.0", "Nothing was handed in."]


def test_canvas_gets_its_own_columns_and_the_row_of_possible_points(root: Path) -> None:
    heading = ["--column", f"{NAME}=Week 1 (4711)"]
    head, possible, anna, ben, carl = export(root, "canvas", *roster(root), *heading, "--provisional")
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Week 1 (4711)"]
    assert possible == ["    Points Possible", "", "", "", "", "10.0"]
    assert anna == ["Anna Berg", "501", "1001", "aberg", "A", "8.1"]
    assert ben == ["O'Hara, Ben", "502", "1002", "", "A", "4.5"]
    assert carl == ["Carl Li", "", "1003", "", "B", "0.0"]


def test_the_plain_table_needs_no_roster_and_says_what_is_open(root: Path) -> None:
    head, anna, ben, carl = export(root, "csv")
    rows = {row[0]: dict(zip(head, row, strict=True)) for row in (anna, ben, carl)}
    assert [rows[name][NAME] for name in rows] == ["8.1", "4.5", "0.0"]
    assert [rows[name]["open_points"] for name in rows] == ["0", "4", "0"]
    assert rows["carl"]["note"] == "nothing handed in"
    assert export(root, "csv", *roster(root))[1][1:4] == ["Anna Berg", "1001", "anna@x.org"]


def test_what_cannot_be_exported_is_one_line(root: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    bare, half = tmp_path / "bare.csv", tmp_path / "half.csv"
    bare.write_text("student,canvas\nanna,501\n")
    half.write_text("student,id,email\nanna,1001,\nben,,ben@x.org\ncarl,1003,\n")
    where = str(root / "grades")
    for arguments, complaint in (
        (
            [where, "--to", "moodle", "--provisional"],
            "Moodle finds students by email or id, which a roster holds; add --roster",
        ),
        ([where, "--to", "canvas", *roster(root)], f"marks of ben wait for a person ({EXPERIMENT})"),
        (
            [where, "--to", "canvas", "--provisional", "--roster", str(bare)],
            "bare.csv has none of canvas, id and login of ben, carl; Canvas finds students by one of them",
        ),
        (
            [where, "--to", "moodle", "--provisional", "--roster", str(half)],
            "half.csv has no email of anna, carl and no id of ben; Moodle needs the one or the other of everybody",
        ),
        ([where, "--to", "csv", "--column", "01=x"], f"write NOTEBOOK=HEADING, with one of the notebooks {NAME}"),
        ([str(tmp_path), "--to", "csv"], "class.csv; grade the class first"),
        ([where, "--to", "nbgrader"], "needs --out"),
        ([where, "--to", "nbgrader", "--out", str(tmp_path / "gradebook.db")], "run nbgrader generate_assignment"),
        ([where, "--to", "ilias"], "ilias"),
    ):
        assert main(["grades", "export", *arguments]) == 2
        error = capsys.readouterr().err
        assert complaint in error
        assert error.count("\n") == 1
    assert main(["grades", "submissions/"]) == 2
    assert "use pgcourse grades export, or pgcourse grade to mark a class" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"student,points\nanna,3\n", b"SQLite format 3\0" + b"\1" * 200])
def test_a_file_that_is_no_gradebook_is_one_line(
    root: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes
) -> None:
    pytest.importorskip("nbgrader.api")
    out = tmp_path / "marks.csv"
    out.write_bytes(content)
    assert main(["grades", "export", str(root / "grades"), "--to", "nbgrader", "--out", str(out)]) == 2
    error = capsys.readouterr().err
    assert "marks.csv is no gradebook of nbgrader's that can be written (file is not a database); run nbgrader" in error
    assert error.count("\n") == 1
    assert out.read_bytes() == content


def test_nbgrader_s_gradebook_holds_the_marks(root: Path) -> None:
    """Its own command makes the database, and its own interface reads it."""
    nbgrader = pytest.importorskip("nbgrader.api")
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import PyFileConfigLoader

    teacher = root / "release" / "teacher"
    with pytest.MonkeyPatch.context() as patch:
        # nbgrader calls alembic, which is beside this Python; and nothing may touch the user's own Jupyter files.
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "PGCOURSE_HOME"):
            patch.setenv(name, str(root / name.lower()))
        config = PyFileConfigLoader("nbgrader_config.py", path=str(teacher)).load_config()
        config.CourseDirectory.root, config.Application.log_level = str(teacher), "ERROR"
        assert NbGraderAPI(config=config).generate_assignment(NAME)["success"]
    command = ["grades", "export", str(root / "grades"), "--to", "nbgrader", "--out", str(teacher / "gradebook.db")]
    for _ in range(2):  # the second time changes nothing
        assert main([*command, *roster(root)]) == 0
        with nbgrader.Gradebook(f"sqlite:///{teacher / 'gradebook.db'}") as book:
            found = {
                submission.student.id: (
                    {
                        grade.name: (grade.auto_score, grade.manual_score, bool(grade.needs_manual_grade))
                        for part in submission.notebooks
                        for grade in part.grades
                    },
                    submission.score,
                    submission.late_submission_penalty,
                )
                for submission in book.assignment_submissions(NAME)
            }
            emails = {student.id: student.email for student in book.students}
        right = {f"check-{id}": (2, None, False) for id in ("categorical_log_prob", "categorical_entropy")}
        anna = right | {"check-bandit_step": (2, None, False), EXPERIMENT: (None, 3, False)}
        ben = right | {"check-bandit_step": (None, 0.5, False), EXPERIMENT: (None, None, True)}
        assert found == {"anna": (anna, 9, 0.9), "ben": (ben, 4.5, 0)}, "carl handed in nothing"
        assert emails == {"anna": "anna@x.org", "ben": "ben@x.org", "carl": "carl@x.org"}


def test_one_student_is_no_students(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grades, _ = make_class(tmp_path, {"anna": "x"})
    assert main(["grades", "export", str(grades), "--to", "csv"]) == 0
    assert capsys.readouterr().out == f"wrote 1 student, 2 notebooks to {grades / 'csv.csv'}\n"
