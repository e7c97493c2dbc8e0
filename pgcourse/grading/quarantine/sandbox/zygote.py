"""A process that has imported torch and is copied for each notebook; no student's code ever runs in itself.

For each notebook it forks a keeper, and the keeper the child. The keeper runs nothing of the notebook: it ends the child
and all its descendants when the grader says so, goes away or has heard enough, and then reports that the child is dead.
"""

import contextlib
import os
import resource
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from typing import Any

from pgcourse.grading.quarantine.sandbox import child, isolation, wire

FIRST_USER = 61184  # users that no account has: systemd's range for services that need none


def main(control: socket.socket, settings: dict[str, Any]) -> None:
    """Serve until the grader closes `control`. Each message brings two sockets: the child's and the keeper's."""
    # Opened now: behind the walls there is no /proc.
    status = open("/proc/self/status", encoding="ascii") if os.path.exists("/proc/self/status") else None  # noqa: SIM115
    preload()
    why_not = "switched off"
    if settings["namespaces"]:
        why_not = isolation.enter(settings["readable"], settings["covered"])
    facts = dict(line.split(":\t") for line in status.read().splitlines() if ":\t" in line) if status else {}
    mapped = int(facts.get("VmSize", "0 kB").split()[0]) * 1024
    threads = int(facts.get("Threads", 1))
    wire.send(control, {"pid": os.getpid(), "why_not": why_not, "threads": threads, "root": os.getuid() == 0})
    limits = {"memory": settings["memory"], "mapped": mapped}
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are not waited for
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 2)
        if not message:
            return
        results, orders = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        if os.fork() == 0:
            control.close()
            try:
                keep(results, orders, walls=not why_not, limits=limits)
            finally:
                os._exit(0)
        results.close()
        orders.close()


def preload() -> None:
    """Import what notebooks import, so that no child pays for it, and what torch itself imports at a first use."""
    import scipy.signal
    import scipy.stats  # noqa: F401
    import torch

    torch.set_num_threads(1)
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([parameter], lr=0.0)
    torch.distributions.Categorical(logits=torch.zeros(2)).log_prob(torch.tensor(0))
    (2 * parameter).sum().backward()
    optimizer.step()
    torch.func.vmap(torch.func.grad(lambda x: x * x))(torch.zeros(2))


def keep(results: socket.socket, orders: socket.socket, *, walls: bool, limits: dict[str, int]) -> None:
    """In the keeper: start the child, wait until it ends or must end, leave nothing of it behind."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    isolation.adopt_orphans()
    folder = isolation.OWN_FOLDER if walls else tempfile.mkdtemp(prefix="pgcourse-grade-")
    # One user for each keeper: limits on processes count by user, and users do not see each other's.
    user = FIRST_USER + os.getpid() % 4000
    if walls:
        isolation.unshare(isolation.NEWPID)
    pid = os.fork()
    if pid == 0:
        try:
            orders.close()
            become(results, folder, user, walls=walls, limits=limits)
        except BaseException as error:  # of ours: nothing of the notebook has run
            wire.send(results, {"event": "broken", "text": f"{type(error).__name__}: {error}"})
        finally:
            os._exit(1)
    results.close()
    status = wait(pid, orders)
    end_descendants()
    if not walls:
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        wire.send(orders, {"dead": True, "status": status, "seconds": used.ru_utime + used.ru_stime})


def become(results: socket.socket, folder: str, user: int, *, walls: bool, limits: dict[str, int]) -> None:
    """In the child: put on all limits, then run what `child.serve` receives."""
    os.setsid()
    isolation.die_with_parent()
    if walls:
        isolation.own_folders()
    elif os.getuid() == 0:
        os.chown(folder, user, user)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(HOME=folder, TMPDIR=folder, PATH="/usr/bin:/bin", LANG="C.UTF-8", OMP_NUM_THREADS="1")
    os.environ.update(MPLBACKEND="agg", MPLCONFIGDIR=folder, USER="student")
    tempfile.tempdir = folder
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    mine = os.dup2(results.fileno(), 3)
    os.closerange(4, 1024)
    isolation.limit(**limits)
    isolation.drop_privileges(user)
    isolation.die_with_parent()  # a change of user forgets it
    child.serve(socket.socket(fileno=mine))


def wait(pid: int, orders: socket.socket) -> int:
    """Until the child has ended, or the grader says so or has gone; then it is dead. Returns: its exit status."""
    # Readable once the child has ended; where there is no such thing, look every now and then.
    watched: list[Any] = [orders, os.pidfd_open(pid)] if hasattr(os, "pidfd_open") else [orders]
    while True:
        # Whatever comes in the orders, be it the end of the connection, means: end it.
        ready = select.select(watched, [], [], 0.05)[0]
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if orders in ready:
            break
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


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
