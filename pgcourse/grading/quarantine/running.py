"""Run one submission in child processes, with limits and deadlines, and collect what its functions did on the inputs.

This is the grader's side. What a child builds is asked about from here, in a process that runs no student's code. No right
answer is computed here.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from pgcourse.checks.observe import from_json, guarded
from pgcourse.checks.observe.asking import Ask, Asking, Unanswered
from pgcourse.checks.observe.record import Arrays
from pgcourse.checks.sandbox import preserved_state
from pgcourse.errors import InvalidInput
from pgcourse.grading.quarantine.process import CROWDED, Child, Kind, Limits, zygote
from pgcourse.grading.quarantine.reader.cells import Cell
from pgcourse.grading.quarantine.reading import failure
from pgcourse.grading.quarantine.sandbox import arrays, wire

MODULES = ("sandbox.arrays", "sandbox.packages", "sandbox.child")
NEEDED = ("numpy", "scipy", "torch")  # by the observers, whatever answers may use
SPARE = 10  # exercises' worth of time that a notebook may take besides its exercises
SLOW = 3.0  # times the limit on the processor: how long asking may keep the grader itself busy


@dataclass(frozen=True)
class Job:
    """All that a worker needs to run one notebook of one student.

    Fields: sources: the package as the child sees it. libraries: distributions that answers may use, with the top modules
    that they bring. absent: top modules that the handed-out notebook imports and that answers may not use. exercises: id
    -> its observer as data. inputs: id -> its cases.
    """

    student: str
    assignment: str
    cells: tuple[Cell, ...]
    sources: dict[str, str]
    libraries: dict[str, list[str]]
    absent: tuple[str, ...]
    exercises: dict[str, dict[str, Any]]
    inputs: dict[str, list[dict[str, Any]]]
    limits: Limits

    def __str__(self) -> str:
        return f"{self.student}/{self.assignment}"


@dataclass
class Collected:
    """What came back. `seen`: id -> observations (as `arrays` writes them), one a case, as far as it went.

    Fields: cell_errors: cell id -> what it raised, or why it was stopped. stopped: exercise id -> why it was stopped.
    printed: what the attempt printed, case by case. starts: children that it took. seconds: of processor time they used.
    failed: what went wrong in the grader itself; a person marks the notebook then.
    """

    seen: dict[str, list[Any]] = field(default_factory=dict)
    printed: dict[str, list[str]] = field(default_factory=dict)
    cell_errors: dict[str, str] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    starts: int = 0
    seconds: float = 0.0
    why_not_walled: str = ""
    failed: str = ""


class GivenUp(Exception):
    """The notebook has had all the time that it gets."""


class _Ended(Exception):
    """The child has ended an exercise in the middle of a question."""

    def __init__(self, message: dict[str, Any]) -> None:
        super().__init__()
        self.message = message


class _Broken(BaseException):
    """Nothing more can be asked. No `Exception`: no observer takes it for the attempt's."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


