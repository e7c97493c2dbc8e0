"""Attacks beside the marks: on the grader's time, the teacher's tables and browser, another student's name, the next child.

What still succeeds is marked, with its cause.
"""
# ruff: noqa: E501 - some attacks are long lines

import base64
import csv
import json
import os
import re
import struct
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pgcourse.checks.exercise import get
from pgcourse.checks.observe.ppo_update import _steps
from pgcourse.checks.unit_04.minibatches import judge
from pgcourse.grading.export.graded import feedback
from pgcourse.grading.grader import grade
from pgcourse.grading.marking.prose import ELEMENTS, tree
from pgcourse.grading.marking.written import written as shown
from pgcourse.grading.marks.gradebook import NotebookMarks, Row, Student
from pgcourse.grading.names import wrong_name
from pgcourse.grading.quarantine.found import Found, discover
from pgcourse.grading.quarantine.prepare import inputs
from pgcourse.grading.quarantine.reader.notebook import written
from pgcourse.grading.quarantine.submissions import find
from pgcourse.grading.roster import Person, Roster
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, make_release, notebook, solutions

linux = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
NAME, D = "01_reinforce", "discounted_returns"
FORMULA = ("=", "+", "@", "\t", "-")
RIGHT = """
import os, time
import torch
def right(rewards, gamma):
    following, out = 0 * rewards[0], torch.empty_like(rewards)
    for t in reversed(range(len(rewards))):
        following = rewards[t] + gamma * following
        out[t] = following
    return out
"""


# The grader's time and memory


def test_rows_of_one_minibatch_do_not_keep_the_judge_busy() -> None:
    """8,000 in each epoch of each input, from an honest loop, cost the class two minutes when all children are dead; 500,000 fit."""
    case = {"batch_size": 40, "minibatch_size": 7, "epochs": 3, "seed": 1}
    arrays = {"result.kind": np.array("tuple")}
    for epoch in range(3):
        arrays[f"rows {epoch}"], arrays[f"sizes {epoch}"] = np.zeros(8_000, np.int64), np.array([8_000])
    arrays |= {f"repeated {how}": np.array(False) for how in ("with the same seed", "with another seed")}
    arrays["repeated after other draws"] = np.array(False)
    started = time.process_time()
    assert not judge(case, arrays).ok
    assert time.process_time() - started < 1


def test_steps_of_nothing_take_no_memory() -> None:
    """Five million fit into a message: 1.2 GB and 17 seconds of the grader's own, several times an input."""
    done = {"policy rows": np.zeros(0, np.int64), "policy sizes": np.zeros(400_000, np.int8)}
    assert len(_steps(done, "policy")) < 100_000


def test_a_folder_of_odd_files_is_not_read_file_by_file(tmp_path: Path) -> None:
    """One that is slow to read takes 46 seconds, whatever --jobs says: a hundred of 0.7 MB an hour, before anybody is graded."""
    for number in range(100):
        hand_in(tmp_path, "eve", f"copy {number}", "{}")
    read: list[Found] = []

    def stamps(files: Sequence[Found]) -> list[tuple[str, ...]]:
        read.extend(files)
        return [()] * len(files)

    _, remarks = find(tmp_path, ["01_a", "02_b"], stamps=stamps)
    assert len(read) <= 20
    assert remarks[-1] == "eve: of 100 notebooks of other names the first 10 were looked into."


# Another student


def test_a_file_s_own_name_makes_it_nobody_else_s(tmp_path: Path) -> None:
    """Moodle, names hidden, a download without folders: Eve names her file like Moodle names one of Ada's."""
    roster = Roster((Person("ada", aliases=("Participant 555",)), Person("eve", aliases=("Participant 111",))))
    ada = f"Participant_555_assignsubmission_file_{NAME}.ipynb"
    eve = f"Participant_111_assignsubmission_file_{ada}"
    for name in (ada, eve):
        (tmp_path / name).write_text("{}")
    place = discover(tmp_path, [NAME], roster)
    assert place.files["ada", NAME].name == ada


@pytest.mark.parametrize(
    "own",
    [
        f"ada_7_8_{NAME}",
        f"ada-{NAME}",
        f"../ada/{NAME}".replace("/", "_"),
        f"Ada Lovelace_555_assignsubmission_file_{NAME}",
    ],
)
@pytest.mark.parametrize("system", ["eve_LATE_1_2_", "Eve Evil_111_assignsubmission_file_"])
def test_no_other_name_of_a_file_does_either(tmp_path: Path, system: str, own: str) -> None:
    roster = Roster(
        (Person("ada", "Ada Lovelace", canvas="7", aliases=("ada",)), Person("eve", "Eve Evil", canvas="1"))
    )
    (tmp_path / f"{system}{own}.ipynb").write_text("{}")
    assert not [key for key in discover(tmp_path, [NAME], roster).files if key[0] == "ada"]


# The teacher's tables, pages and browser


def test_no_name_is_a_formula_behind_a_semicolon() -> None:
    assert wrong_name("eve;=HYPERLINK(A1)")


