"""Children of jobs that run side by side have equal shares, where Linux' control groups can be had; else all is as without."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgcourse.grading.quarantine import cgroups
from pgcourse.grading.quarantine.process import Limits, close_all, zygote
from pgcourse.grading.quarantine.reading import READER

MB = 2**20
FILES = (
    "cgroup.events",
    "cgroup.kill",
    "cgroup.procs",
    "cgroup.subtree_control",
    "cpu.weight",
    "memory.max",
    "pids.max",
)
OWN, MOUNT = (
    "0::/user.slice/run.scope\n",
    "30 24 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
)
OLD = "12:cpu,cpuacct:/a\n1:name=systemd:/b\n"
OLD_MOUNT = "31 23 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
TOP = "/sys/fs/cgroup"


@pytest.mark.parametrize(
    ("groups", "mounts", "expected"),
    [
        (OWN, MOUNT, (TOP, f"{TOP}/user.slice/run.scope")),
        (OLD + OWN, OLD_MOUNT + MOUNT.replace(TOP, "/unified"), ("/unified", "/unified/user.slice/run.scope")),
        (OWN, MOUNT.replace(TOP, "/a\\040b"), ("/a b", "/a b/user.slice/run.scope")),
        (OWN, MOUNT.replace(" / ", " /user.slice "), (TOP, f"{TOP}/run.scope")),  # a part of the tree is mounted
        ("0::/\n", MOUNT, (TOP, TOP)),  # a container with a tree of its own
        (OWN, MOUNT.replace(" / ", " /docker "), None),
        ("0::/../x\n", MOUNT, None),
        (OLD, OLD_MOUNT, None),
        (OWN, OLD_MOUNT, None),
        (OLD, MOUNT, None),
        ("", "", None),
    ],
)
def test_the_place_of_this_process_is_found(groups: str, mounts: str, expected: tuple[str, str] | None) -> None:
    assert cgroups.place(groups, mounts) == (expected and tuple(map(Path, expected)))


class Tree:
    """A folder in which groups come and go as in the kernel's, and what was written into it: (file, text)."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.written, self.refused = folder, list[tuple[str, str]](), -1
        mkdir, rmdir, write = Path.mkdir, os.rmdir, cgroups._write

        def make(path: Path, *args: int, **kwargs: bool) -> None:
            mkdir(path, *args, **kwargs)
            for name in FILES:
                (path / name).touch()

        def remove(path: str | Path) -> None:
            for name in FILES:
                (Path(path) / name).unlink()
            rmdir(path)

        def note(file: Path, text: str) -> None:
            if len(self.written) == self.refused:
                self.refused = -1
                raise OSError(30, "Read-only file system")
            write(file, text)
            name = str(file.relative_to(folder)).replace(Path(cgroups.current()).name or "?", "RUN")
            self.written.append((name, text))

        make(folder / "own")
        (folder / "own" / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
        (folder / "own" / "cgroup.procs").write_text(f"{os.getpid()}\n")
        patch.setattr(Path, "mkdir", make)
        patch.setattr(cgroups, "_write", note)
        patch.setattr(cgroups, "_found", lambda: [folder / "own"])
        patch.setattr(os, "rmdir", remove)

    def groups(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "own").iterdir() if path.is_dir())


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    return Tree(tmp_path, monkeypatch)


def test_a_run_has_a_group_and_each_job_one_below_it(tree: Tree) -> None:
    with cgroups.run(jobs=3) as why:
        assert why == ""
        run = Path(cgroups.current())
        assert tree.groups() == [run.name, cgroups.LEAF]
        assert (run / "cpu.weight").read_text() == "33", (
            "three jobs stand behind others as three processes of niceness 10"
        )
        first, second = cgroups.slot(1000 * MB), cgroups.slot(64 * MB)
        assert first.folder and second.folder and first.folder.parent == second.folder.parent == run
        assert (first.folder / "memory.max").read_text() == str(1512 * MB)
        assert (second.folder / "memory.max").read_text() == str(576 * MB)
        assert (first.folder / "cpu.weight").read_text() == (second.folder / "cpu.weight").read_text() == ""
        first.kill()
        assert (first.folder / "cgroup.kill").read_text() == "1" and (second.folder / "cgroup.kill").read_text() == ""
        first.remove()
        assert not first.folder.exists() and second.folder.exists()
    assert tree.groups() == [] and not cgroups.current() and not cgroups.slot(MB).folder


