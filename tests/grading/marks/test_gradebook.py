"""The tables that a teacher writes beside the grades."""

import csv
import random
from dataclasses import replace
from pathlib import Path

import pytest

from pgcourse.errors import InvalidInput
from pgcourse.grading import tables
from pgcourse.grading.marks import gradebook
from pgcourse.grading.release.manifest import Late
from tests.grading.release.test_manifest import RELEASE


def test_a_table_that_lacks_a_column_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "times.csv"
    table.write_text("name;when\nanna;now\n")
    with pytest.raises(
        InvalidInput, match="no column 'student'; its first line holds 'name', 'when', and must hold student,handed_in"
    ):
        tables.rows(table, gradebook.TIMES)
    table.write_text("student;handed_in\nanna;2026-12-01T12:00:00+00:00\n")
    assert tables.rows(table, gradebook.TIMES) == [{"student": "anna", "handed_in": "2026-12-01T12:00:00+00:00"}]


def test_no_cell_of_a_table_is_a_formula(tmp_path: Path) -> None:
    tables.write_rows(tmp_path / "t.csv", ["what"], [["=1+1"], ["@x"], ["fine"]])
    assert (tmp_path / "t.csv").read_text() == "what\n'=1+1\n'@x\nfine\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_part_of_a_cell_is_a_formula_however_it_is_cut_and_the_text_is_read_back(
    tmp_path: Path, delimiter: str
) -> None:
    source = random.Random(0)
    texts = ["".join(source.choices(";\t\n \"'=+-@x1,", k=source.randint(1, 9))).strip() for _ in range(3000)]
    path = tmp_path / "t.csv"
    tables.write_rows(path, ["student", "what"], [["anna", text] for text in texts])
    assert [row["what"] for row in tables.rows(path, ["what"])] == texts
    with path.open(encoding="utf-8", newline="") as file:
        cells = [cell.strip(" ") for row in csv.reader(file, delimiter=delimiter) for cell in row]
    assert {cell for cell in cells if cell.startswith(("=", "+", "@", "-"))} <= {"-1", "-11"}


def test_a_number_below_zero_stays_one(tmp_path: Path) -> None:
    tables.write_rows(tmp_path / "t.csv", ["points"], [["-0.5"], [-2], ["-2+3"]])
    assert (tmp_path / "t.csv").read_text() == "points\n-0.5\n-2\n'-2+3\n"


def test_marks_for_a_cell_that_is_not_in_the_release_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "manual.csv"
    assert gradebook.manual(path, RELEASE, ["anna"]) == {}
    path.write_text(path.read_text() + "anna,experiment-1,2,good\n")
    with pytest.raises(InvalidInput, match="called 'experiment-1' in this release; it has experiment-01"):
        gradebook.manual(path, RELEASE, ["anna"])


def test_who_has_no_time_of_handing_in_is_said(tmp_path: Path) -> None:
    path = tmp_path / "times.csv"
    path.write_text("student,handed_in\nann,2026-12-02T13:00:00+00:00\nben,2026-12-02T13:00:00+00:00\n")
    shares, remarks = gradebook.late_shares(path, RELEASE, ["anna", "ben"])
    assert shares == pytest.approx({"ann": 0.1, "ben": 0.1})
    assert remarks == [
        "times.csv has no time of 'anna': counted as in time.",
        "times.csv has a time of 'ann', who is nobody of the class.",
    ]
    assert gradebook.late_shares(path, RELEASE, ["ben"], ["ann"])[1] == [], "ann has handed in nothing"


def test_a_due_time_without_times_is_said_where_lateness_costs(tmp_path: Path) -> None:
    said = ["The release has a due time; without --times FILE nothing counts as late."]
    assert gradebook.late_shares(None, RELEASE, ["anna"]) == ({}, said)
    assert gradebook.late_shares(None, replace(RELEASE, late=Late()), ["anna"]) == ({}, [])
    assert gradebook.late_shares(None, replace(RELEASE, due=None), ["anna"]) == ({}, [])


def test_an_override_that_cannot_count_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "overrides.csv"
    for row, complaint in (
        ("gea,1", "no exercise of this release is called 'gea'"),
        ("gae,7", "7 points for gae of 'ben'; it has at most 4"),
        ("gae,much", "'much' is no number of points for gae of 'ben'"),
    ):
        path.write_text(f"student,exercise,points,reason\nben,{row},\n")
        with pytest.raises(InvalidInput, match=complaint):
            gradebook.overrides(path, RELEASE)
