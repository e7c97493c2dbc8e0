"""A process that has imported what it serves and is copied for each notebook; no student's code ever runs in itself.

For each notebook it forks a keeper, and the keeper the child. The keeper runs nothing of the notebook: it says how the
child spends its time, ends it and all its descendants when the grader says so, goes away or has heard enough, and then
reports that the child is dead.
"""

import contextlib
import fcntl
import gc
import importlib
import os
import resource
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

from pgcourse.grading.quarantine.sandbox import isolation, syscalls, wire

LOOK_SECONDS = 0.05  # between two looks at what the child does
SLEEPING = b"SDTtIZX"  # states of a process that wants no processor
SPARE_TABLES = 2**25  # bytes of page tables, beyond twice what all memory side by side would need


@dataclass
class Settings:
    """What the grader tells a zygote.

    Fields: serves: the module of the child, with `preload()` and `serve(connection, files)`. view: of the disk, see
    `isolation.enter`. memory: bytes of a child beyond what is mapped. first_user: number of the first child's user; each
    further child has the next. core: the processor of all children, None for any. group: `cgroup.procs` of their control
    group, opened where there was a /sys; None for none.
    """

    serves: str
    namespaces: bool
    view: list[tuple[str, str]]
    memory: int
    first_user: int
    core: int | None
    group: int | None


def main(control: socket.socket, given: dict[str, Any]) -> None:
    """Serve until the grader closes `control`. Each message brings two sockets, the child's and the keeper's, and files."""
    settings = Settings(**given)
    # Opened now: behind the walls there is no /proc.
    proc = os.open("/proc", os.O_RDONLY) if os.path.exists("/proc/self/status") else None
    served: Any = importlib.import_module(settings.serves)
    served.preload()
    gc.collect()
    gc.freeze()  # else each child's first collection writes to every page that holds an object: 8 ms
    why_not = "switched off"
    if settings.namespaces:
        why_not = isolation.enter(settings.view)
    # A child can read what its parents hold: where the class lies is none of its business.
    settings.view.clear()
    entered, filtered = not why_not, syscalls.can_refuse()
    if entered and not filtered:
        why_not = "the system refuses a child no system call"
    facts = _facts(proc)
    mapped, data = (int(facts.get(name, "0 kB").split()[0]) * 1024 for name in ("VmSize", "VmData"))
    threads = int(facts.get("Threads", 1))
    wire.send(control, {"pid": os.getpid(), "why_not": why_not, "threads": threads, "root": os.getuid() == 0})
    isolation.yield_to_others(settings.core)
    limits = {"memory": settings.memory, "mapped": mapped, "data": data}
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are not waited for
    user = settings.first_user
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 3)
        if not message:
            return
        results, orders = (socket.socket(fileno=descriptor) for descriptor in descriptors[:2])
        if os.fork() == 0:
            control.close()
            try:
                isolation.join(settings.group)
                Keeper(served, results, orders, descriptors[2:], proc, user, entered, filtered).keep(limits)
            except BaseException as error:
                with contextlib.suppress(OSError):
                    wire.send(orders, {"keeper": f"{type(error).__name__}: {error}"})
            finally:
                os._exit(0)
        results.close()
        orders.close()
        for file in descriptors[2:]:
            os.close(file)
        user += 1


def _facts(proc: int | None) -> dict[str, str]:
    if proc is None:
        return {}
    with open(os.open("self/status", os.O_RDONLY, dir_fd=proc), encoding="ascii", errors="replace") as status:
        return dict(line.split(":\t") for line in status.read().splitlines() if ":\t" in line)


