"""What was marked by hand and has changed since is said, until it is marked again or the teacher lets it be."""

from pathlib import Path

import pytest

from pgcourse.grading.marks.gradebook import ANSWER, MANUAL
from pgcourse.grading.marks.marked_answers import changed
from pgcourse.grading.quarantine.reading import fingerprint
from pgcourse.grading.tables import rows, write_rows

ONE, TWO = ("anna", "report"), ("ben", "report")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_rows(tmp_path / "manual.csv", MANUAL, [[*ONE, "2", "well"], [*TWO, "", ""], ["carl", "report", "1", ""]])
    return tmp_path / "manual.csv"


def test_a_mark_gets_the_fingerprint_of_today_and_another_answer_is_said_each_time(path: Path) -> None:
    assert changed(path, {ONE: "aaaaaaaa", TWO: "bbbbbbbb"}) == []
    (anna, ben, carl) = rows(path, (*MANUAL, ANSWER))
    assert anna[ANSWER] == "aaaaaaaa" and anna["points"] == "2" and anna["comment"] == "well"
    assert ben[ANSWER] == "", "it has no mark"
    assert carl[ANSWER] == "", "nothing of theirs was handed in"
    before = path.read_text()
    for _ in range(2):
        (said,) = changed(path, {ONE: "cccccccc", TWO: "dddddddd"})
        assert said.startswith(
            "Handed in anew since it was marked by hand: report of anna. Look again with pgcourse mark"
        )
        assert path.read_text() == before, "the mark stays"
    assert changed(path, {ONE: "aaaaaaaa"}) == []


def test_an_emptied_fingerprint_lets_the_mark_be(path: Path) -> None:
    changed(path, {ONE: "aaaaaaaa"})
    path.write_text(path.read_text().replace("aaaaaaaa", ""))
    assert changed(path, {ONE: "cccccccc"}) == []
    assert changed(path, {ONE: "cccccccc"}) == []


def test_headings_in_another_case_are_found(path: Path) -> None:
    path.write_text("Student,ID,Points,Comment,Answer\nanna,report,2,well,aaaaaaaa\n")
    assert changed(path, {ONE: "aaaaaaaa"}) == []
    assert len(changed(path, {ONE: "cccccccc"})) == 1


def test_without_a_table_or_marks_nothing_is_said_or_written(tmp_path: Path) -> None:
    assert changed(tmp_path / "manual.csv", {ONE: "aaaaaaaa"}) == [] and not (tmp_path / "manual.csv").exists()


def test_text_and_code_count() -> None:
    told = fingerprint("Less.\n", ["plot()"])
    assert told == fingerprint("Less.", ["plot()"])
    assert len({told, fingerprint("More.", ["plot()"]), fingerprint("Less.", ["draw()"])}) == 3
    assert told.isalpha() and len(told) == 8, "no spreadsheet takes it for a number"
