"""What children of one machine share: no child leaves a mark there that the next one sees, or watches another at work."""

import json
import platform
import sys
from pathlib import Path

import pytest

from pgcourse.grading.grader import grade
from pgcourse.grading.quarantine.sandbox import syscalls
from pgcourse.grading.settings import Settings
from tests.grading.classroom import SEED, fill, hand_in, make_release, notebook, solutions

NAME, EXERCISE = "01_reinforce", "standardize"
WAYS = """
import ctypes, fcntl, os
libc = ctypes.CDLL(None, use_errno=True)
file = os.open(os.__file__, os.O_RDONLY)
def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1 and ctypes.get_errno() == 1:
        raise PermissionError
def look(path):
    with open(path) as opened:
        opened.read(1)
ways = {
    "which pages are in memory": lambda: os.preadv(file, [bytearray(1)], 0, os.RWF_NOWAIT),
    "mincore": lambda: call("mincore", None, 0, None),
    "cachestat": lambda: call("syscall", 451, file, None, None, 0),
    "pages thrown out": lambda: os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED),
    "pages read in": lambda: call("readahead", file, 0, 1),
    "a lock": lambda: fcntl.flock(file, fcntl.LOCK_SH),
    "a lock of POSIX": lambda: fcntl.lockf(file, fcntl.LOCK_SH),
    "a lease": lambda: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK),
    "a watch": lambda: fcntl.fcntl(os.open("/usr", os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS),
    "a hint": lambda: fcntl.fcntl(file, 1035, ctypes.c_uint64()),
    "inotify": lambda: call("inotify_init1", 0),
    "load": lambda: call("sysinfo", ctypes.create_string_buffer(200)),
    "room on the disk": lambda: os.statvfs("/usr"),
    "room on the disk, of a file": lambda: os.fstatvfs(file),
    "the kernel's log": lambda: call("klogctl", 10, None, 0),
    "the time of a device": lambda: os.utime("/dev/null"),
    "/proc/stat": lambda: look("/proc/stat"),
    "/proc/loadavg": lambda: look("/proc/loadavg"),
    "/proc/sys": lambda: look("/proc/sys/fs/inode-nr"),
}
left = []
for name, way in ways.items():
    try:
        way()
    except (PermissionError, FileNotFoundError):
        continue
    except Exception as error:
        if getattr(error, "errno", 0) == 30:  # read-only
            continue
    left.append(name)
raise ValueError(f"open: {left}")
"""
HONEST = """
import asyncio, fcntl, logging, os, pathlib, random, shutil, tempfile, threading, time
import numpy as np
import torch
with tempfile.NamedTemporaryFile("w+", delete=False) as file:
    fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL))
    os.close(os.dup(file.fileno()))
    file.write("some text")
shutil.copy(file.name, file.name + ".copy")
assert pathlib.Path(file.name + ".copy").read_text() == "some text"
torch.save(torch.arange(5), "kept.pt")
assert torch.load("kept.pt").sum() == 10
np.save("kept.npy", np.sort(np.random.rand(10**5)))
assert np.load("kept.npy", mmap_mode="r")[0] >= 0
open("/dev/null", "w").write("nothing")
assert len(open("/dev/urandom", "rb").read(4)) == 4
done = []
threads = [threading.Thread(target=done.append, args=[n]) for n in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(5)
assert len(done) == 3 and os.cpu_count() and time.process_time() >= 0
torch.linalg.svd(torch.rand(200, 200)), torch.rand(300, 300) @ torch.rand(300, 300)
logging.getLogger("mine").warning("a warning")
await asyncio.sleep(0.01)
assert await asyncio.to_thread(sum, [1, 2]) == 3
torch.zeros(5).share_memory_()
"""


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in syscalls._MACHINES, reason="the walls are Linux's"
)
def test_no_way_between_two_children_is_left_open(tmp_path: Path) -> None:
    release = make_release(tmp_path / "class", 1)
    answer = solutions(release, NAME)[EXERCISE]
    for student, cell in (("honest", HONEST + answer), ("eve", f"{WAYS}\n{answer}")):
        hand_in(tmp_path / "in", student, NAME, fill(notebook(release, NAME), {EXERCISE: cell}))
    result = grade(Settings(tmp_path / "in", release, tmp_path / "out", hidden_seed=SEED, timeout=5.0))
    if any("isolation" in remark for remark in result.remarks):
        pytest.skip("this system has no walls")
    honest, eve = (json.loads((tmp_path / "out/students" / f"{name}.json").read_text()) for name in ("honest", "eve"))
    assert honest["exercises"][EXERCISE]["status"] == "correct", honest["notes"]
    assert "open: []" in json.dumps(eve["notes"]), eve["notes"]


def test_what_is_refused_is_refused_once_on_each_machine() -> None:
    """And no jump of the filter leads out of it."""
    for machine, calls in syscalls._MACHINES.items():
        every = (*calls.refused, *syscalls._EVERYWHERE)
        assert len(set(every)) == len(every)
        code = syscalls.filter_of(machine)
        steps = [code[start : start + 8] for start in range(0, len(code), 8)]
        jumps = [(place, step[2], step[3]) for place, step in enumerate(steps) if step[0] & 7 == 5]
        assert all(place + 1 + max(yes, no) < len(steps) for place, yes, no in jumps)
