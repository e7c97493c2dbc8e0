"""What a round of attacks on everything around the judging found: the marking page, files of other names, attempts, ends."""

import copy
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from pgcourse.grading import grader
from pgcourse.grading.grader import grade
from pgcourse.grading.marking.desk import Desk
from pgcourse.grading.marking.prose import tree
from pgcourse.grading.marking.server import HEADER, MarkingServer
from pgcourse.grading.quarantine.found import Found, Place
from pgcourse.grading.quarantine.reader.notebook import written
from pgcourse.grading.release.make import Settings as ReleaseSettings
from pgcourse.grading.release.make import make
from pgcourse.grading.settings import Settings
from pgcourse.grading.tables import locked
from tests.grading.classroom import SEED, fill, grade_id, hand_in, make_release, notebook, solutions
from tests.grading.marking.desks import SECRET, desk, id_of

NAME, EXPERIMENT = "01_reinforce", "experiment-01"
NESTED = "*" * 2000 + "a" + "*" * 2000  # a thousand times bold in bold


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class") / "release"
    make(ReleaseSettings(out=folder, units=(1,), version="0.1.0"))
    return folder


def place_of(cells: list[dict[str, Any]], id: str) -> int:
    return [grade_id(cell) for cell in cells].index(id)


def cell(kind: str, source: str, **further: Any) -> dict[str, Any]:
    return {"cell_type": kind, "id": "mine", "metadata": {}, "source": source, **further}


def shown(handed_in: dict[str, Any], release: Path) -> dict[str, Any]:
    """What the marker sees of the experiment."""
    before = [[str(cell.get("id")), "".join(cell["source"])] for cell in notebook(release, NAME)["cells"]]
    (found,) = written(handed_in, [EXPERIMENT], before)
    return found


# 1. One answer ends the marking page.


def test_emphasis_in_emphasis_is_shown_as_written() -> None:
    assert tree(NESTED) == [["pre", NESTED]]
    json.dumps(tree(NESTED))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_no_answer_leaves_the_marking_page_without_a_reply(tmp_path: Path) -> None:
    found = desk(tmp_path, {"anna": "fine", "ben": NESTED})
    server = MarkingServer(found, SECRET)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        for name in ("anna", "ben"):
            connection = HTTPConnection("127.0.0.1", server.server_port, timeout=10)
            path = f"/{SECRET}/api/work?student={id_of(found, name)}&task={EXPERIMENT}"
            connection.request("GET", path, headers={HEADER: "1"})
            assert connection.getresponse().status == 200, name
            connection.close()
    finally:
        server.shutdown()
        server.server_close()


# 2. In a release of one notebook, any other notebook that comes first takes the place of the right one.


def stamps(made: dict[str, tuple[str, ...]]) -> Any:
    return lambda files: [made.get(found.path.name, ()) for found in files]


@pytest.mark.parametrize("first", [(), ("2026", "00_warmup")])
def test_a_notebook_with_the_right_stamp_goes_before_one_without(first: tuple[str, ...], tmp_path: Path) -> None:
    place = Place(tmp_path)
    for name in ("00_warmup.ipynb", f"{NAME} (1).ipynb"):
        place.add(Found("anna", "", tmp_path / "anna" / name))
    place.take_unnamed([NAME], stamps({"00_warmup.ipynb": first, f"{NAME} (1).ipynb": ("2027", NAME)}))
    assert place.files["anna", NAME].name == f"{NAME} (1).ipynb", place.remarks


def test_a_notebook_of_another_release_is_not_taken_for_the_one_that_is_missing(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.add(Found("anna", "", tmp_path / "anna" / "00_warmup.ipynb"))
    place.take_unnamed([NAME], stamps({"00_warmup.ipynb": ("2026", "00_warmup")}))
    assert not place.files, place.remarks


# 3. A mark by hand outlives the text that it was given for, and nobody is told.


def test_an_answer_that_has_changed_since_it_was_marked_is_named(release: Path, tmp_path: Path) -> None:
    handed_out, solved = notebook(release, NAME), solutions(release, NAME)
    settings = Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED, timeout=3.0)
    hand_in(settings.submissions, "anna", NAME, fill(handed_out, solved | {EXPERIMENT: "A long and good answer."}))
    hand_in(settings.submissions, "ben", NAME, fill(handed_out, solved | {EXPERIMENT: "Another one."}))
    grade(settings)
    manual = settings.out / "manual.csv"
    text = manual.read_text()
    for name in ("anna", "ben"):
        text = text.replace(f"{name},{EXPERIMENT},,", f"{name},{EXPERIMENT},4,very good")
    manual.write_text(text)
    grade(settings)
    hand_in(settings.submissions, "anna", NAME, fill(handed_out, solved))  # now the experiment is not even begun
    again = grade(settings)
    said = [remark for remark in again.remarks if "anna" in remark and EXPERIMENT in remark]
    assert said, "4 of 4 points for a text that is gone, and neither a remark nor an open mark"
    assert not [remark for remark in again.remarks if "ben" in remark and EXPERIMENT in remark]