def test_the_grader_goes_into_a_leaf_before_its_group_is_divided_and_back_after(tree: Tree) -> None:
    (tree.folder / "own" / "cgroup.subtree_control").write_text("memory")
    with cgroups.run(jobs=1):
        (tree.folder / "own" / cgroups.LEAF / "cgroup.procs").write_text("71\n72\n")  # it, and what it has started
    own = [each for each in tree.written if each[0].count("/") == 1 or cgroups.LEAF in each[0]]
    control = "own/cgroup.subtree_control"
    assert own == [
        (f"own/{cgroups.LEAF}/cgroup.procs", "0"),
        *((control, text) for text in ("+cpu", "+pids", "-pids", "-cpu")),  # memory was there before
        ("own/cgroup.procs", "71"),
        ("own/cgroup.procs", "72"),
    ]


def test_the_machine_s_top_group_may_hold_the_grader(tree: Tree) -> None:
    (tree.folder / "own" / "cgroup.events").unlink()
    (tree.folder / "own" / "cgroup.procs").write_text(f"1\n{os.getpid()}\n")
    with cgroups.run(jobs=1) as why:
        assert why == "" and cgroups.LEAF not in tree.groups()


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("cgroup.controllers", "memory pids", "no cpu controller in its own"),
        ("cgroup.controllers", None, "No such file or directory"),
        ("cgroup.procs", "0\n1", "other programs are in its own"),
    ],
)
def test_what_cannot_be_used_is_left_as_it_is(tree: Tree, file: str, text: str | None, expected: str) -> None:
    path = tree.folder / "own" / file
    path.unlink() if text is None else path.write_text(text)
    with cgroups.run(jobs=2) as why:
        assert why.split("; ")[0] == expected and not cgroups.current() and cgroups.slot(MB) == cgroups.Slot()
    assert tree.written == [] and tree.groups() == []


@pytest.mark.parametrize("step", range(8))
def test_a_step_that_the_system_refuses_ends_no_run_and_leaves_nothing(tree: Tree, step: int) -> None:
    """Groups of memory and processes may be missing; without one for the processor there is no group at all."""
    tree.refused = step
    with cgroups.run(jobs=2) as why:
        assert why.split("; ")[0] in ("", "Read-only file system")
        assert bool(cgroups.current()) == (why == "")
    assert tree.groups() == [] and not cgroups.current()


def test_a_system_without_groups_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "place", lambda *_: None)
    with cgroups.run(jobs=2) as why:
        assert why == "none of version 2"


@pytest.mark.parametrize(("user", "systemd", "helps"), [(0, True, False), (1000, True, True), (1000, False, False)])
def test_who_has_no_group_is_told_the_command_that_gives_one(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, user: int, systemd: bool, helps: bool
) -> None:
    (tree.folder / "own" / "cgroup.procs").write_text(f"{os.getpid()}\n71\n")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(Path, "is_dir", lambda _: systemd)
    with cgroups.run(jobs=1) as why:
        assert why == "other programs are in its own" + f"; for equal shares: {cgroups.COMMAND}" * helps


def test_a_group_of_a_killed_grader_goes_and_one_at_work_stays(tree: Tree) -> None:
    (tree.folder / "own" / "cgroup.events").unlink()
    (tree.folder / "own" / f"{cgroups.NAME}dead" / "job-1").mkdir(parents=True)
    with cgroups.run(jobs=1):
        first = Path(cgroups.current()).name
        assert tree.groups() == [first]
        with cgroups.run(jobs=1) as why:
            assert why == "" and len(tree.groups()) == 2 and first in tree.groups()


SPIN = "while True: pass"
CROWD = f"import os\nfor _ in range(19): os.fork() == 0 and exec({SPIN!r})\n{SPIN}"
FAT = f"x = bytearray(200 * {MB}); print('kept')"


@pytest.fixture
def real() -> Iterator[Path]:
    """The group of a real run."""
    with cgroups.run(jobs=2) as why:
        if why:
            pytest.skip(f"no groups here (cgroups: {why})")
        yield Path(cgroups.current())


