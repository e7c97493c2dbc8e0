"""Reading what students handed in, in a process with limits: what the grader gets to know, and what it never notices."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from pgcourse.grading.marking.written import written
from pgcourse.grading.quarantine import reading
from pgcourse.grading.quarantine.process import Limits
from pgcourse.grading.quarantine.reader.notebook import MAX_TEXT
from pgcourse.grading.quarantine.reading import Reading, ReadJob, read, read_all, stamp_job
from pgcourse.grading.quarantine.sandbox.wire import BadMessage
from pgcourse.grading.release.make import Settings, make
from tests.grading.classroom import fill, grade_id, notebook, solutions

NAME = "01_reinforce"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
MADE = {"release": "ab" * 4, "assignment": NAME}
LIMITS = Limits(seconds=3.0, memory=2**29)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    make(Settings(out=folder, units=(1,), version="0.1.0"))
    return folder


def job(folder: Path, content: Any, **changes: Any) -> ReadJob:
    path = folder / f"{NAME}.ipynb"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    request = {"released": [], "handed_out": [], "exercises": ["f"], "manual": [], **changes}
    return ReadJob("anna", NAME, str(path), request, LIMITS, folder / "kept.json")


def code(*sources: str) -> dict[str, Any]:
    return {"cells": [{"cell_type": "code", "source": source, "id": "", "metadata": {}} for source in sources]}


def test_what_is_for_a_person_to_mark_is_read_with_figures_and_prints(release: Path, tmp_path: Path) -> None:
    handed_in = fill(notebook(release, NAME), solutions(release, NAME))
    names = [grade_id(cell) for cell in handed_in["cells"]]
    place = names.index("experiment-01")
    handed_in["cells"][place]["source"] = "I **expected** less.\n" + "x" * 2 * MAX_TEXT
    handed_in["cells"][place - 1]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": ["baseline\n", "23.5\n"]},
        {"output_type": "display_data", "data": {"image/png": PIXEL, "text/plain": "<Figure>"}, "metadata": {}},
        {"output_type": "display_data", "data": {"image/png": "PHN2Zz4=", "image/svg+xml": "<svg>"}, "metadata": {}},
    ]
    asked = job(tmp_path, handed_in, exercises=list(solutions(release, NAME)), manual=["experiment-01"])
    (tmp_path / "anna").mkdir()
    one = read(ReadJob("anna", NAME, asked.path, asked.request, LIMITS, tmp_path / "anna" / f"{NAME}.json"))
    assert one.stamp == (handed_in["metadata"]["pgcourse"]["release"], NAME)
    assert one.calls["reinforce_update"] == ("discounted_returns", "reinforce_loss", "standardize")
    shown = written(tmp_path / "anna", NAME, "experiment-01")
    assert shown.text.startswith("I **expected** less.") and len(shown.text) <= MAX_TEXT
    (run,) = shown.cells
    assert run.figures == (PIXEL,)
    assert run.printed.startswith("baseline\n23.5")


def test_what_stands_in_cells_of_one_s_own_beside_the_answer_is_read_too(release: Path, tmp_path: Path) -> None:
    handed_in = notebook(release, NAME)
    handed_out = [[cell["id"], "".join(cell["source"])] for cell in handed_in["cells"]]
    place = [grade_id(cell) for cell in handed_in["cells"]].index("experiment-01")
    svg = {"output_type": "display_data", "data": {"image/svg+xml": "<svg>", "text/plain": "<Figure>"}, "metadata": {}}
    beside = [
        {"cell_type": "markdown", "source": "Less, I **expected**.", "metadata": {}, "id": [3]},
        {"cell_type": "code", "source": "plot()", "metadata": {}, "id": "own", "outputs": [svg]},
        {"cell_type": "markdown", "source": " ", "metadata": {}},
        {"cell_type": "raw", "source": "It was more.", "metadata": {}},
        {"cell_type": "markdown", "source": handed_out[0][1], "metadata": {}, "id": "copied"},
        {"cell_type": "markdown", "source": "Elsewhere.", "metadata": {}},
    ]
    handed_in["cells"][place + 1 : place + 1] = beside
    found = read(job(tmp_path, handed_in, manual=["experiment-01"], handed_out=handed_out))
    (answer,) = found.written
    assert answer["text"] == "Less, I **expected**.\n\nIt was more."
    assert answer["cells"][-1] == {"source": "plot()", "printed": "<Figure>", "figures": []} and answer["left_out"] == 1
    handed_in["cells"][place]["source"] = "In its place."
    (answer,) = read(job(tmp_path, handed_in, manual=["experiment-01"], handed_out=handed_out)).written
    assert answer["text"] == "In its place.\n\nLess, I **expected**.\n\nIt was more."


def test_the_same_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read(job(tmp_path, code("def f(x):\n    return x")))
    assert [cell.source for cell in first.cells] == ["def f(x):\n    return x"]
    monkeypatch.setattr(reading, "_asked", lambda *_: pytest.fail("read again"))
    assert read(job(tmp_path, code("def f(x):\n    return x"))) == first
    (tmp_path / "kept.json").write_text("{")
    with pytest.raises(pytest.fail.Exception):
        read(job(tmp_path, code("def f(x):\n    return x")))


def test_of_a_stamp_alone_no_cell_is_read_and_the_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    magics = "".join(f"a{line} = !x\n" for line in range(400))
    content = code(*[f"b = {number}\n{magics}" for number in range(500)]) | {"metadata": {"pgcourse": MADE}}
    path = Path(job(tmp_path, content).path)
    alone = stamp_job(path, tmp_path / "stamps", LIMITS)
    started = time.monotonic()
    assert read(alone).stamp == (MADE["release"], MADE["assignment"])
    assert time.monotonic() - started < 10
    monkeypatch.setattr(reading, "_asked", lambda *_: pytest.fail("read again"))
    assert [each.stamp for each in read_all([alone, alone], 1)] == [(MADE["release"], MADE["assignment"])] * 2


HOSTILE: dict[str, Any] = {
    "not JSON": b"{",
    "nothing": b" \n",
    "a list": b"[1, 2]",
    "deep": b'{"cells": ' + b"[" * 10**6,
    "a long number": b'{"cells": [' + b"9" * 10**7 + b"]}",
    "too large for its memory": b'{"cells": ["' + b'","'.join([b"xyz"] * 15_000_000) + b'"]}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_notebook_gives_a_line_for_its_student(tmp_path: Path, name: str) -> None:
    found = read(job(tmp_path, HOSTILE[name]))
    assert found.problem and not found.cells and not found.failed


STRANGE: dict[str, str] = {
    "null byte": "x = 1\0\ndef f(x): return x",
    "half a surrogate pair": "x = '\ud800'\ndef f(x): return x",
    "byte order mark": "\ufeffdef f(x): return x",
    "nested": "x = " + "(" * 5000 + ")" * 5000 + "\ndef f(x): return x",
    "minus signs": "def f(x): return " + "-" * 150_000 + "1",
    "a number": "def f(x): return 0x" + "f" * 100_000,
    "magics": "\n".join(f"a{n} = !x" for n in range(9_000)) + "\ndef f(x): return x",
    "strings in strings": 'def f(x): return f"{' * 100,
    "attributes": "def f(x): return x" + ".b" * 90_000,
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_code_is_read_or_its_student_told(tmp_path: Path, name: str) -> None:
    found = read(job(tmp_path, code(STRANGE[name], "def f(x):\n    return 2 * x")))
    assert not found.failed
    assert found.problem or found.cells[-1].source == "def f(x):\n    return 2 * x"


@pytest.mark.parametrize(
    "change",
    [{"cells": 3}, {"cells": [["a", "b", "c", -1]]}, {"cells": [[1, "b", "c", 2]]}, {"notes": [3]}, {"notes": "text"},
     {"forms": {"f": {"tokens": 1.5, "whole": "", "runs": []}}}, {"forms": {"f": None}}, {"solutions": []},
     {"written": [{"id": "a", "text": 3, "cells": []}]}, {"stamp": [None]}, {"calls": {"f": {}}}, {"look_at": None}],
)  # fmt: skip
def test_a_reading_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    whole: dict[str, Any] = {
        "cells": [["1", "f", "def f(): ...", 1]], "solutions": {"f": ["1"]}, "notes": [], "look_at": [], "calls": {"f": []},
        "forms": {"f": {"tokens": 3, "whole": "ab", "runs": [1, 2]}}, "stamp": [], "written": [],
    }  # fmt: skip
    assert Reading.of(whole).solutions == {"f": ("1",)}
    with pytest.raises(BadMessage):
        Reading.of(whole | change)