# 4. An answer beside the cell that was meant for it is "Nothing was written."


@pytest.mark.parametrize("behind", [0, 1])
def test_an_answer_in_a_cell_of_its_own_is_shown(behind: int, release: Path) -> None:
    handed_in = copy.deepcopy(notebook(release, NAME))
    at = place_of(handed_in["cells"], EXPERIMENT) + behind
    handed_in["cells"].insert(at, cell("markdown", "**Prediction.** Slow learning."))
    found = shown(handed_in, release)
    assert "Slow learning" in found["text"]


def test_what_ran_behind_the_answer_is_shown(release: Path) -> None:
    handed_in = copy.deepcopy(notebook(release, NAME))
    at = place_of(handed_in["cells"], EXPERIMENT) + 1
    printed = [{"output_type": "stream", "name": "stdout", "text": "seed 417: 61"}]
    handed_in["cells"].insert(at, cell("code", "run()", outputs=printed, execution_count=1))
    found = shown(handed_in, release)
    assert "seed 417: 61" in "".join(each["printed"] for each in found["cells"])


# 5. Figures of another kind are left out without a word.


@pytest.mark.parametrize("kind", ["image/svg+xml", "image/jpeg"])
def test_a_figure_that_is_no_png_is_counted_as_left_out(kind: str, release: Path) -> None:
    handed_in = copy.deepcopy(notebook(release, NAME))
    data = {kind: "<svg/>", "text/plain": "<Figure size 640x480 with 1 Axes>"}
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    at = place_of(handed_in["cells"], EXPERIMENT)
    handed_in["cells"].insert(at, cell("code", "plot()", outputs=[output], execution_count=1))
    found = shown(handed_in, release)
    assert found["left_out"] == 1


# 6. A run with several jobs that is ended from outside leaves its workers behind, for good.


def descendants(pid: int) -> set[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while new := {child for child, parent in parents.items() if parent in found} - found:
        found |= new
    return found - {pid}


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_process(number: signal.Signals, tmp_path: Path) -> None:
    release = make_release(tmp_path / "release", 1)
    handed_out, solved = notebook(release, NAME), solutions(release, NAME)
    busy = "import time\nend = time.time() + 6\nwhile time.time() < end:\n    pass\n"
    first = next(iter(solved))
    for count in range(6):
        hand_in(tmp_path / "in", f"s{count}", NAME, fill(handed_out, solved | {first: busy + solved[first]}))
    folders = [str(tmp_path / "in"), "--release", str(release), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "pgcourse", "grade", *folders, "--jobs", "2", "--timeout", "20"]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    left: set[int] = set()
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end and len(list((tmp_path / "out").glob("readings/*/*.json"))) < 6:
            time.sleep(0.5)
        time.sleep(5)  # now notebooks run
        left = descendants(run.pid)
        assert left
        run.send_signal(number)
        run.wait(20)
        end = time.monotonic() + 10
        while any(map(lives, left)) and time.monotonic() < end:
            time.sleep(0.2)
        assert not [pid for pid in left if lives(pid)]
    finally:
        run.kill()
        for pid in filter(lives, left):
            os.kill(pid, signal.SIGKILL)


# 7. What is written for the marker is held in memory for the whole class, and used by nobody.


def test_the_grader_holds_no_figures(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed_in = fill(notebook(release, NAME), {EXPERIMENT: "An answer."})
    data = {"image/png": "iVBORw0KGgo" + "A" * 10**6}
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    at = place_of(handed_in["cells"], EXPERIMENT)
    handed_in["cells"].insert(at, cell("code", "plot()", outputs=[output] * 8, execution_count=1))
    hand_in(tmp_path / "in", "anna", NAME, handed_in)
    held, judge = [], grader.judge

    def looking(work: Any, observed: Any) -> Any:
        held.append(sum(len(json.dumps(each.reading.written)) for each in work.works))
        return judge(work, observed)

    monkeypatch.setattr(grader, "judge", looking)
    grade(Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED, timeout=3.0))
    assert held[0] < 10_000
    work = Desk(tmp_path / "out", release, SECRET)
    assert work.people, "the page finds it on the disk"


# 8. In a folder that several teachers share, the first one's lock kept the others out.


@pytest.mark.skipif(os.name != "posix", reason="permissions of a group")
@pytest.mark.parametrize(("folder", "lock"), [(0o2775, 0o660), (0o755, 0o600)])
def test_a_lock_is_its_groups_where_the_folder_is(folder: int, lock: int, tmp_path: Path) -> None:
    tmp_path.chmod(folder)
    before = os.umask(0o022)
    try:
        with locked(tmp_path / "manual.csv"):
            assert (tmp_path / ".manual.csv.lock").stat().st_mode & 0o777 == lock
    finally:
        os.umask(before)
