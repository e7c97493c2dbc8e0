"""release.json: what is written is what is read, and whatever is wrong with it is told in one line."""

import functools
import json
import operator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pgcourse.errors import InvalidInput
from pgcourse.grading.release import manifest
from pgcourse.grading.release.manifest import FILE, Assignment, GradedExercise, Late, ManualCell, RubricItem, read

CELL = ManualCell("experiment-01", 3, "An experiment", (RubricItem(2, "numbers"), RubricItem(1, "reason")))
EXERCISES = (GradedExercise("gae", 4), GradedExercise("own", 2.5, weight=2.0, source="teacher/exercises/91_own.py"))
RELEASE = manifest.Release(
    version="0.1.0",
    checks="ab" * 32,
    made="2026-11-22T03:00:00+00:00",
    due="2026-12-01T23:59:00+01:00",
    late=Late(0.1, 0.5, 15),
    assignments=(
        Assignment("01_reinforce", "student/01_reinforce.ipynb", EXERCISES, (CELL,), ("pgcourse.returns.normalize",)),
    ),
    libraries=("numpy", "einops"),
)


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    RELEASE.write(tmp_path)
    assert read(tmp_path) == RELEASE
    assert json.loads((tmp_path / FILE).read_text())["assignments"][0]["exercises"][0] == {"id": "gae", "points": 4}


def test_the_sum_counts_weights_and_manual_cells_and_no_due_time_stays_none(tmp_path: Path) -> None:
    assert RELEASE.max_score == 4 + 2 * 2.5 + 3
    replace(RELEASE, due=None).write(tmp_path)
    assert read(tmp_path).due_time is None
    assert manifest.parse_time("2026-12-01T23:59:00+01:00", "due") == RELEASE.due_time


@pytest.mark.parametrize(
    ("minutes", "lost"),
    [(-60, 0), (0, 0), (15, 0), (16, 0.1), (24 * 60, 0.1), (24 * 60 + 1, 0.2), (5 * 24 * 60, 0.5), (9 * 24 * 60, 0.5)],
)
def test_each_started_day_costs_until_the_most_is_reached(minutes: float, lost: float) -> None:
    assert RELEASE.late.lost(minutes) == pytest.approx(lost)


def damage(path: str, value: Any) -> dict[str, Any]:
    """The release as JSON with one value replaced; `path` is like assignments/0/name."""
    *way, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    whole: Any = json.loads(json.dumps(RELEASE.as_json()))
    functools.reduce(operator.getitem, way, whole)[last] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("format", 1, "format 1 is not 2"),
        ("due", "tomorrow", "due='tomorrow' is no time"),
        ("due", "2026-12-01T23:59:00", "has no offset from UTC"),
        ("made", None, "made=None is no time"),
        ("late/per_day", -0.1, "per_day=-0.1 is not allowed"),
        ("late/at_most", 1.5, "at_most=1.5 is not allowed"),
        ("late/grace_minutes", 0.5, "grace_minutes=0.5 is not allowed"),
        ("libraries", ["../evil"], "a library that answers may use is '../evil'"),
        ("assignments", [], "a release without assignments"),
        ("assignments/0/name", "../evil", "the name of an assignment is '../evil'"),
        ("assignments/0/notebook", "../01_reinforce.ipynb", "leaves the release folder"),
        ("assignments/0/notebook", "/etc/passwd", "leaves the release folder"),
        ("assignments/0/notebook", "C:/x.ipynb", "leaves the release folder"),
        ("assignments/0/exercises/0/id", "gae; rm", "the id of an exercise is 'gae; rm'"),
        ("assignments/0/exercises/0/points", float("nan"), "points=nan is not allowed"),
        ("assignments/0/exercises/0/points", 0, "points=0 is not allowed"),
        ("assignments/0/exercises/1/id", "gae", "two graded cells are called 'gae'"),
        ("assignments/0/exercises/1/source", "../../x.py", "leaves the release folder"),
        ("assignments/0/exercises/0", {"id": "gae"}, "is no release"),
        ("assignments/0/exercises/0", {"id": "gae", "points": 1, "extra": 1}, "is no release"),
        ("assignments/0/manual/0/points", 4, "the rubric adds up to 3, the cell has 4 points"),
        ("assignments/0/manual/0/rubric/0/text", " ", "has no text"),
        ("late", 3, "is no release"),
    ],
)
def test_a_damaged_file_is_told_in_one_line(tmp_path: Path, path: str, value: Any, says: str) -> None:
    (tmp_path / FILE).write_text(json.dumps(damage(path, value)))
    with pytest.raises(InvalidInput) as caught:
        read(tmp_path)
    assert says in str(caught.value)
    assert FILE in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "3", '{"format": 1}'])
def test_what_is_no_release_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InvalidInput, match=FILE):
        read(tmp_path)


def test_a_folder_without_a_release_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="pgcourse assignment make"):
        read(tmp_path / "nowhere")
