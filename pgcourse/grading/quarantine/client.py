"""Run one submission in child processes, with limits and deadlines, and collect what its functions did on the inputs.

This is the grader's side: it starts the zygote, asks it for a child, reads what that sends. No answer is computed here.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pgcourse.errors import InvalidInput
from pgcourse.grading.quarantine.cells import Cell
from pgcourse.grading.quarantine.sandbox import wire

MODULES = ("wire", "isolation", "child", "zygote")
START_SECONDS = 180  # of the zygote, on a busy machine
GRACE = 2.0  # seconds beyond the child's own limit by the clock
SPARE = 10  # exercises' worth of time that a notebook may take besides its exercises
# The child's modules come over its standard input, so that no folder of the package is on its path.
_BOOTSTRAP = """
import json, socket, sys, types
given = json.load(sys.stdin)
sys.prefix, sys.exec_prefix = given["prefix"]
sys.path[:] = [*given["path"], *sys.path]
folder = "pgcourse.grading.quarantine.sandbox"
for name in ("pgcourse", "pgcourse.grading", "pgcourse.grading.quarantine", folder):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
for name, source in given["modules"].items():
    module = sys.modules[f"{folder}.{name}"] = types.ModuleType(f"{folder}.{name}")
    setattr(sys.modules[folder], name, module)
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

        Args: request: `sources`, `cells` and `exercises`, see `collect`. inputs: exercise id -> its cases, sent when
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
    folder = resources.files("pgcourse.grading.quarantine.sandbox")
    package = str(Path(__file__).parents[2])
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


@dataclass(frozen=True)
class Job:
    """All that a worker needs to run one notebook of one student.

    Fields: sources: the package as the child sees it. exercises: id -> its observer as data. inputs: id -> its cases.
    """

    student: str
    assignment: str
    cells: tuple[Cell, ...]
    sources: dict[str, str]
    exercises: dict[str, dict[str, Any]]
    inputs: dict[str, list[dict[str, Any]]]
    limits: Limits

    def __str__(self) -> str:
        return f"{self.student}/{self.assignment}"


@dataclass
class Collected:
    """What came back. `seen`: id -> observations (as `wire` writes them), one a case, as far as it went.

    Fields: cell_errors: cell id -> what it raised, or why it was stopped. stopped: exercise id -> why it was stopped.
    printed: what the attempt printed, case by case. starts: children that it took. seconds: of processor time they used.
    """

    seen: dict[str, list[Any]] = field(default_factory=dict)
    printed: dict[str, list[str]] = field(default_factory=dict)
    cell_errors: dict[str, str] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    starts: int = 0
    seconds: float = 0.0
    why_not_walled: str = ""


class _Run:
    """One child. Its messages must come in the order in which an honest child sends them."""

    def __init__(self, job: Job, collected: Collected, cells: list[Cell], exercises: list[str]) -> None:
        self.job, self.collected = job, collected
        self.ahead = [("cell", cell.id) for cell in cells] + [("exercise", id) for id in exercises]
        self.now: tuple[str, str] | None = None
        self.begun = False  # whether a line of the student's may have run

    def take(self, message: dict[str, Any]) -> None:
        """Note one message. Raises: BadMessage for one that is out of order or has another form."""
        event, name = message.get("event"), message.get("id")
        if event == "start" and self.ahead and self.now is None and (message.get("what"), name) == self.ahead[0]:
            self.now, self.begun = self.ahead.pop(0), True
            if self.now[0] == "exercise":
                self.collected.seen[self.now[1]], self.collected.printed[self.now[1]] = [], []
        elif event == "case" and self.now == ("exercise", name):
            seen = self.collected.seen[self.now[1]]
            if message.get("index") != len(seen) or len(seen) >= len(self.job.inputs[self.now[1]]):
                raise wire.BadMessage("a case that is not the next one")
            wire.decode_arrays(message.get("arrays"))  # must be readable; it is kept as it came
            seen.append(message["arrays"])
            printed = message.get("printed")
            self.collected.printed[self.now[1]].append(
                wire.plain_text(printed, 300) if isinstance(printed, str) else ""
            )
        elif event == "end" and self.now is not None and (message.get("what"), name) == self.now:
            self._end(message.get("error"))
        elif event == "broken" and not self.begun:  # later anybody may say so
            raise InvalidInput(f"the grader's child process cannot be walled in: {str(message.get('text'))[:200]}")
        else:
            raise wire.BadMessage("a message out of order")

    def _end(self, error: Any) -> None:
        assert self.now is not None
        what, id = self.now
        if error:
            if not isinstance(error, list) or len(error) != 3 or not all(isinstance(part, str) for part in error):
                raise wire.BadMessage("an error of another form")
            kind, text, line = (wire.plain_text(part, 300) for part in error)
            # The text of a SyntaxError ends with its place, which is said below.
            text = re.sub(rf" \(<cell [^<>]*>, line {re.escape(line)}\)$", "", text)
            seconds = self.job.limits.seconds
            if kind == "TimeLimit":
                said = f"was stopped after {seconds:g} seconds: does a loop never end?"
            else:
                said = f"raised {kind}{': ' * bool(text)}{text}" + (f" (line {line})" if line else "")
            if what == "cell":
                self.collected.cell_errors[id] = said
            else:  # an attempt's own errors are observations; here the observer itself was stopped
                self.collected.stopped[id] = said if kind == "TimeLimit" else "could not be run"
        self.now = None


