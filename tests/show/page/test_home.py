"""The page that the lab opens says how far the learner is, and where to go on."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest

from pgcourse.checks import progress
from pgcourse.checks.catalogue import EXERCISES, UNITS
from pgcourse.show.page.home import home, units, where_to_go_on, write_home
from pgcourse.workfolder import HOME, open_folder
from pgcourse.workfolder.trust import is_trusted


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    return open_folder(tmp_path / "work", "1").folder


def without_film(shown: list[Any]) -> str:
    return re.sub('base64,[^"]+', "", shown[0]["text/html"])


def solve(unit: str) -> None:
    for exercise in EXERCISES:
        if exercise.unit == unit:
            progress.record_check(exercise.id, "correct")


def test_the_readme_names_the_units_as_the_page_does(repository: Path) -> None:
    rows = re.findall(r"^\| (\d\d) (.+?) \| (.+?) \|", (repository / "README.md").read_text(), flags=re.MULTILINE)
    assert rows == [(number, unit.title, unit.goal) for number, unit in UNITS.items()]


def test_each_unit_has_its_files_its_bar_and_its_state_in_words(folder: Path, shown: list[Any]) -> None:
    progress.record_check("bandit_step", "correct")
    home(folder)
    page = without_film(shown)
    for state in units(folder):
        assert (
            state.lesson and state.notebook and (folder / state.lesson).exists() and (folder / state.notebook).exists()
        )
        assert f'href="{state.lesson}"' in page and f'href="{state.notebook}"' in page
    assert "1 of 3 exercises solved, about 27 min left" in page
    assert '<progress value="1" max="3" aria-label="exercises solved in unit 00"></progress>' in page
    assert "00 Welcome: acting and scoring: 1 of 3 exercises solved, about 27 min left" in shown[0]["text/plain"]


def test_the_page_is_well_formed_and_its_picture_has_words(folder: Path, shown: list[Any]) -> None:
    solve("00")
    home(folder)
    page = without_film(shown)
    stack: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "img":
                assert dict(attrs)["alt"]
            else:
                stack.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert stack.pop() == tag

    Parser().feed(page)
    assert stack == []
    assert "✓ solved" in page
    names = {name for names in re.findall(r'class="?([^">]+)', page) for name in names.split()}
    assert names and all(name.startswith("pg-") for name in names)


def test_a_newcomer_starts_with_the_first_lesson_and_goes_on_where_the_work_was_last(folder: Path) -> None:
    assert where_to_go_on(folder) == ("notebooks/00_welcome.ipynb", "00 Welcome: acting and scoring: the lesson")
    progress.record_check("bandit_step", "not yet")
    assert where_to_go_on(folder)[0] == "exercises/00_welcome.ipynb"
    lesson = folder / "notebooks/03_a2c_gae.ipynb"
    lesson.write_text(lesson.read_text() + "\n")
    os.utime(lesson, (4e9, 4e9))
    assert where_to_go_on(folder) == ("notebooks/03_a2c_gae.ipynb", "03 Actor-critic, A2C and GAE: the lesson")


def test_after_the_last_exercise_of_a_unit_comes_the_next_lesson(folder: Path) -> None:
    solve("00")
    assert where_to_go_on(folder) == ("notebooks/01_reinforce.ipynb", "01 REINFORCE: the lesson")


def test_the_page_is_made_anew_and_what_the_learner_wrote_below_it_stays(folder: Path) -> None:
    write_home(folder)
    first = nbformat.read(folder / HOME, as_version=4)
    assert [cell.metadata["jupyter"]["source_hidden"] for cell in first.cells] == [True]
    assert is_trusted(first) and "0 of 3 exercises solved" in first.cells[0].outputs[0].data["text/html"]
    first.cells.append(nbformat.v4.new_code_cell("mine()", id="mine"))
    nbformat.write(first, folder / HOME)
    solve("00")
    write_home(folder)
    second = nbformat.read(folder / HOME, as_version=4)
    assert "3 of 3 exercises solved" in second.cells[0].outputs[0].data["text/html"]
    assert [cell.source for cell in second.cells[1:]] == ["mine()"]
    assert not is_trusted(second), "what the learner did not trust is not trusted for being beside the page"


def test_a_damaged_page_is_made_anew(folder: Path) -> None:
    (folder / HOME).write_text("{")
    write_home(folder)
    assert len(nbformat.read(folder / HOME, as_version=4).cells) == 1