@dataclass
class Keeper:
    """Watches over one child. `user`: the child's own, for limits on processes count by user, and users see no other's."""

    served: Any
    results: socket.socket
    orders: socket.socket
    files: list[int]
    proc: int | None
    user: int
    walls: bool
    filtered: bool  # whether the system can be told which calls to refuse
    asleep: float = 0.0  # seconds in which the child wanted no processor

    def keep(self, limits: dict[str, int]) -> None:
        """Start the child, wait until it ends or must end, leave nothing of it behind."""
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        isolation.adopt_orphans()
        folder = isolation.OWN_FOLDER if self.walls else tempfile.mkdtemp(prefix="pgcourse-grade-")
        if self.walls:
            isolation.own_spaces(self.proc)
        pid = os.fork()
        if pid == 0:
            try:
                self.orders.close()
                self.become(folder, limits)
            except BaseException as error:  # of ours: nothing of the notebook has run
                wire.send(self.results, {"event": "broken", "text": f"{type(error).__name__}: {error}"})
            finally:
                os._exit(1)
        self.results.close()
        for file in self.files:
            os.close(file)
        status = self.wait(pid, SPARE_TABLES + 2 * (limits["mapped"] + limits["memory"]) // 512)
        end_descendants()
        if not self.walls:
            shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = {"seconds": used.ru_utime + used.ru_stime, "asleep": self.asleep}
            wire.send(self.orders, {"dead": True, "status": status, **spent})

    def become(self, folder: str, limits: dict[str, int]) -> None:
        """In the child: put on all limits, then serve."""
        os.setsid()
        isolation.die_with_parent()
        isolation.end_first(self.proc)
        if self.walls:
            isolation.own_folders()
        elif os.getuid() == 0:
            os.chown(folder, self.user, self.user)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(HOME=folder, TMPDIR=folder, PATH="/usr/bin:/bin", LANG="C.UTF-8", OMP_NUM_THREADS="1")
        os.environ.update(MPLBACKEND="agg", MPLCONFIGDIR=folder, USER="student")
        tempfile.tempdir = folder
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        high = [fcntl.fcntl(file, fcntl.F_DUPFD, 64) for file in (self.results.fileno(), *self.files)]
        mine, *files = (os.dup2(file, 3 + number) for number, file in enumerate(high))
        os.closerange(3 + len(high), 4096)
        isolation.limit(**limits)
        isolation.drop_privileges(self.user)
        isolation.die_with_parent()  # a change of user forgets it
        if self.filtered and not syscalls.refuse():
            raise OSError("the system does not refuse the child's system calls")
        self.served.serve(socket.socket(fileno=mine), files)

    def wait(self, pid: int, most_tables: int) -> int:
        """Until the child has ended, or the grader says so or has gone; then it is dead. Returns: its exit status.

        A child with more bytes of page tables than this, which no limit counts, is ended, too.
        """
        # Readable once the child has ended; where there is no such thing, look every now and then.
        watched: list[Any] = [self.orders, os.pidfd_open(pid)] if hasattr(os, "pidfd_open") else [self.orders]
        looked = time.monotonic()
        while True:
            ready = select.select(watched, [], [], LOOK_SECONDS)[0]
            now, cpu, wants = time.monotonic(), *self.look(pid)
            self.asleep += 0.0 if wants else now - looked
            looked = now
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            if self.orders in ready:
                # Whatever else comes in the orders, be it the end of the connection, means: end it.
                if self.orders.recv(1) != b"T":
                    break
                wire.send(self.orders, {"cpu": cpu, "asleep": self.asleep})
            if self.tables(pid) > most_tables:
                break
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def look(self, pid: int) -> tuple[float, bool]:
        """(seconds on the processor so far, whether it wants more now). What waits for a processor is not asleep.

        Where the system does not show that, all time counts as asleep.
        """
        if self.proc is None:
            return 0.0, False
        try:
            with open(os.open(f"{pid}/stat", os.O_RDONLY, dir_fd=self.proc), "rb") as file:
                state, *fields = file.read().rpartition(b")")[2].split()
        except OSError:
            return 0.0, False
        return (int(fields[10]) + int(fields[11])) / os.sysconf("SC_CLK_TCK"), state not in SLEEPING

    def tables(self, pid: int) -> int:
        """Bytes of the child's page tables; 0 where the system does not show that."""
        if self.proc is None:
            return 0
        with contextlib.suppress(OSError), open(os.open(f"{pid}/status", os.O_RDONLY, dir_fd=self.proc), "rb") as file:
            found = file.read().partition(b"VmPTE:")[2].split(None, 1)
            return 1024 * int(found[0]) if found else 0
        return 0


def end_descendants(seconds: float = 5.0) -> None:
    """Kill what the child left: as their nearest living ancestor that asked for them, the keeper inherits all of it.

    With a process namespace nothing is left: the kernel ended all of it with its first process.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        left = children()
        if not left:
            return
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def children() -> list[int]:
    """Processes whose parent is this one."""
    if sys.platform != "linux" or not os.path.isdir("/proc/self/task"):
        return []
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]