def start(slot: cgroups.Slot, program: str) -> "subprocess.Popen[bytes]":
    """A stand-in for a keeper and its child, in a group, on one processor."""
    assert slot.file is not None
    first = f"import os; os.write({slot.file}, b'0'); os.close({slot.file}); os.nice(10)\n"
    first += f"os.sched_setaffinity(0, [{min(os.sched_getaffinity(0))}])\n"
    return subprocess.Popen([sys.executable, "-c", first + program], pass_fds=[slot.file], stdout=subprocess.PIPE)


def used(slot: cgroups.Slot) -> int:
    """Microseconds on the processor."""
    assert slot.folder
    return int((slot.folder / "cpu.stat").read_text().split()[1])


def test_one_child_gets_as_much_as_twenty_of_another_job(real: Path) -> None:
    alone, crowd = cgroups.slot(MB), cgroups.slot(MB)
    processes = [start(alone, SPIN), start(crowd, CROWD)]
    deadline = time.monotonic() + 60
    while min(used(alone), used(crowd)) < 10**6 and time.monotonic() < deadline:
        time.sleep(0.1)
    before = used(alone), used(crowd)
    time.sleep(3)
    one, many = (used(slot) - was for slot, was in zip((alone, crowd), before, strict=True))
    for slot, process in zip((alone, crowd), processes, strict=True):
        slot.remove()
        assert process.wait(10) == -signal.SIGKILL and slot.folder and not slot.folder.exists()
    print(f"share of the one beside twenty: {one / (one + many):.3f}")
    assert 0.4 < one / (one + many) < 0.6


def test_a_child_over_its_memory_is_ended_and_its_neighbour_is_not(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "memory" not in (real / "cgroup.subtree_control").read_text().split():
        pytest.skip("no groups of memory here")
    monkeypatch.setattr(cgroups, "SPARE", 0)
    small, large = start(cgroups.slot(64 * MB), FAT), start(cgroups.slot(512 * MB), FAT)
    assert small.communicate(timeout=60)[0] == b"" and small.returncode == -signal.SIGKILL
    assert large.communicate(timeout=60)[0] == b"kept\n" and large.returncode == 0


def test_a_keeper_and_its_child_are_in_the_group_their_zygote_is_not_and_none_holds_it_open(real: Path) -> None:
    started = zygote(READER, Limits())
    try:
        assert started.slot.folder and started.slot.folder.parent == real
        file = os.open(os.devnull, os.O_RDONLY)
        with started.child(file):
            deadline, inside = time.monotonic() + 30, list[str]()
            while len(inside) < 2 and time.monotonic() < deadline:
                inside = (started.slot.folder / "cgroup.procs").read_text().split()
            assert len(inside) == 2 and str(started.process.pid) not in inside
            if os.getuid() == 0:  # nobody else may look
                links = [os.readlink(link) for pid in inside for link in Path(f"/proc/{pid}/fd").iterdir()]
                assert links and not any("cgroup" in link for link in links)
        os.close(file)
        deadline = time.monotonic() + 5  # what was killed is about to go
        while (left := (started.slot.folder / "cgroup.procs").read_text()) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert left == ""
    finally:
        close_all()
    assert not started.slot.folder.exists()


def test_an_interrupt_removes_what_there_is() -> None:
    process, left = None, Path()
    with pytest.raises(KeyboardInterrupt), cgroups.run(jobs=2) as why:
        if why:
            pytest.skip(f"no groups here (cgroups: {why})")
        left, slot = Path(cgroups.current()), cgroups.slot(MB)
        process = start(slot, SPIN)
        while used(slot) < 10**5:
            time.sleep(0.05)
        raise KeyboardInterrupt
    assert process and process.wait(10) == -signal.SIGKILL and not left.exists()


def test_the_next_run_removes_the_group_of_a_grader_that_was_killed_but_not_of_one_at_work() -> None:
    code = """
        import os, signal
        from pgcourse.grading.quarantine import cgroups
        with cgroups.run(jobs=2) as why:
            print(cgroups.current() or why, flush=True)
            cgroups.slot(2**20)
            if not why:
                os.kill(os.getpid(), signal.SIGKILL)
    """
    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    if not said.startswith("/"):
        pytest.skip(f"no groups for a second process here (cgroups: {said})")
    assert Path(said).is_dir()
    with cgroups.run(jobs=2) as why:
        assert why == "" and not Path(said).exists()
        at_work = Path(cgroups.current())
        with cgroups.run(jobs=2):
            assert at_work.is_dir()
