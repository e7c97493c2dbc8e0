"""A fifth round of harm: memory that no limit counts, processes that the kernel ends, secrets, and honest work that was lost."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pgcourse.errors import InvalidInput
from pgcourse.grading import grader
from pgcourse.grading.grader import grade
from pgcourse.grading.quarantine import process
from pgcourse.grading.settings import Settings
from pgcourse.study.workers import WorkersDied
from tests.grading.classroom import SEED, fill, hand_in, make_release, notebook, solutions
from tests.grading.quarantine.attacks_of_harm import NOTHING, RAW, D
from tests.grading.quarantine.test_harm_round_four import trial

linux = pytest.mark.skipif(sys.platform != "linux", reason="the walls are Linux's")
NAME, MEMORY, DISKS = "01_reinforce", 256, 128


# Memory


def _top(body: str) -> str:
    return f"{RAW}L.mmap.restype = ctypes.c_void_p\n{body.strip()}\n{NOTHING}"


TAKING = {
    # Pages of a shared mapping stay as long as one page of it is mapped; RLIMIT_AS counts that one. The loops end at about 1 GB.
    "shared memory of which one page is still mapped": """
size, held = 2**27, 0
while held < 1000:
    at = L.mmap(None, ctypes.c_size_t(size), 3, 0x21, -1, 0)
    if at in (None, 2**64 - 1):
        break
    ctypes.memset(at, 1, size)
    if L.munmap(ctypes.c_void_p(at + 4096), ctypes.c_size_t(size - 4096)):
        break
    held += size // 2**20
raise ValueError(f"holds {held} MB")""",
    "shared memory of /dev/zero": """
size, held = 2**27, 0
try:
    zero = os.open("/dev/zero", os.O_RDWR)
except FileNotFoundError:
    raise ValueError("holds 0 MB")
while held < 1000:
    at = L.mmap(None, ctypes.c_size_t(size), 3, 1, zero, 0)
    if at in (None, 2**64 - 1):
        break
    ctypes.memset(at, 1, size)
    L.munmap(ctypes.c_void_p(at + 4096), ctypes.c_size_t(size - 4096))
    held += size // 2**20
raise ValueError(f"holds {held} MB")""",
    # A large page stays whole while 4 kB of it are mapped, until memory is short and the kernel splits it.
    "large pages of which a part is still mapped": """
def in_large():
    return sum(int(line.split()[1]) for line in open("/proc/self/smaps") if "AnonHuge" in line)
large, made, before = 2**21, 0, in_large()
L.prctl(41, 0, 0, 0, 0)
while made < 500:
    at = L.mmap(None, ctypes.c_size_t(2 * large), 3, 0x22, -1, 0)
    if at in (None, 2**64 - 1):
        break
    start = (at + large - 1) // large * large
    L.madvise(ctypes.c_void_p(start), ctypes.c_size_t(large), 14)
    ctypes.memset(start, 1, large)
    if not made and in_large() <= before:
        break
    if start > at:
        L.munmap(ctypes.c_void_p(at), ctypes.c_size_t(start - at))
    L.munmap(ctypes.c_void_p(start + 4096), ctypes.c_size_t(at + 2 * large - start - 4096))
    made += 1
raise ValueError(f"holds {2 * made} MB")""",
    # Each page a GB from the next needs two tables of its own, which no limit counts: three times what RLIMIT_AS says.
    "tables of pages far apart": """
made = 0
while made < 64000:
    at = L.mmap(ctypes.c_void_p(2**40 + made * 2**30), ctypes.c_size_t(4096), 3, 0x100022, -1, 0)
    if at in (None, 2**64 - 1):
        break
    ctypes.memset(at, 1, 1)
    made += 1
tables = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmPTE"))
raise ValueError(f"holds {(tables + 4 * made) // 1024} MB")""",
    # As much as net.core.wmem_max allows, in each of 60 sockets.
    "buffers of sockets": """
held, kept, block = 0, [], bytes(2**20)
try:
    while held < 1000 * 2**20:
        kept += socket.socketpair()
        for s in kept[-2:]:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**24)
            s.setblocking(False)
            try:
                while True:
                    held += s.send(block)
            except BlockingIOError:
                pass
except OSError:
    pass
raise ValueError(f"holds {held // 2**20 + 256} MB")""",
    # Open files of their own would let each thread hold as many sockets.
    "open files of its own": """
