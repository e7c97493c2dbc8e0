"""The list of a class: names and aliases are one student's, and every mistake in it is one line."""

from pathlib import Path

import pytest

from pgcourse.errors import InvalidInput
from pgcourse.grading.roster import read_roster


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_name_or_an_alias_leads_to_the_student_exactly_but_for_case_and_form(tmp_path: Path) -> None:
    roster = read_roster(write(tmp_path, "student,aliases\nZoë,z.k; Müller | ZK2\nanna,\n"))
    for name in ("Zoë", "zoe\u0308", "ZOË", "Z.K", "mu\u0308ller", "zk2"):
        assert roster.called(name) == "Zoë", name
    for name in ("zoe", "Zoë ", "z k", "ann", "anna b", ""):
        assert roster.called(name) == "", name
    assert list(roster.by_student) == ["Zoë", "anna"]


def test_a_table_with_semicolons_is_read_too(tmp_path: Path) -> None:
    roster = read_roster(write(tmp_path, "student;email;aliases\nanna;a@x.org;a|b\n"))
    assert (roster.by_student["anna"].email, roster.called("b")) == ("a@x.org", "anna")


def test_headings_are_found_in_any_case(tmp_path: Path) -> None:
    roster = read_roster(write(tmp_path, "Student;E-Mail;EMAIL;Aliases \nanna;x;a@x.org;b\n"))
    assert (roster.by_student["anna"].email, roster.called("b")) == ("a@x.org", "anna")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name\nanna\n", "no column 'student'"),
        ("student\n", "lists nobody"),
        ("student,name\n,Anna\n", "line 2: no student"),
        ("student\n=anna\n", "line 2: '=anna' begins with '='"),
        ("student\n../anna\n", "line 2: '../anna' holds a character that no file's name may have"),
        ("student\nanna\nanna\n", "line 3: 'anna' is there twice"),
        ("student\nanna\nAnna\n", "line 3: 'Anna' is the name or alias of both anna and Anna"),
        ("student,aliases\nanna,ab\nben,x|AB\n", "line 3: 'AB' is the name or alias of both anna and ben"),
        ("student,aliases\nanna,ben\nben,\n", "line 3: 'ben' is the name or alias of both anna and ben"),
        ("student,email\nanna,a@x.org\nben,A@x.org\n", "line 3: 'A@x.org' is the email of both anna and ben"),
        ("student,canvas\nanna,7\nben,7\n", "line 3: '7' is the canvas of both anna and ben"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_roster(write(tmp_path, text))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
