"""The grader's side of a zygote: start it, ask it for a child, talk with that, and know that it is dead afterwards."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pgcourse.errors import InvalidInput
from pgcourse.grading.quarantine import cgroups
from pgcourse.grading.quarantine.sandbox import wire
from pgcourse.grading.quarantine.view import site_paths, view

FOLDER = "pgcourse.grading.quarantine"
START_SECONDS = 180  # of the zygote, on a busy machine
PATIENCE = 3  # times the limit on the processor: how long a child may sleep, or use the processor unheard
GRACE = 2.0  # seconds more
CROWDED = 40  # times its patience: how long a child is waited for that others' threads keep from the processor
MOMENT = 0.5  # seconds
CHILDREN = 4096  # of one zygote, each with another user
MOST_STARTED = 4  # zygotes of one process: each holds 250 MB
ATTEMPTS = 3  # at one notebook, where the processes around its children were ended
# To copy a process with torch, and to end the copy, takes as long as it has pages: with large ones a keeper and its child take
# 11 ms in place of 27. One heap, since each thread would reserve a part of the child's memory for its own.
ONE_HEAP = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1"}
USERS = 2**30  # from here on no account of any system has its number
# The child's modules come over its standard input, so that no folder of the package is on its path.
_BOOTSTRAP = """
import json, socket, sys, types
given = json.load(sys.stdin)
sys.prefix, sys.exec_prefix = given["prefix"]
sys.path[:] = [*given["path"], *sys.path]
for name in given["packages"]:
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
for name, source in given["modules"].items():
    module = sys.modules[name] = types.ModuleType(name)
    package, _, last = name.rpartition(".")
    setattr(sys.modules[package], last, module)
    exec(compile(source, f"<grader's {last}>", "exec"), vars(module))
