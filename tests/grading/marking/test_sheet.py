"""manual.csv and overrides.csv stay the truth: one cell changes at a time, and nothing of anybody's is lost."""

import threading
from pathlib import Path

import pytest

from pgcourse.errors import InvalidInput
from pgcourse.grading import tables
from pgcourse.grading.marking import sheet
from pgcourse.grading.marking.sheet import Change, Mark, NotAllowed
from pgcourse.grading.marks import gradebook
from tests.grading.marking.desks import LONG, RELEASE, table

CELLS = {LONG.id: LONG}  # lines of 3 and 1.5 points


@pytest.fixture
def path(tmp_path: Path) -> Path:
    gradebook.manual(tmp_path / "manual.csv", RELEASE, ["anna", "ben"])
    return tmp_path / "manual.csv"


def change(
    path: Path, student: str, item: int | None = None, points: float | None = None, comment: str | None = None
) -> Mark:
    return sheet.change_experiment(path, LONG, student, Change(item, points, comment))


def row(path: Path, student: str = "anna") -> tuple[str, str, str]:
    found = table(path)[student, LONG.id]
    return found["points"], found["items"], found["comment"]


def marks(path: Path) -> dict[str, Mark]:
    return {student: mark for (student, _), mark in sheet.experiments(path, CELLS).items()}


def test_points_count_once_every_line_has_them(path: Path) -> None:
    change(path, "anna", 0, 2.5)
    assert row(path) == ("", "2.5 ?", "")
    assert (LONG.id, "anna") not in gradebook.manual(path, RELEASE, [])
    assert change(path, "anna", 1, 1) == Mark((2.5, 1.0), 3.5)
    assert row(path) == ("3.5", "2.5 1", "")
    given = gradebook.manual(path, RELEASE, ["anna", "ben"])["anna", LONG.id]
    assert (given.points, given.items) == (3.5, (2.5, 1))
    change(path, "anna", 1, None)
    assert row(path) == ("", "2.5 ?", "")


def test_a_comment_is_kept_word_for_word(path: Path) -> None:
    for text in ('=1+1, "quoted";\n\nsecond – line', "'s", "@home", "+1", "- a\n- b", "ünïcode ✓", "a\tb"):
        change(path, "anna", comment=f" {text} \x00\x07")
        assert marks(path)["anna"].comment == text
        gradebook.manual(path, RELEASE, ["anna", "ben", text.strip("=@+'")[:3]])
        assert marks(path)["anna"].comment == text, "and the grader's own writing keeps it"
    change(path, "anna", comment="=cmd()")
    assert "\n'=cmd()" in path.read_text() or ",'=cmd()" in path.read_text(), "no spreadsheet begins to calculate"


def test_columns_and_rows_of_the_teachers_own_are_kept(path: Path) -> None:
    path.write_text("student;seen;id;points;comment\nanna;yes;report-2;;\nold;no;gone;3;kept\n")
    change(path, "anna", 0, 1)
    change(path, "new", 1, 1.5)
    columns, rows = tables.whole_table(path, gradebook.MANUAL)
    assert columns == ["student", "seen", "id", "points", "comment", "items"]
    assert rows[0] == {"student": "anna", "seen": "yes", "id": "report-2", "points": "", "comment": "", "items": "1 ?"}
    assert rows[1]["comment"] == "kept" and rows[2]["items"] == "? 1.5"


def test_the_grader_keeps_items_and_further_columns_when_it_adds_rows(path: Path) -> None:
    path.write_text("student,id,points,comment,items,who\nanna,report-2,3.5,fine,2.5 1,me\n")
    gradebook.manual(path, RELEASE, ["anna", "zoe"])
    assert table(path)["anna", LONG.id] == {
        "student": "anna", "id": LONG.id, "points": "3.5", "comment": "fine", "items": "2.5 1", "who": "me",
    }  # fmt: skip
    assert ("zoe", LONG.id) in table(path)


def test_what_is_written_by_hand_meanwhile_stays(path: Path) -> None:
    change(path, "anna", 0, 2)
    path.write_text(path.read_text().replace("ben,report-2,,,", "ben,report-2,4,from my desk,"))
    change(path, "anna", 1, 1)
    assert row(path, "ben") == ("4", "", "from my desk")
    assert marks(path)["ben"].points == 4 and "4 points in all" in marks(path)["ben"].remark


