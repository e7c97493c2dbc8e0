"""What a student handed in is read with care: missing, broken and hostile files cost a line, never the page."""

import json
from pathlib import Path
from typing import Any

import pytest

from pgcourse.grading.marking import written as module
from pgcourse.grading.marking.written import code, written
from tests.grading.marking.desks import ANSWER, CODE, PRINTED, answer, in_base64, png

ID = "experiment-01"


def read(folder: Path, data: Any) -> module.Written:
    (folder / "01_reinforce.json").write_text(data if isinstance(data, str) else json.dumps(data))
    return written(folder, "01_reinforce", ID)


def test_text_code_print_and_figures_are_read(tmp_path: Path) -> None:
    found = read(tmp_path, {"other": 1, "written": [answer("another"), answer(ID)]})
    assert (found.text, found.remarks) == (ANSWER, ())
    (cell,) = found.cells
    assert (cell.source, cell.printed, cell.figures) == (CODE, PRINTED, (in_base64(png(320, 200)),))


@pytest.mark.parametrize(
    ("data", "remark"),
    [
        ("{", "cannot be read (JSONDecodeError): grade the class again"), ("[]", "is damaged"), ("[" * 100_000, "cannot be read"),
        ({}, "holds no answers"), ({"written": {}}, "holds no answers"), ({"written": [3]}, "no such cell"),
        ({"written": [{"id": ID, "text": 3}]}, "The answer is no text"),
        ({"written": [{"id": ID, "text": "x" * 50_001}]}, "cut after 50,000 characters"),
        ({"written": [{"id": ID, "text": "x", "cells": 3}]}, "cells of the run are damaged"),
        ({"written": [{"id": ID, "text": "x", "cells": [{}] * 51}]}, "Of 51 cells the first 50"),
        ({"written": [{"id": ID, "cells": [{"figures": [in_base64(png())] * 31}]}]}, "Figures left out: 1."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, data: Any, remark: str) -> None:
    assert [remark in each for each in read(tmp_path, data).remarks] == [True]


def test_a_missing_reading_a_link_and_a_huge_one_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "There is no reading of 01_reinforce" in written(tmp_path, "01_reinforce", ID).remarks[0]
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"written": [answer(ID)]}))
    (tmp_path / "01_reinforce.json").symlink_to(secret)
    assert written(tmp_path, "01_reinforce", ID).text == ""
    (tmp_path / "01_reinforce.json").unlink()
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    assert "is larger than" in read(tmp_path, {"written": []}).remarks[0]


@pytest.mark.parametrize("figure", ["<svg onload=alert(1)>", in_base64(b"<svg onload=alert(1)>"), "!", 3, None, "ü"])
def test_a_figure_that_is_no_png_is_left_out(tmp_path: Path, figure: Any) -> None:
    cells = [{"figures": [figure, in_base64(png())]}]
    found = read(tmp_path, {"written": [{"id": ID, "cells": cells}]})
    assert found.cells[0].figures == (in_base64(png()),)
    assert found.remarks == (
        "Figures left out: 1. Shown are PNG, at most 30 of an answer, of 60 million pixels together.",
    )


def test_half_a_letter_does_not_stop_the_page(tmp_path: Path) -> None:
    assert read(tmp_path, '{"written": [{"id": "experiment-01", "text": "a\\ud800b"}]}').text == "a?b"


def test_the_code_of_an_exercise_is_read_where_it_is(tmp_path: Path) -> None:
    assert code(tmp_path, "01_reinforce", "gae") == ""
    (tmp_path / "01_reinforce.json").write_text(
        json.dumps({"solutions": {"gae": ["7"]}, "cells": [{"id": "7", "source": "def gae(): ..."}]})
    )
    assert code(tmp_path, "01_reinforce", "gae") == "def gae(): ..."