class Deadline:
    """Of one notebook: so many seconds of its own, however crowded the machine is."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.started = seconds, time.monotonic()
        self.look = self.started + seconds

    def check(self, child: Child, earlier: float) -> None:
        """Args: earlier: seconds that earlier children used. Raises: GivenUp."""
        now = time.monotonic()
        if now > self.look:
            if earlier + sum(child.spent()) > self.seconds or now - self.started > CROWDED * self.seconds:
                raise GivenUp
            self.look = now + self.seconds / 4


class _Run:
    """One child at work. Its messages must come in the order in which an honest child sends them."""

    def __init__(self, job: Job, collected: Collected, child: Child, left_out: set[str], deadline: Deadline) -> None:
        self.job, self.collected, self.child, self.deadline = job, collected, child, deadline
        self.cells = [cell for cell in job.cells if cell.id not in left_out]
        self.exercises = [id for id in job.exercises if id not in collected.stopped and not _whole(job, collected, id)]
        self.ahead = [("cell", cell.id) for cell in self.cells] + [("exercise", id) for id in self.exercises]
        self.now: tuple[str, str] | None = None
        self.begun = False  # whether a line of the student's may have run

    @property
    def blamed(self) -> tuple[str, str]:
        """What runs, or would run next."""
        return self.now or (self.ahead[0] if self.ahead else ("cell", ""))

    def run(self) -> None:
        """All cells, then all exercises. Raises: BadMessage, TimeoutError, OSError where the child has gone, GivenUp."""
        job = self.job
        request = {
            "sources": job.sources,
            "libraries": [top for tops in job.libraries.values() for top in tops],
            "absent": job.absent,
            "cells": [{"id": cell.id, "source": cell.source} for cell in self.cells],
            "exercises": [{"id": id, "observer": job.exercises[id]} for id in self.exercises],
            "seconds": job.limits.seconds,
        }
        self.child.send(request)
        for _ in self.cells:
            self._start()
            self._end(self._next("end"))
        self._next("ready")
        observers = {id: from_json(job.exercises[id]) for id in self.exercises}
        # What is asked about gets no inputs beforehand.
        self.child.send({id: job.inputs[id] for id in self.exercises if not isinstance(observers[id], Asking)})
        for id in self.exercises:
            self._start()
            self.collected.seen[id], self.collected.printed[id] = [], []
            if isinstance(observer := observers[id], Asking):
                self._drive(observer, id)
            else:
                self._listen(id)
        self._next("done")

    def _start(self) -> None:
        message = self._next("start")
        if (message.get("what"), message.get("id")) != self.ahead[0]:
            raise wire.BadMessage("a message out of order")
        self.now, self.begun = self.ahead.pop(0), True

    def _next(self, *events: str, together: bool = False) -> dict[str, Any]:
        """The next message, which must be one of these. Args: together: it shares the deadline of the last one."""
        if not together:
            self.child.begun()
        message = self.child.receive()
        self.deadline.check(self.child, self.collected.seconds)
        if message is None:
            raise ConnectionError
        if not isinstance(message, dict):
            raise wire.BadMessage("a message that is no table")
        if message.get("event") == "broken" and not self.begun:  # later anybody may say so
            raise InvalidInput(f"the grader's child process cannot be walled in: {str(message.get('text'))[:200]}")
        if message.get("event") not in events:
            raise wire.BadMessage("a message out of order")
        return message

    def _listen(self, id: str) -> None:
        """Take what the child sends of each case."""
        seen = self.collected.seen[id]
        message = self._next("case", "end")
        while message["event"] == "case":
            if len(seen) >= len(self.job.inputs[id]):
                raise wire.BadMessage("a case too many")
            arrays.decode_arrays(message.get("arrays"))  # must be readable; it is kept as it came
            seen.append(message["arrays"])
            self.collected.printed[id].append(_printed(message))
            message = self._next("case", "end", together=True)
        self._end(message)

    def _drive(self, observer: Asking, id: str) -> None:
        """Ask about each case, and write down the facts; the child only answers."""
        started, first, printed = time.process_time(), True, ""

        def ask(question: str, **arguments: Any) -> Arrays:
            nonlocal first, printed
            try:
                if time.process_time() - started > SLOW * self.job.limits.seconds:
                    raise TimeoutError
                given = arrays.encode_case(arguments)["dict"]
                self.child.send({"question": question, "first": first, "arguments": given})
                first = False
                message = self._next("case", "end")
                if message["event"] == "end":  # time was up in the middle of an answer
                    raise _Ended(message)
                answer = arrays.decode_arrays(message.get("arrays"))
            except (wire.BadMessage, OSError, _Ended, GivenUp) as broken:
                raise _Broken(broken) from None
            printed += _printed(message)
            if "error" in answer or "untouched" in answer:
                raise Unanswered(answer)
            return answer

        try:
            for encoded in self.job.inputs[id]:
                first, printed = True, ""
                facts = _facts(observer, ask, encoded)
                self.collected.seen[id].append(arrays.encode_arrays(facts))
                self.collected.printed[id].append(printed[:300])
                if "untouched" in facts:
                    break
        except _Ended as ended:
            self._end(ended.message)
            return
        self.child.send({"question": ""})
        self._end(self._next("end"))

    def _end(self, message: dict[str, Any]) -> None:
        if self.now is None or (message.get("what"), message.get("id")) != self.now:
            raise wire.BadMessage("a message out of order")
        (what, id), self.now = self.now, None
        error = message.get("error")
        if not error:
            return
        if not isinstance(error, list) or len(error) != 3 or not all(isinstance(part, str) for part in error):
            raise wire.BadMessage("an error of another form")
        kind, text, line = (wire.plain_text(part, 300) for part in error)
        # The text of a SyntaxError ends with its place, which is said below.
        text = re.sub(rf" \(<cell [^<>]*>, line {re.escape(line)}\)$", "", text)
        if kind == "TimeLimit":
            said = f"was stopped after {self.job.limits.seconds:g} seconds: does a loop never end?"
        else:
            said = f"raised {kind}{': ' * bool(text)}{text}" + (
                f" (line {line})" if line and f"line {line})" not in text else ""
            )
        if what == "cell":
            self.collected.cell_errors[id] = said
        else:  # an attempt's own errors are observations; here the observer itself was stopped
            self.collected.stopped[id] = said if kind == "TimeLimit" else "could not be run"


def _facts(observer: Asking, ask: Ask, encoded: dict[str, Any]) -> Arrays:
    """Of one case. Raises: whatever keeps `ask` from asking."""
    broken: list[Exception] = []

    def drive() -> Arrays:
        try:
            return observer.drive(ask, arrays.decode_case({"dict": encoded}))
        except Unanswered as unanswered:
            return unanswered.arrays
        except _Broken as why:
            broken.append(why.cause)
            return {}

    with preserved_state():
        facts = guarded(observer.drive, drive)
    if broken:
        raise broken[0]
    return facts


def _printed(message: dict[str, Any]) -> str:
    printed = message.get("printed")
    return wire.plain_text(printed, 300) if isinstance(printed, str) else ""


def kind(job: Job) -> Kind:
    """The zygote that a job needs."""
    return Kind(MODULES, "sandbox.child", tuple(dict.fromkeys([*NEEDED, *job.libraries])))


def collect(job: Job) -> Collected:
    """Run the notebook in fresh children until nothing is left to run.

    What ends or silences its child costs only itself: a fresh child runs the rest without it.
    """
    try:
        return _collect(job)
    except InvalidInput:
        raise
    except Exception as error:
        return Collected(failed=failure(error))


def _collect(job: Job) -> Collected:
    collected = Collected()
    left_out: set[str] = set()
    deadline = Deadline(job.limits.patience * (len(job.exercises) + SPARE))
    for _ in range(len(job.cells) + len(job.exercises) + 2):
        process = zygote(kind(job), job.limits)
        collected.why_not_walled = str(process.facts["why_not"])
        collected.starts += 1
        why = "done"
        try:
            with process.child() as child:
                run = _Run(job, collected, child, left_out, deadline)
                run.run()
        except TimeoutError:
            why = "silent"
        except wire.BadMessage:
            why = "nonsense"
        except OSError:  # it closed its end
            why = "died"
        except GivenUp:
            return _given_up(job, collected)
        finally:
            collected.seconds += child.ended.get("seconds", 0.0)
        # A cell that ran out of time runs out of it again: it is left out of what follows.
        left_out |= {id for id, said in collected.cell_errors.items() if said.startswith("was stopped")}
        if not run.ahead and run.now is None:  # all came back, however the child ended: nobody is to blame
            return collected
        _blame(job, run, why, child.ended.get("status"), left_out)
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


def _blame(job: Job, run: _Run, why: str, status: Any, left_out: set[str]) -> None:
    """Write down who ended the child, so that the next one goes without it."""
    if why == "silent":
        said = f"was stopped after {job.limits.patience:g} seconds by the clock: it neither ended nor answered"
    elif why == "nonsense":
        said = "was stopped: it sent the grader something that is no result"
    else:
        how = f"signal {-status}" if isinstance(status, int) and status < 0 else f"exit status {status}"
        said = f"was stopped: it ended its process ({how}), or used more memory than it may"
    what, id = run.blamed
    if what == "exercise":
        run.collected.stopped[id] = said
    elif id:
        run.collected.cell_errors[id] = said
        left_out.add(id)
