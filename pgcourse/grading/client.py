"""The grader's side of a child: start the zygote, ask it for a child, read what that sends, with limits and deadlines."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from pgcourse.errors import InvalidInput
from pgcourse.grading.sandbox import wire

MODULES = ("wire", "isolation", "imports", "child", "zygote")
START_SECONDS = 180  # of the zygote, on a busy machine
GRACE = 2.0  # seconds beyond the child's own limit by the clock
# The child's modules come over its standard input, so that no folder of the package is on its path.
_BOOTSTRAP = """
import json, socket, sys, types
given = json.load(sys.stdin)
sys.prefix, sys.exec_prefix = given["prefix"]
sys.path[:] = [*given["path"], *sys.path]
for name in ("pgcourse", "pgcourse.grading", "pgcourse.grading.sandbox"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
for name, source in given["modules"].items():
    module = sys.modules["pgcourse.grading.sandbox." + name] = types.ModuleType("pgcourse.grading.sandbox." + name)
    setattr(sys.modules["pgcourse.grading.sandbox"], name, module)
    exec(compile(source, f"<grader's {name}>", "exec"), vars(module))
module.main(socket.socket(fileno=int(sys.argv[1])), given["settings"])
"""


@dataclass(frozen=True)
class Limits:
    """What a child may use.

    Fields: seconds: on the processor, for each cell and for all inputs of one exercise. memory: bytes beyond what the
    interpreter with torch takes. namespaces: False leaves the strongest walls out, for tests and for systems where
    they misbehave.
    """

    seconds: float = 10.0
    memory: int = 2**30
    namespaces: bool = True

    @property
    def patience(self) -> float:
        """Seconds by the clock after which a silent child is ended from outside."""
        return 3 * self.seconds + GRACE


class Zygote:
    """A started zygote; `facts` is what it said of itself. `close` ends it and all that came from it."""

    def __init__(self, limits: Limits) -> None:
        if not hasattr(os, "fork"):
            raise InvalidInput("grading needs Linux or macOS; on Windows use the Windows Subsystem for Linux")
        self.limits = limits
        self.control, theirs = socket.socketpair()
        command = [sys.executable, "-I", "-S", "-B", "-c", _BOOTSTRAP, str(theirs.fileno())]
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent", **one_thread}
        # PYTHONHASHSEED does not reach an isolated interpreter: the order of sets may differ from run to run.
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=[theirs.fileno()], env=environment, cwd="/", start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        theirs.close()
        stdin = self.process.stdin
        assert stdin is not None
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps(_given(limits)).encode())
            stdin.close()
        try:
            self.facts: dict[str, Any] | None = wire.receive(self.control, seconds=START_SECONDS)
        except TimeoutError:
            self.facts = None
        if self.facts is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            said = self.process.stderr.read().decode(errors="replace").strip() if self.process.stderr else ""
            raise InvalidInput(f"the grader's child process does not start: {(said or 'no answer').splitlines()[-1]}")

    def run(self, request: dict[str, Any], inputs: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Run one notebook in a fresh child; give its messages as they come, then how it ended.

        Args: request: `sources`, `cells` and `exercises`, see `collect.py`. inputs: exercise id -> its cases, sent when
        the cells have run.

        The last is {"event": "ended", "why": "done" | "silent" | "died" | "nonsense", "status": exit status, "seconds": of
        processor time}.
        When it is given, the child and all its descendants are dead.
        """
        results, their_results = socket.socketpair()
        orders, their_orders = socket.socketpair()
        why, report, given = "died", None, False
        with results, orders:
            with their_results, their_orders:
                socket.send_fds(self.control, [b"R"], [their_results.fileno(), their_orders.fileno()])
            try:
                wire.send(results, {**request, "seconds": self.limits.seconds})
                cells_left: int = len(request["cells"])
                deadline = time.monotonic() + self.limits.patience
                while (message := wire.receive(results, seconds=deadline - time.monotonic())) is not None:
                    if not isinstance(message, dict):
                        raise wire.BadMessage("a message that is no table")
                    event = message.get("event")
                    if event == "done":
                        why = "done"
                        break
                    if event == "ready":  # once, and not before the cells have run
                        if cells_left or given:
                            raise wire.BadMessage("inputs asked for at the wrong time")
                        wire.send(results, inputs)
                        given = True
                    else:
                        yield message
                    cells_left -= event == "end" and not given
                    if event != "case":  # all cases of an exercise share one deadline
                        deadline = time.monotonic() + self.limits.patience
            except TimeoutError:
                why = "silent"
            except wire.BadMessage:
                why = "nonsense"
            except OSError:  # it closed its end
                why = "died"
            finally:  # also where the caller has heard enough
                with contextlib.suppress(OSError):
                    orders.sendall(b"K")
                report = wire.receive(orders, seconds=30)
        if report is None:
            raise InvalidInput("the process that watches over a notebook was ended from outside; grade again")
        yield {"event": "ended", "why": why, "status": report["status"], "seconds": report["seconds"]}

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


_STARTED: list[Zygote] = []


@cache
def zygote(limits: Limits) -> Zygote:
    """The zygote of this process for these limits, started once and ended with the process."""
    started = Zygote(limits)
    _STARTED.append(started)
    return started


@atexit.register
def close_all() -> None:
    """End every zygote of this process, and all that came from them."""
    while _STARTED:
        _STARTED.pop().close()
    zygote.cache_clear()


def _given(limits: Limits) -> dict[str, Any]:
    folder = resources.files("pgcourse.grading.sandbox")
    package = os.path.dirname(os.path.dirname(__file__))
    libraries = list(dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib")))
    settings = {
        "namespaces": limits.namespaces,
        "memory": limits.memory,
        "readable": [*dict.fromkeys([*_interpreter(), *libraries])],
        "covered": [os.path.realpath(package), package],
    }
    modules = {name: folder.joinpath(f"{name}.py").read_text(encoding="utf-8") for name in MODULES}
    return {"modules": modules, "path": libraries, "prefix": [sys.prefix, sys.exec_prefix], "settings": settings}


def _interpreter() -> list[str]:
    """Folders of the standard library and of the shared library, if they are not the system's."""
    paths = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), sysconfig.get_config_var("LIBDIR")]
    return [path for path in paths if path and os.path.isdir(path) and path not in ("/", "/usr", "/lib", "/usr/lib")]