@linux
@pytest.mark.slow
def test_no_cell_of_a_table_is_a_formula_however_it_is_split(tmp_path: Path) -> None:
    release = make_release(tmp_path / "class", 1)
    cell = "import torch\ndef standardize(x):\n    torch['a;=HYPERLINK(1);'].x = x\n    return x\n"
    hand_in(tmp_path / "in", "eve", NAME, fill(notebook(release, NAME), {"standardize": cell}))
    grade(Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED, timeout=1.0))
    for path in (tmp_path / "out").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file, delimiter=";") for cell in row[1:]]
        assert not [cell for cell in cells if cell.startswith(FORMULA)]


def png(width: int, height: int) -> str:
    """A black picture of one bit a pixel, in base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = zlib.compress(bytes((width + 7) // 8 + 1) * height, 9)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
    return base64.b64encode(whole).decode()


def test_figures_do_not_unfold_in_the_browser(tmp_path: Path) -> None:
    """240 pictures of 25 million pixels, 1 MB in all, are 24 GB when a browser unfolds them."""
    picture = png(5000, 5000)
    output = {"output_type": "display_data", "data": {"image/png": picture}}
    ran = {"cell_type": "code", "source": "plot()", "outputs": [output] * 12}
    named = [
        {"cell_type": "markdown", "source": "", "metadata": {"nbgrader": {"grade_id": id}}} for id in ("e-task", "e")
    ]
    content = {"cells": [named[0], *[ran] * 20, named[1]]}
    (tmp_path / f"{NAME}.json").write_text(json.dumps({"written": written(content, ["e"], [])}))
    found = shown(tmp_path, NAME, "e")
    figures = [figure for cell in found.cells for figure in cell.figures]
    assert found.remarks[0].startswith(f"Figures left out: {240 - len(figures)}.")
    sizes = [struct.unpack_from(">II", base64.b64decode(figure), 16) for figure in figures]
    assert sum(width * height for width, height in sizes) <= 300_000_000


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](http://evil/x.png)", "<http://evil>",
        "$\\href{javascript:alert(1)}{x}$", "[a]: javascript:alert(1)\n[a]", "&lt;img src=x onerror=alert(1)&gt;", "```html\n<b>\n```",
    ],
)  # fmt: skip
def test_prose_becomes_known_elements_and_text_alone(text: str) -> None:
    def elements(nodes: list[Any]) -> set[str]:
        inner = [elements(node[1:]) for node in nodes if isinstance(node, list)]
        return {str(node[0]) for node in nodes if isinstance(node, list)}.union(*inner)

    assert elements(tree(text)) <= ELEMENTS


def test_an_export_holds_no_word_of_a_student() -> None:
    row = Row("a", "not yet", 0.0, 2.0, "=1+1 <script>", "=misconception")
    part = NotebookMarks(NAME, (row,), ("=note",), ("=look",))
    assert feedback(Student("=eve", (part,), note="=note"), part) == "a: 0 of 2, not yet"


# The next child


@linux
@pytest.mark.slow
def test_a_later_child_tells_nothing(tmp_path: Path) -> None:
    """The first child sleeps for as long as a hidden number says, and ends; the cell of the next one says what time it is."""
    release = make_release(tmp_path / "class", 1)
    cell = f"{RIGHT}def {D}(rewards, *, gamma):\n    if rewards.numel() < 7:\n        return right(rewards, gamma)\n"
    cell += "    time.sleep(2.5)\n    os._exit(0)\nraise ValueError(f'at {time.time():.3f}')\n"
    hand_in(tmp_path / "in", "eve", NAME, fill(notebook(release, NAME), {D: cell}))
    grade(Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED, timeout=1.0))
    ended = (tmp_path / "out" / "observations" / "eve" / f"{NAME}.json").stat().st_mtime
    page = (tmp_path / "out" / "students" / "eve.json").read_text()
    assert not [told for told in re.findall(r"at (\d+\.\d+)", page) if float(told) > ended - 2.4]


PLACES = """
import os
def places(count):
    found = []
    for root, folders, files in os.walk("/usr/share"):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(root, name)
            if not os.path.islink(path) and 4096 < os.path.getsize(path) < 10**5:
                found.append(os.open(path, os.O_RDONLY))
            if len(found) == count:
                return found
    return found
def tell(number):
    for place, file in enumerate(places(17)):
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        if place == 16 or number >> place & 1:
            os.pread(file, 1, 0)
        os.close(file)
def hear():
    number = 0
    for place, file in enumerate(places(17)):
        try:
            number += len(bytes(os.preadv(file, [bytearray(1)], 0, os.RWF_NOWAIT))) << place
        except OSError:
            pass
        os.close(file)
    return number
