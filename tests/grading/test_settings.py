"""Where a class's folders may be: three apart, whatever links lead to them."""

from pathlib import Path

import pytest

from pgcourse.errors import InvalidInput
from pgcourse.grading.settings import Settings


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """submissions/, a release class/ and another one, other/."""
    (tmp_path / "submissions" / "anna").mkdir(parents=True)
    for name in ("class", "other"):
        (tmp_path / name / "teacher" / "submitted" / "anna").mkdir(parents=True)
        (tmp_path / name / "release.json").write_text("{}")
    (tmp_path / "link").symlink_to("submissions")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("submissions", "release", "out", "complaint"),
    [
        ("submissions", "class", "submissions", "--out submissions"),
        ("submissions", "class", "./submissions/grades", "--out submissions/grades lies inside the submissions submis"),
        ("submissions", "class", "link/grades", "--out link/grades lies inside the submissions submissions"),
        ("submissions", "class", "class", "--out class"),
        ("submissions", "class", "class/student/x", "--out class/student/x lies inside --release class"),
        ("submissions", "class", "other", "--out other is a release"),
        ("submissions", "class", "other/x", "--out other/x lies inside a release"),
        ("submissions", "class", ".", "the submissions submissions lies inside --out ."),
        ("class", "class", "grades", "the submissions class is also --release class"),
        ("class/student", "class", "grades", "the submissions class/student lies inside --release class"),
        (".", "class", "../grades", "--release class lies inside the submissions ."),
        ("other", "class", "grades", "the submissions other is a release"),
        ("grades/students", "class", "grades", "the submissions grades/students lies inside --out grades"),
        (
            "class/teacher/submitted",
            "class",
            "class/teacher/submitted/x",
            "--out class/teacher/submitted/x lies inside",
        ),
    ],
)
def test_folders_that_overlap_are_refused(
    course: Path, submissions: str, release: str, out: str, complaint: str
) -> None:
    before = sorted(course.rglob("*"))
    with pytest.raises(InvalidInput) as caught:
        Settings(Path(submissions), Path(release), Path(out))
    said = str(caught.value)
    assert complaint in said
    assert "give three folders side by side, such as submissions/, class/ and grades/" in said and "\n" not in said
    assert sorted(course.rglob("*")) == before


@pytest.mark.parametrize(
    ("submissions", "out"),
    [
        ("submissions", "grades"),
        ("submissions", "submissions-graded"),
        ("class/teacher/submitted", "grades"),  # where nbgrader collects
        ("anna.ipynb", "grades"),
    ],
)
def test_folders_side_by_side_are_taken(course: Path, submissions: str, out: str) -> None:
    Settings(Path(submissions), Path("class"), Path(out))
