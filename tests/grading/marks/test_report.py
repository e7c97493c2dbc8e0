"""The feedback page: in the course's colours, whole in itself, without scripts, and whatever anybody wrote is text."""

import re
from dataclasses import replace
from pathlib import Path

from pgcourse.checks.card import stylesheet
from pgcourse.grading import tables
from pgcourse.grading.marks import report
from pgcourse.grading.marks.gradebook import Given, Student, Tables, student
from pgcourse.grading.marks.judge import Judged, Judgement
from pgcourse.grading.marks.look import look
from tests.grading.release.test_manifest import CELL, RELEASE

STATISTICS = ("exercise", "students", "withheld", "open", "mean points")
HOSTILE = "</style><script>alert(1)</script><img src=x onerror=alert(1)>"


def a_student(name: str = "anna", given: Given | None = None) -> Student:
    judgements = {
        "gae": Judgement("not yet", 0.5, f"✗ gae: not yet\n{HOSTILE}"),
        "own": Judgement("withheld", 0.0, "own: withheld"),
    }
    manual = {(name, CELL.id): given} if given else {}
    tables = Tables({(name, "own"): Given(3, HOSTILE)}, manual, {name: 0.1})
    return student(name, RELEASE, {"01_reinforce": Judged(judgements, (HOSTILE,))}, tables)


def test_the_full_name_of_the_roster_stands_before_the_name_in_the_tables() -> None:
    page = report.page(replace(a_student(), full_name="Anna <i>Berg</i>"))
    assert "<title>Anna &lt;i&gt;Berg&lt;/i&gt; (anna)</title>" in page
    assert "<h1>Anna &lt;i&gt;Berg&lt;/i&gt; (anna): " in page
    for name in ("", "anna"):
        assert "<title>anna</title>" in report.page(replace(a_student(), full_name=name))


def rows(page: str) -> list[list[str]]:
    """The cells of every table, as text."""
    found = re.findall(r"<tr>(.*?)</tr>", page)
    return [
        [re.sub("<.*?>", "", cell).strip() for cell in re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row)] for row in found
    ]


def test_each_line_of_the_rubric_shows_its_points_and_the_comment_stands_below() -> None:
    page = report.page(a_student(given=Given(2.5, "well <i>seen</i>", (1.5, 1))))
    assert ["numbers", "1.5 of 2"] in rows(page) and ["reason", "1 of 1"] in rows(page)
    assert "well &lt;i&gt;seen&lt;/i&gt;" in page
    assert [CELL.id, "✎ marked by hand", "2.5 of 3"] in rows(page)


def test_points_without_lines_and_no_points_show_the_rubric_alone() -> None:
    for given in (Given(2.5, ""), None):
        page = report.page(a_student(given=given))
        assert ["numbers", "of 2"] in rows(page)
        assert ("Not marked yet." in page) == (given is None)


def test_what_was_not_handed_in_is_not_called_not_marked_yet() -> None:
    untouched = {id: Judgement("not attempted", 0.0, "") for id in ("gae", "own")}
    nothing = student("anna", RELEASE, {"01_reinforce": Judged(untouched)}, Tables({}, {}, {}), ["01_reinforce"])
    page = report.page(nothing)
    assert [CELL.id, "○ not attempted", "0 of 3"] in rows(page)
    assert "Not marked yet." not in page


def test_the_students_file_holds_the_lines_too() -> None:
    row = a_student(given=Given(2.5, "", (1.5, 1))).as_json()["exercises"][CELL.id]
    assert [(line["text"], line["points"], line["max_points"]) for line in row["rubric"]] == [
        ("numbers", 1.5, 2), ("reason", 1, 1),
    ]  # fmt: skip


def test_work_that_waits_for_a_person_is_counted_and_is_in_no_mean(tmp_path: Path) -> None:
    marked, waiting = a_student("anna", Given(2.5, "")), a_student("ben")
    report.write_class(tmp_path, [marked, waiting, replace(waiting, name="carl")], None)
    counts = {row["exercise"]: row for row in tables.rows(tmp_path / "statistics.csv", STATISTICS)}
    assert [list(counts[id].values()) for id in ("gae", "own", CELL.id)] == [
        ["gae", "3", "0", "0", "2.0"],
        ["own", "3", "3", "0", "3.0"],  # withheld, and a person has decided
        [CELL.id, "3", "0", "2", "2.5"],
    ]
    open_in_class = [row["open"] for row in tables.rows(tmp_path / "class.csv", ("open",))]
    assert " ".join(open_in_class).split() == [CELL.id] * 2


def test_nothing_runs_and_nothing_is_asked_for() -> None:
    page = report.page(a_student(HOSTILE, Given(2.5, HOSTILE)))
    assert """content="default-src 'none'; style-src 'unsafe-inline'">""" in page
    assert "<script" not in page and "<img" not in page and page.count("</style>") == 1
    assert not re.search(r"url\(|@import|https?:|<[^>]* src=|<link", page)


def test_colours_are_the_courses_in_both_themes_and_paper_is_white() -> None:
    page = report.page(a_student())
    used = set(re.findall(r"var\((--pg-[\w-]+)", page))
    light, dark = look().split("@media screen and (prefers-color-scheme:dark)")
    for name in used - {"--pg-measure", "--pg-wide", "--pg-sans", "--pg-mono"}:
        colours = re.findall(rf"{name}: ?(#\w+)", stylesheet())
        assert f"{name}: {colours[0]}" in light and f"{name}: {colours[1]}" in dark
    assert not re.search(r"#[0-9a-f]{3,6}\b", page.replace(look(), "")), "no colours of its own"