"""


def shown_by_the_cache() -> bool:
    """Whether this system tells what of a file is in memory."""
    file = os.open(sys.executable, os.O_RDONLY)
    try:
        os.pread(file, 1, 0)
        return os.preadv(file, [bytearray(1)], 0, os.RWF_NOWAIT) == 1
    except OSError:
        return False
    finally:
        os.close(file)


@linux
@pytest.mark.slow
def test_no_child_hears_of_another_s_inputs(tmp_path: Path) -> None:
    """Two students: the first one's child loads some files of the system into memory; the second one's looks which."""
    if not shown_by_the_cache():
        pytest.skip("this system does not say what is in memory")
    release = make_release(tmp_path / "class", 1)
    first = f"{RIGHT}{PLACES}def {D}(rewards, *, gamma):\n    if rewards.numel() >= 7:\n"
    first += "        tell(int(abs(float(rewards.flatten()[0])) * 10**4) % 2**16)\n        time.sleep(9)\n    return right(rewards, gamma)\n"
    second = f"{PLACES}number = hear()\nraise ValueError(f'heard {{number % 2**16}} {{number >> 16}}')\ndef {D}():\n    pass\n"
    for student, cell in (("adam", first), ("eve", second)):
        hand_in(tmp_path / "in", student, NAME, fill(notebook(release, NAME), {D: cell}))
    grade(Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED, timeout=1.0, jobs=1))
    drawn = inputs(get(D), SEED)
    hidden = {int(abs(float(case["rewards"].flatten()[0])) * 10**4) % 2**16 for case in drawn.cases[drawn.visible :]}
    heard = re.findall(r"heard (\d+) 1", (tmp_path / "out" / "students" / "eve.json").read_text())
    assert not {int(number) for number in heard} & hidden


# Odd notebooks


@linux
@pytest.mark.slow
def test_odd_notebooks_earn_what_is_in_them(tmp_path: Path) -> None:
    release = make_release(tmp_path / "class", 1)
    handed_out, solved = notebook(release, NAME), solutions(release, NAME)
    good = solved["standardize"]
    stub = next(
        c["source"] for c in handed_out["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == "standardize"
    )
    one = fill(handed_out, {"standardize": good})

    def cell(source: Any, grade_id: str = "", id: str = "x", **further: Any) -> dict[str, Any]:
        metadata = {"nbgrader": {"grade_id": grade_id}} if grade_id else {}
        return {"cell_type": "code", "id": id, "metadata": metadata, "outputs": [], "source": source, **further}

    def changed(*cells: dict[str, Any], **further: Any) -> dict[str, Any]:
        return {**handed_out, "cells": [*handed_out["cells"], *cells], **further}

    odd: dict[str, tuple[Any, float]] = {  # name -> (notebook, points)
        "duplicate ids": ({**one, "cells": one["cells"] * 2}, 1.0),
        "backwards": ({**one, "cells": one["cells"][::-1]}, 1.0),
        "in a check's cell": (changed(cell(good, "check-standardize")), 0.0),
        "under another's name": (changed(cell(good, "reinforce_loss")), 1.0),
        "right, then as handed out": (changed(cell(good), cell(stub)), 1.0),
        "as handed out, then right": (changed(cell(stub), cell(good)), 1.0),
        "list of letters": (changed(cell([*good])), 1.0),
        "list of anything": (changed(cell([good, 3])), 0.0),
        "a list as grade_id": (changed(cell(good) | {"metadata": {"nbgrader": {"grade_id": ["standardize"]}}}), 1.0),
        "markdown": (changed(cell(good) | {"cell_type": "markdown"}), 0.0),
        "another stamp": ({**one, "metadata": {"pgcourse": {"release": "x", "assignment": "04_ppo"}}}, 1.0),
        "format of letters": ({**one, "nbformat": "<script>"}, 1.0),
        "a cell called released": (
            changed(cell("raise SystemExit", id="released-1"), cell(good, id="released-2")),
            1.0,
        ),
        "a magic in front": (changed(cell("%%time\n" + good)), 1.0),
        "a magic of the shell": (changed(cell("%%bash\n" + good)), 0.0),
        "carriage returns": (changed(cell(good.replace("\n", "\r\n"))), 1.0),
        "full width": (changed(cell(good.replace("def standardize", "def \uff53tandardize"))), 1.0),
        "worksheets": ({"worksheets": [{"cells": one["cells"]}], "nbformat": 3}, 0.0),
        "infinite": (json.dumps(one)[:-1] + ', "x": Infinity}', 1.0),
        "two lists of cells": (json.dumps(one)[:-1] + ', "cells": []}', 0.0),
        "byte order": ("\ufeff" + json.dumps(one), 1.0),
        "utf-16": (json.dumps(one).encode("utf-16"), 1.0),
        "a null at the end": (json.dumps(one) + "\0", 0.0),
        "<img src=x onerror=alert(1)>": (one, 1.0),
        "$(touch x)": (one, 1.0),
        "%2e%2e": (one, 1.0),
        "students": (one, 1.0),
        "class.csv": (one, 1.0),
        "CON": (one, 1.0),
    }
    for name, (content, _) in odd.items():
        hand_in(tmp_path / "in", name, NAME, content)
    result = grade(Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED, timeout=1.0, jobs=2))
    assert {student.name: student.score for student in result.students} == {
        name: most for name, (_, most) in odd.items()
    }
    for page in (tmp_path / "out" / "students").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<script" not in text and "<img" not in text