def collect(job: Job) -> Collected:
    """Run the notebook in fresh children until nothing is left to run.

    What ends or silences its child costs only itself: a fresh child runs the rest without it.
    """
    process = zygote(job.limits)
    collected = Collected(why_not_walled=str(process.facts["why_not"]) if process.facts else "")
    left_out: set[str] = set()
    deadline = time.monotonic() + job.limits.patience * (len(job.exercises) + SPARE)
    for _ in range(len(job.cells) + len(job.exercises) + 2):
        cells = [cell for cell in job.cells if cell.id not in left_out]
        exercises = [id for id in job.exercises if id not in collected.stopped and not _whole(job, collected, id)]
        run = _Run(job, collected, cells, exercises)
        request = {
            "sources": job.sources,
            "cells": [{"id": cell.id, "source": cell.source} for cell in cells],
            "exercises": [{"id": id, "observer": job.exercises[id]} for id in exercises],
        }
        collected.starts += 1
        ended: dict[str, Any] = {}
        messages = process.run(request, {id: job.inputs[id] for id in exercises})
        try:
            for message in messages:
                if message.get("event") == "ended":
                    ended = message
                    collected.seconds += message["seconds"]
                else:
                    run.take(message)
                if time.monotonic() > deadline:
                    break
        except wire.BadMessage:
            ended = {"why": "nonsense"}
        finally:
            messages.close()  # type: ignore[attr-defined]
        if time.monotonic() > deadline:
            return _given_up(job, collected)
        # A cell that ran out of time runs out of it again: it is left out of what follows.
        left_out |= {id for id, said in collected.cell_errors.items() if said.startswith("was stopped")}
        if not run.ahead and run.now is None:  # all came back, however the child ended: nobody is to blame
            return collected
        _blame(job, run, ended, left_out)
    return collected


def _given_up(job: Job, collected: Collected) -> Collected:
    """What came back in time; the rest is not waited for, or a few thousand slow cells would keep the class waiting."""
    said = "was not run to its end: the cells and exercises of this notebook took too long together"
    left = [id for id in job.exercises if id not in collected.stopped and not _whole(job, collected, id)]
    collected.stopped.update(dict.fromkeys(left, said))
    return collected


def _whole(job: Job, collected: Collected, id: str) -> bool:
    seen = collected.seen.get(id, [])
    return len(seen) == len(job.inputs[id]) or (len(seen) == 1 and "untouched" in seen[0])


def _blame(job: Job, run: _Run, ended: dict[str, Any], left_out: set[str]) -> None:
    """Write down who ended the child, so that the next one goes without it."""
    why, status = ended["why"], ended.get("status")
    if why == "silent":
        said = f"was stopped after {job.limits.patience:g} seconds by the clock: it neither ended nor answered"
    elif why == "nonsense":
        said = "was stopped: it sent the grader something that is no result"
    else:
        how = f"signal {-status}" if isinstance(status, int) and status < 0 else f"exit status {status}"
        said = f"was stopped: it ended its process ({how}), or used more memory than it may"
    what, id = run.now or (run.ahead[0] if run.ahead else ("cell", ""))
    if what == "cell":
        run.collected.cell_errors[id] = said
        left_out.add(id)
    else:
        run.collected.stopped[id] = said