closed = L.syscall(436, 60, 61, 2)
forked = L.syscall({"x86_64": 56, "aarch64": 220}[os.uname().machine], 0x10900, 0, 0, 0, 0)  # EINVAL if it is looked at
raise ValueError(f"holds {1000 * (closed == 0 or ctypes.get_errno() != 1)} MB")""",
}


@linux
@pytest.mark.slow
@pytest.mark.parametrize("name", TAKING)
def test_a_notebook_holds_no_more_memory_than_it_may(tmp_path: Path, name: str) -> None:
    if "sockets" in name and int(Path("/proc/sys/net/core/wmem_max").read_text()) < 2**21:
        pytest.skip("this system allows sockets little")
    if "large" in name and "[never]" in Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text():
        pytest.skip("this system has no large pages")
    notes = trial(tmp_path, {"eve": _top(TAKING[name])}, D, memory=MEMORY, timeout=10.0)["eve"]
    held = re.search(r"holds (\d+) MB", notes)
    assert held or "tables" in name, notes
    assert held is None or int(held[1]) <= MEMORY + DISKS


@linux
@pytest.mark.slow
def test_a_child_is_the_first_that_the_kernel_ends(tmp_path: Path) -> None:
    cell = f"""
path = "/proc/self/oom_score_adj"
try:
    open(path, "w").write("0")
except OSError:
    pass
raise ValueError("ended at " + open(path).read())
{NOTHING}"""
    assert "ended at 1000" in trial(tmp_path, {"eve": cell}, D)["eve"]


@linux
@pytest.mark.slow
def test_a_system_that_refuses_no_calls_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = process.source_of
    nothing = "\ndef refuse():\n    return False\n"
    monkeypatch.setattr(process, "source_of", lambda name: source(name) + nothing * (name == "sandbox.syscalls"))
    monkeypatch.setattr(process, "_STARTED", {})
    release = make_release(tmp_path / "release", 1)
    hand_in(tmp_path / "in", "anna", NAME, fill(notebook(release, NAME), solutions(release, NAME)))
    result = grade(Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED, timeout=3.0))
    process.close_all()
    assert [each.score for each in result.students] == [11.0]
    assert any("Weaker isolation: the system refuses a child no system call" in remark for remark in result.remarks)


# Processes that the kernel ends where memory is short


def _class(base: Path, **changes: Any) -> Settings:
    release = make_release(base / "release", 1)
    for student in ("anna", "bob"):
        hand_in(base / "in", student, NAME, fill(notebook(release, NAME), solutions(release, NAME)))
    return Settings(base / "in", release, base / "out", hidden_seed=SEED, **{"timeout": 3.0} | changes)


def _ended(monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """End the next zygotes at their start. Returns: their processes, as they come."""
    began, ended = subprocess.Popen, []

    def start(command: Any, *arguments: Any, **further: Any) -> Any:
        started = began(command, *arguments, **further)
        if len(ended) < times and process._BOOTSTRAP in command:
            ended.append(started.pid)
            started.kill()
        return started

    monkeypatch.setattr(process.subprocess, "Popen", start)
    monkeypatch.setattr(process, "_STARTED", {})
    return ended


@pytest.mark.slow
def test_a_waiting_process_that_is_ended_while_it_starts_costs_nobody_a_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = _ended(monkeypatch, 1)
    result = grade(_class(tmp_path))
    process.close_all()
    assert ended and [each.score for each in result.students] == [11.0, 11.0]


def test_where_no_such_process_starts_one_line_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = _ended(monkeypatch, 100)
    with pytest.raises(InvalidInput, match="the grader's child process does not start"):
        grade(_class(tmp_path))
    assert len(ended) == process.ATTEMPTS


@pytest.mark.slow
def test_a_worker_that_dies_of_one_notebook_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_jobs(function: Callable[[Any], Any], jobs: Any, *, failed: Any, **_: Any) -> Iterator[tuple[int, Any]]:
        for index, job in enumerate(jobs):
            dies = function is grader.collect and job.student == "anna"
            yield index, failed(WorkersDied("")) if dies else function(job)

    monkeypatch.setattr(grader, "run_jobs", run_jobs)
    settings = _class(tmp_path)
    assert [each.score for each in grade(settings).students] == [0.0, 11.0]
    assert "The grader itself failed on this notebook (WorkersDied)" in (settings.out / "look_at.csv").read_text()


# What no student may see


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Such as /srv/class: pytest's own folders let nobody else in."""
    with tempfile.TemporaryDirectory(prefix="pgcourse-open-") as folder:
        Path(folder).chmod(0o755)
        before = os.umask(0o022)
        yield Path(folder)
        os.umask(before)


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_folder_of_grades_is_the_teacher_s_alone_and_one_that_is_there_stays(open_folder: Path) -> None:
    release = make_release(open_folder / "release", 1)
    hand_in(open_folder / "in", "anna", NAME, notebook(release, NAME))
    (open_folder / "mine").mkdir()
    (open_folder / "shared").mkdir()
    (open_folder / "shared").chmod(0o775)
    for name in ("made", "mine", "shared"):
        grade(Settings(open_folder / "in", release, open_folder / name))
    assert [_mode(open_folder / name) for name in ("made", "mine", "shared")] == [0o700, 0o755, 0o775]
    files = [_mode(open_folder / name / "grading.json") for name in ("made", "mine", "shared")]
    assert files == [0o600, 0o600, 0o660]
    grade(Settings(open_folder / "in", release, open_folder / "mine", timeout=7.0))
    assert _mode(open_folder / "mine" / "grading.json") == 0o600, "nor does a later run open it"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives a child another user")
