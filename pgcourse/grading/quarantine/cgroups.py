"""Equal shares of processors and memory for children that run side by side: Linux' control groups, version 2.

A grading run has a group, and in it each zygote one for its children. A process of `--jobs` lets one child run at a time, so
its share is that of one job, whatever the child starts. Where groups cannot be had, niceness remains, and nothing here fails.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

RUN = "PGCOURSE_GRADE_GROUP"  # the variable that tells processes of `--jobs` where the run's group is
NAME, LEAF = "pgcourse-grade-", "pgcourse-grader"
CONTROLLERS = ("cpu", "memory", "pids")
WEIGHT = 11  # of a job beside 100 of any other group: what niceness 10 is beside 0
MOST_WEIGHT = 10_000  # that the kernel takes
SPARE = 2**29  # bytes: a child's folders in memory, and its copies of what the zygote holds
PROCESSES = 64  # of a keeper and its child, threads too; the limit of the child's user is lower
END_SECONDS = 2.0  # what has been killed is gone by then
COMMAND = "systemd-run --user --scope -p Delegate=yes pgcourse grade ..."


@dataclass(frozen=True)
class Slot:
    """The group of one zygote's children, or none. `file` is its open `cgroup.procs`: whoever writes 0 there goes into it."""

    folder: Path | None = None
    file: int | None = None

    def kill(self) -> None:
        """End all that is in it, where the system can do that (since Linux 5.14)."""
        if self.folder:
            _try(self.folder / "cgroup.kill", "1")

    def remove(self) -> None:
        """End all that is in it, and the group."""
        if self.folder and self.file is not None:
            os.close(self.file)
            _end(self.folder)


def current() -> str:
    """The folder of the run's group, an empty text where there is none."""
    return os.environ.get(RUN, "")


def slot(memory: int) -> Slot:
    """A new group in that of the run. Args: memory: bytes that a child may take beyond what the zygote holds."""
    if not current():
        return Slot()
    folder = Path(current()) / f"job-{os.getpid()}-{secrets.token_hex(4)}"
    try:
        folder.mkdir()  # with a weight of 100, as all others
        file = os.open(folder / "cgroup.procs", os.O_WRONLY)
    except OSError:
        return Slot()
    for name, most in (("memory.max", memory + SPARE), ("memory.swap.max", 0), ("pids.max", PROCESSES)):
        _try(folder / name, str(most))
    return Slot(folder, file)


@contextlib.contextmanager
def run(jobs: int) -> Iterator[str]:
    """A group for the run, for as long as this lasts. Gives an empty text, or why there is none and what would help."""
    why, found = "none of version 2", _found()
    for parent in found:
        with contextlib.ExitStack() as undo:
            try:
                folder = _make(parent, jobs, undo)
            except OSError as error:
                why = error.strerror or type(error).__name__
                continue
            os.environ[RUN] = str(folder)
            undo.callback(os.environ.pop, RUN, None)
            yield ""
            return
    helps = found and os.geteuid() != 0 and Path("/run/systemd/system").is_dir()
    yield f"{why}; for equal shares: {COMMAND}" if helps else why


def place(groups: str, mounts: str) -> tuple[Path, Path] | None:
    """The folders of the top group to be seen and of this process' own, from /proc/self/cgroup and /proc/self/mountinfo."""
    paths = [line[3:] for line in groups.splitlines() if line.startswith("0::/")]
    for before, _, after in (line.partition(" - ") for line in mounts.splitlines()):
        if paths and after.startswith("cgroup2 "):
            root, top = (re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), part) for part in before.split()[3:5])
            path = PurePosixPath(paths[0])
            if path.is_relative_to(root) and ".." not in path.parts:
                return Path(top), Path(top) / path.relative_to(root)
    return None


def _found() -> list[Path]:
    """Groups below which one can be tried: this process' own; for root, who may share its own with others, also the top."""
    try:
        found = place(Path("/proc/self/cgroup").read_text("utf-8"), Path("/proc/self/mountinfo").read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        found = None
    if found is None:
        return []
    top, own = found
    return [own, top] if os.geteuid() == 0 and own != top and _holds_processes(top) else [own]


def _holds_processes(group: Path) -> bool:
    """Whether a group may hold processes beside groups with controllers: only the machine's top group, without events."""
    return not (group / "cgroup.events").exists()


def _make(parent: Path, jobs: int, undo: contextlib.ExitStack) -> Path:
    """The run's group below this one; each step leaves its way back in `undo`. Raises: OSError."""
    offered = (parent / "cgroup.controllers").read_text().split()
    if "cpu" not in offered:
        raise OSError(errno.ENOTSUP, "no cpu controller in its own")
    if not _holds_processes(parent):
        if (parent / "cgroup.procs").read_text().split() != [str(os.getpid())]:
            raise OSError(errno.EBUSY, "other programs are in its own")
        undo.callback(_leave, parent / LEAF, parent)
        (parent / LEAF).mkdir(exist_ok=True)
        _write(parent / LEAF / "cgroup.procs", "0")
    for old in parent.glob(f"{NAME}*"):
        with contextlib.suppress(OSError), _locked(old):  # its grader was killed
            _end(old)
    folder = parent / f"{NAME}{secrets.token_hex(4)}"
    enabled = (parent / "cgroup.subtree_control").read_text().split()
    for controller in [each for each in offered if each in CONTROLLERS and each not in enabled]:
        undo.callback(_try, parent / "cgroup.subtree_control", f"-{controller}")
        _try(parent / "cgroup.subtree_control", f"+{controller}")
    undo.callback(_end, folder)
    folder.mkdir()
    undo.enter_context(_locked(folder))
    for controller in CONTROLLERS[1:]:
        _try(folder / "cgroup.subtree_control", f"+{controller}")
    _write(folder / "cgroup.subtree_control", "+cpu")
    _write(folder / "cpu.weight", str(min(WEIGHT * jobs, MOST_WEIGHT)))
    return folder


def _write(file: Path, text: str) -> None:
    """Raises: OSError where the kernel does not take it. A file that is not there stays away."""
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _try(file: Path, text: str) -> None:
    with contextlib.suppress(OSError):
        _write(file, text)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a group as long as its grader lives. Raises: OSError where another process does."""
    import fcntl  # not on Windows, where nothing is graded

    file = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(file)


def _end(folder: Path) -> None:
    """Kill what is in a group and in those below it, and remove them. What cannot be removed is left to a later run."""
    _try(folder / "cgroup.kill", "1")
    deadline = time.monotonic() + END_SECONDS
    for group, _, _ in os.walk(folder, topdown=False):
        while True:
            try:
                os.rmdir(group)
            except OSError as error:
                if error.errno == errno.EBUSY and time.monotonic() < deadline:  # what was killed is still about to go
                    time.sleep(0.01)
                    continue
            break


def _leave(leaf: Path, parent: Path) -> None:
    """Go back into the group from which this process came, with all that it has started, and remove the leaf."""
    with contextlib.suppress(OSError):
        for process in (leaf / "cgroup.procs").read_text().split():
            _try(parent / "cgroup.procs", process)
        leaf.rmdir()