sys.modules[given["zygote"]].main(socket.socket(fileno=int(sys.argv[1])), given["settings"])
"""


@dataclass(frozen=True)
class Kind:
    """What a zygote serves. Fields: modules: below this folder, in the order of import; the last but one is `serves`."""

    modules: tuple[str, ...]
    serves: str
    libraries: tuple[str, ...]


@dataclass(frozen=True)
class Limits:
    """What a child may use.

    Fields: seconds: on the processor, for each step. memory: bytes beyond what the zygote takes. namespaces: False leaves
    the strongest walls out, for tests and for systems where they misbehave. hidden: folders that no child may see.
    """

    seconds: float = 10.0
    memory: int = 2**30
    namespaces: bool = True
    hidden: tuple[str, ...] = ()

    @property
    def patience(self) -> float:
        """Seconds that a silent child may sleep."""
        return PATIENCE * self.seconds + GRACE


class Child:
    """A child at work. `ended` says how, once `Zygote.child` has been left: its exit `status`, `seconds` used, and `asleep`."""

    def __init__(self, results: socket.socket, orders: socket.socket, limits: Limits) -> None:
        self.results, self.orders, self.limits = results, orders, limits
        self.ended: dict[str, Any] = {}
        self.before, self.started = (0.0, 0.0), time.monotonic()

    def begun(self) -> None:
        """Count its time from here, or from a moment ago: to ask its keeper each time takes as long as many an answer."""
        if time.monotonic() - self.started > MOMENT:
            self.before, self.started = self.spent(), time.monotonic()

    def send(self, message: Any) -> None:
        """Tell it something. Raises: OSError where it has closed its end."""
        self.results.settimeout(self.limits.patience)
        wire.send(self.results, message)

    def receive(self, most: int = wire.MAX_FRAME) -> Any:
        """Its next message, of so many bytes at most; None where it has closed its end. Raises: TimeoutError, BadMessage."""
        return wire.receive(self.results, seconds=self.limits.patience, more=self.more, most=most)

    def spent(self) -> tuple[float, float]:
        """Seconds so far on the processor, and asleep. Raises: BrokenPipeError where its keeper has gone."""
        self.orders.sendall(b"T")
        report = wire.receive(self.orders, seconds=30)
        if not isinstance(report, dict) or "dead" in report:
            self.ended = report or {}
            return 0.0, 0.0
        return report["cpu"], report["asleep"]

    def more(self) -> float:
        """How many seconds longer a silent child is waited for: what kept others from the processor does not count."""
        if self.ended:
            return 0.0
        cpu, asleep = (now - before for now, before in zip(self.spent(), self.before, strict=True))
        patience = self.limits.patience
        if self.ended or max(cpu, asleep) >= patience or time.monotonic() - self.started > CROWDED * patience:
            return 0.0
        return max(patience - max(cpu, asleep), 0.1)


Done = TypeVar("Done")


class KeeperGone(Exception):
    """Nobody knows what became of a child: its keeper has ended before it."""


class NotStarted(KeeperGone, InvalidInput):
    """A zygote ended before it was ready: it cannot start here, or the system was short of memory for a moment."""


class Zygote:
    """A started zygote; `facts` is what it said of itself. `close` ends it and all that came from it."""

    def __init__(self, kind: Kind, limits: Limits) -> None:
        if not hasattr(os, "fork"):
            raise InvalidInput("grading needs Linux or macOS; on Windows use the Windows Subsystem for Linux")
        self.limits, self.children, self.lost = limits, 0, False
        self.core, self.run, self.slot = _reserved_core(), cgroups.current(), cgroups.slot(limits.memory)
        self.control, theirs = socket.socketpair()
        passed = [theirs.fileno(), *([] if self.slot.file is None else [self.slot.file])]
        command = [sys.executable, "-P", "-s", "-S", "-B", "-c", _BOOTSTRAP, str(theirs.fileno())]
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent", **one_thread}
        environment |= ONE_HEAP
        environment["TORCH_COMPILE_DISABLE"] = "1"  # there is no compiler: what is decorated runs as it is
        # PYTHONHASHSEED does not reach an isolated interpreter: the order of sets may differ from run to run.
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=passed, env=environment, cwd="/", start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        theirs.close()
        stdin = self.process.stdin
        assert stdin is not None
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(given(kind, limits, self.core, self.slot.file)).encode())
            stdin.close()
        try:
            self.facts: dict[str, Any] = wire.receive(self.control, seconds=START_SECONDS) or {}
        except (OSError, wire.BadMessage):
            self.facts = {}
        if not self.facts:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            said = self.process.stderr.read().decode(errors="replace").strip() if self.process.stderr else ""
            self.close()
            raise NotStarted(f"the grader's child process does not start: {(said or 'no answer').splitlines()[-1]}")

    @contextlib.contextmanager
    def child(self, *files: int) -> Iterator[Child]:
        """A fresh child, which gets these open files. When the block is left, it and all its descendants are dead."""
        results, their_results = socket.socketpair()
        orders, their_orders = socket.socketpair()
        self.children += 1
        with results, orders, contextlib.ExitStack() as last:
            last.callback(self.slot.kill)  # also what is left where no report comes
            with their_results, their_orders:
                try:
                    socket.send_fds(self.control, [b"R"], [their_results.fileno(), their_orders.fileno(), *files])
                except OSError:  # it was ended, as by a system that is short of memory
                    self.lost = True
                    raise KeeperGone("the process that starts children has gone") from None
            child, why = Child(results, orders, self.limits), ""
            try:
                yield child
            finally:  # also where the caller has heard enough
                with contextlib.suppress(OSError):
                    orders.sendall(b"K")
                report = child.ended or wire.receive(orders, seconds=30)
                while isinstance(report, dict) and "dead" not in report:
                    why = f" ({str(report['keeper'])[:200]})" if "keeper" in report else why
                    report = wire.receive(orders, seconds=30)
                child.ended = report or {}
        if not child.ended:
            self.lost = True
            raise KeeperGone(f"the process that watches over a notebook has gone{why}")

    def close(self) -> None:
        """End it. Keepers see their connection close, and end what is left."""
        self.control.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()
        self.slot.remove()


_STARTED: dict[tuple[Kind, Limits], Zygote] = {}


def zygote(kind: Kind, limits: Limits) -> Zygote:
    """The zygote of this process for these limits, ended with the process, or when so many others have been started since.

    Another one when its users are used up, and where its children would not go into the group of the run that goes on now.
    """
    started = _STARTED.get((kind, limits))
    if started is not None and (started.children >= CHILDREN or started.lost or started.run != cgroups.current()):
        _STARTED.pop((kind, limits)).close()
        started = None
    if started is None:
        while len(_STARTED) >= MOST_STARTED:
            _STARTED.pop(next(iter(_STARTED))).close()
        started = _STARTED[kind, limits] = Zygote(kind, limits)
    return started


def attempted(act: Callable[[], Done], failed: Callable[[Exception], Done]) -> Done:
    """What `act` gives, tried again where a process around its child has gone; `failed` of any other error.

    Raises: InvalidInput where no such process starts.
    """
    last: Exception
    for _ in range(ATTEMPTS):
        try:
            return act()
        except KeeperGone as error:
            last = error
        except InvalidInput:
            raise
        except Exception as error:
            return failed(error)
    if isinstance(last, InvalidInput):
        raise last
    return failed(last)


@atexit.register
def close_all() -> None:
    """End every zygote of this process, and all that came from them."""
    while _STARTED:
        _STARTED.popitem()[1].close()


def given(kind: Kind, limits: Limits, core: int | None, group: int | None) -> dict[str, Any]:
    """What a zygote gets: its modules as text, and its settings."""
    names = ["sandbox.wire", "sandbox.isolation", "sandbox.syscalls", *kind.modules, "sandbox.zygote"]
    rooms = dict.fromkeys(name.rpartition(".")[0] for name in names)
    settings = {
        "serves": f"{FOLDER}.{kind.serves}",
        "namespaces": limits.namespaces,
        "view": view(kind.libraries, limits.hidden),
        "memory": limits.memory,
        "first_user": first_user(),
        "core": core,
        "group": group,
    }
    return {
        "modules": {f"{FOLDER}.{name}": source_of(name) for name in names},
        "packages": ["pgcourse", "pgcourse.grading", FOLDER, *(f"{FOLDER}.{room}" for room in rooms)],
        "zygote": f"{FOLDER}.sandbox.zygote",
        "path": site_paths(),
        "prefix": [sys.prefix, sys.exec_prefix],
        "settings": settings,
    }


def source_of(name: str) -> str:
    """The text of a module below this folder, such as `sandbox.wire`."""
    return resources.files(FOLDER).joinpath(*f"{name.replace('.', '/')}.py".split("/")).read_text(encoding="utf-8")


def first_user() -> int:
    """The first of as many numbers of users as a zygote has children, drawn so that no two zygotes share one."""
    try:
        spans = [[int(part) for part in line.split()] for line in Path("/proc/self/uid_map").read_text().splitlines()]
    except (OSError, ValueError):
        spans = []
    end = max((inside + count for inside, _, count in spans), default=2**16)
    low = USERS if end >= 2 * USERS else end // 2  # a container may have few users
    blocks = max((min(end, 2 * USERS) - low) // CHILDREN, 1)
    return low + CHILDREN * secrets.randbelow(blocks)


def processors() -> int:
    """How many this process may use: with more jobs, children share them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_CORES: dict[int, int] = {}  # processor -> open lock file, for as long as this process lives


@cache
def _reserved_core() -> int | None:
    """A processor that no other grading process of this machine has; None where there is none left."""
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) == 1:
        return None
    import fcntl  # not on Windows, where nothing is graded

    for core in sorted(os.sched_getaffinity(0)):
        path = Path(tempfile.gettempdir()) / f"pgcourse-grade-core-{core}-{os.getuid()}"
        with contextlib.suppress(OSError):
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(file)
                continue
            _CORES[core] = file
            return core
    return None