def test_without_walls_another_user_number_keeps_the_hidden_seed_from_a_child(open_folder: Path) -> None:
    release = make_release(open_folder / "release", 1)
    out = open_folder / "out"
    cell = f"""
import os
raise ValueError(str(os.getuid()) + open("{out}/grading.json").read().replace(chr(10), " "))
{NOTHING}"""
    hand_in(open_folder / "in", "eve", NAME, fill(notebook(release, NAME), {D: cell}))
    result = grade(Settings(open_folder / "in", release, out, timeout=3.0, namespaces=False, hidden_seed=987123654))
    told = str(json.loads((out / "students" / "eve.json").read_text())["notes"])
    assert "PermissionError" in told and "987123654" not in told
    said = next(remark for remark in result.remarks if remark.startswith("Every account"))
    assert f"{release / 'teacher'}, {open_folder / 'in'}, and so" in said


@linux
@pytest.mark.slow
def test_a_child_does_not_know_where_the_class_lies(tmp_path: Path) -> None:
    cell = f"""
import sys
found, frame = [], sys._getframe()
while frame:
    found += [str(value) for value in frame.f_locals.values() if type(value).__name__ == "Settings"]
    found += [str(frame.f_globals.get("given", {{}}).get("settings"))]
    frame = frame.f_back
raise ValueError("told: " + str([path for path in ("/in", "/out", "/release") if path + "'" in str(found)]))
{NOTHING}"""
    assert "told: []" in trial(tmp_path, {"eve": cell}, D)["eve"]


# Honest work that was lost

OPTIONS = """
from dataclasses import dataclass, fields
@dataclass
class Options:
    eps: float = 0
    def __post_init__(self):
        for each in fields(self):
            setattr(self, each.name, each.type(getattr(self, each.name)))
options = Options()
"""
POOL = """
import time
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(16)
list(pool.map(time.sleep, [0.01] * 20))
"""


@pytest.mark.slow
@pytest.mark.parametrize("own", [OPTIONS, POOL], ids=["types that are read off annotations", "a pool of threads"])
def test_what_works_in_a_notebook_works_in_an_answer_s_cell(tmp_path: Path, own: str) -> None:
    release = make_release(tmp_path / "release", 1)
    answer = own + solutions(release, NAME)["standardize"]
    hand_in(tmp_path / "in", "anna", NAME, fill(notebook(release, NAME), {"standardize": answer}))
    result = grade(Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED, timeout=3.0))
    assert [each.score for each in result.students] == [1.0]


@pytest.mark.slow
def test_a_cell_that_asks_for_something_defines_what_stands_below(tmp_path: Path) -> None:
    release = make_release(tmp_path / "release", 1)
    filled = fill(notebook(release, NAME), {"standardize": solutions(release, NAME)["standardize"] + "\nSCALE\n"})
    own = "name = input('Who are you? ')\nSCALE = 1\n"
    answer = next(n for n, cell in enumerate(filled["cells"]) if cell["id"] == "standardize")
    filled["cells"][answer]["source"] = filled["cells"][answer]["source"].replace("x):", "x, scale=SCALE):", 1)
    filled["cells"].insert(answer, {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "source": own})
    hand_in(tmp_path / "in", "anna", NAME, filled)
    result = grade(Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED, timeout=3.0))
    assert [each.score for each in result.students] == [1.0]