def test_points_changed_by_hand_win_over_the_lines(path: Path) -> None:
    change(path, "anna", 0, 2)
    change(path, "anna", 1, 1)
    path.write_text(path.read_text().replace("anna,report-2,3,", "anna,report-2,4,"))
    assert marks(path)["anna"].items == (None, None) and marks(path)["anna"].points == 4
    given = gradebook.manual(path, RELEASE, ["anna", "ben"])["anna", LONG.id]
    assert (given.points, given.items) == (4, ())
    change(path, "anna", 0, 3)
    assert row(path) == ("4", "3 ?", ""), "the sum given by hand stays until the lines make another"
    change(path, "anna", 1, 0)
    assert row(path) == ("3", "3 0", "")


@pytest.mark.parametrize("written", ["much", "9", "-1", "nan"])
def test_points_that_cannot_count_are_said_and_can_be_mended(path: Path, written: str) -> None:
    path.write_text(f"student,id,points,comment\nanna,report-2,{written},\n")
    assert f"'{written}' points, of 4.5: mark again" in marks(path)["anna"].remark
    change(path, "anna", 0, 3)
    change(path, "anna", 1, 0.5)
    assert gradebook.manual(path, RELEASE, ["anna"])["anna", LONG.id].points == 3.5


def test_changes_that_no_rubric_allows_are_refused(path: Path) -> None:
    before = path.read_text()
    for item, points in ((0, 3.5), (0, -1), (2, 1), (-1, 1), (0, float("nan")), (1, float("inf"))):
        with pytest.raises(NotAllowed):
            change(path, "anna", item, points)
    for arguments in ({}, {"item": 1, "comment": "both"}, {"comment": "x" * 10_001}):
        with pytest.raises(NotAllowed):
            Change(**arguments)
    assert path.read_text() == before


def test_a_file_that_is_no_table_is_never_written(path: Path) -> None:
    path.write_text("name,points\nanna,3\n")
    with pytest.raises(InvalidInput, match="no column 'student'"):
        change(path, "anna", 0, 1)
    assert path.read_text() == "name,points\nanna,3\n"


def test_changes_at_the_same_time_all_arrive_and_a_reader_never_sees_half_a_file(path: Path) -> None:
    names = [f"s{number}" for number in range(6)]
    gradebook.manual(path, RELEASE, names)
    done, broken = threading.Event(), []

    def look() -> None:
        while not done.is_set():
            try:
                if len(sheet.experiments(path, CELLS)) < 8:
                    broken.append(path.read_text())
            except InvalidInput as error:
                broken.append(str(error))

    def mark(name: str) -> None:
        for number in range(4):
            change(path, name, number % 2, 1)
        change(path, name, comment=name)

    reader = threading.Thread(target=look)
    writers = [threading.Thread(target=mark, args=(name,)) for name in names]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert broken == []
    assert {name: row(path, name) for name in names} == {name: ("2", "1 1", name) for name in names}
    assert [file.name for file in path.parent.iterdir() if file.suffix == ".tmp"] == []


def test_an_override_is_given_changed_and_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "overrides.csv"
    gradebook.overrides(path, RELEASE)
    path.write_text(path.read_text() + "ben,policy_network,1,mine\n")

    def give(**what: object) -> Mark:
        return sheet.change_override(path, "policy_network", 2, "anna", Change(**what))  # type: ignore[arg-type]

    with pytest.raises(NotAllowed, match="points first"):
        give(comment="seen")
    with pytest.raises(NotAllowed, match="at most 2"):
        give(item=0, points=3)
    give(item=0, points=1.5)
    assert give(comment="seen at the board") == Mark((1.5,), 1.5, "seen at the board")
    assert gradebook.overrides(path, RELEASE)["anna", "policy_network"] == gradebook.Given(1.5, "seen at the board")
    give(item=0, points=None)
    assert path.read_text() == "student,exercise,points,reason\nben,policy_network,1,mine\n"
