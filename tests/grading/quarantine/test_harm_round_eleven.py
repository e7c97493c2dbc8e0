"""Round eleven: names that no limit counts, and sleep in children before the last."""

import sys
import time
from pathlib import Path

import pytest

from pgcourse.grading.grader import grade
from pgcourse.grading.quarantine.process import Limits
from pgcourse.grading.quarantine.running import MAX_TOTAL, SPARE
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, grade_id, hand_in, make_release, notebook, solutions

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")]
NAME = "01_reinforce"
# 1,990 arrays without a number, each under another name of 300 letters of four bytes.
NAMES = """
import json, sys
frame = sys._getframe()
while not hasattr(frame.f_locals.get("self"), "encoded"):
    frame = frame.f_back
FULL = {"\\U0001d49c" * 295 + f"{n}": ["bool", [0, 1, 1, 1, 1, 1, 1, 1], ""] for n in range(1990)}
def say(self, **message):
    if message.get("event") == "case":
        message["arrays"] = FULL | {"value.kind": ["text", [], ["tensor"]]}
    data = json.dumps(message, ensure_ascii=False).encode()
    self.connection.sendall(len(data).to_bytes(4, "big") + data)
type(frame.f_locals["self"]).say = say
"""


def test_names_of_arrays_count_as_what_is_kept(tmp_path: Path) -> None:
    release = make_release(tmp_path / "release", 1)
    ids = [*solutions(release, NAME)]
    cells = {id: NAMES * (id == ids[0]) + f"\ndef {id}(*_, **__):\n    return 0\n" for id in ids}
    hand_in(tmp_path / "in", "eve", NAME, fill(notebook(release, NAME), cells))
    grade(Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED))
    written = tmp_path / "out/observations/eve" / f"{NAME}.json"
    assert written.stat().st_size < 6 * MAX_TOTAL  # in base64, or as escapes of six letters


def test_sleep_in_one_child_counts_when_another_one_runs_the_rest(tmp_path: Path) -> None:
    release, count, seconds = make_release(tmp_path / "release", 1), 40, 0.2
    cell = f"USED = [{', '.join(f'a{n}' for n in range(count))}]\ndef standardize(x):\n    return x\n"
    content = fill(notebook(release, NAME), {"standardize": cell})
    place = next(place for place, each in enumerate(content["cells"]) if grade_id(each) == "standardize")
    content["cells"][place:place] = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": f"import time\ntime.sleep(1e9)\na{n} = 1"}
        for n in range(count)
    ]
    hand_in(tmp_path / "in", "eve", NAME, content)
    started, limits = time.monotonic(), Limits(seconds=seconds)
    grade(Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED, timeout=seconds))
    allowed = limits.patience * (len(solutions(release, NAME)) + SPARE)  # what `Deadline` is given
    assert time.monotonic() - started < allowed + 3 * limits.patience + 20
