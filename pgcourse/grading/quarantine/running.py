"""Run one submission in child processes, with limits and deadlines, and collect what its functions did on the inputs.

This is the grader's side. What a child builds is asked about from here, in a process that runs no student's code. No right
answer is computed here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pgcourse.checks.observe import from_json, guarded, half_to_json
from pgcourse.checks.observe.asking import Ask, Asking, Callback, Unanswered, unanswered
from pgcourse.checks.observe.record import Arrays, add_left, settle
from pgcourse.checks.sandbox import preserved_state
from pgcourse.errors import InvalidInput
from pgcourse.grading.quarantine.process import CROWDED, Child, KeeperGone, Kind, Limits, attempted, zygote
from pgcourse.grading.quarantine.reader.cells import Cell
from pgcourse.grading.quarantine.reading import failure
from pgcourse.grading.quarantine.sandbox import arrays, packages, wire

_compiled = cache(packages.compiled)
MODULES = ("sandbox.arrays", "sandbox.packages", "sandbox.child")
NEEDED = ("numpy", "scipy", "torch")  # by the observers, whatever answers may use
MAX_MESSAGE = 8 * 2**20  # bytes, of a child that runs a student's code
MAX_TOTAL = 12 * 2**20  # bytes of all observations of one notebook; right answers of a unit have 2 MB at most
OF_EACH, OF_A_LETTER = 200, 4  # bytes of an array besides its numbers, and of its name's letters
MOST_CALLS = 1000  # of callbacks, for one question
MOST_LEFT, MOST_LETTERS = 50, 60  # words on what the answers about one case have left behind
MOST_GIVEN = 2**18  # bytes of the array that a callback gets
KNOWN = {"event", "id", "error", "arrays", "printed", "text", "name", "array"}  # what a message may hold
SPARE = 10  # exercises' worth of time that a notebook may take besides its exercises
SLOW = 3.0  # times the limit on the processor: how long asking may keep the grader itself busy


@dataclass(frozen=True)
class Job:
    """All that a worker needs to run one notebook of one student.

    Fields: sources: the package as the child sees it. libraries: distributions that answers may use, with the top modules
    that they bring. absent: top modules that the handed-out notebook imports and that answers may not use. exercises: id
    -> its observer as data. inputs: id -> its cases. visible: id -> how many of them, the first ones, are public.
    """

    student: str
    assignment: str
    cells: tuple[Cell, ...]
    sources: dict[str, str]
    libraries: dict[str, list[str]]
    absent: tuple[str, ...]
    exercises: dict[str, dict[str, Any]]
    inputs: dict[str, list[dict[str, Any]]]
    visible: dict[str, int]
    limits: Limits

    def __str__(self) -> str:
        return f"{self.student}/{self.assignment}"


@dataclass
class Collected:
    """What came back. `seen`: id -> observations (as `arrays` writes them), one a case, as far as it went.

    Fields: cell_errors: cell id -> what it raised, or why it was stopped. stopped: exercise id -> why it was stopped.
    printed: what the attempt printed, case by case. starts: children that it took. seconds: of processor time they used.
    asleep: seconds that they wanted none.
    size: bytes of all observations. told: whether a hidden input has gone out to a child. failed_again: whether a cell
    failed after that. failed: what went wrong in the grader itself; a person marks the notebook then.
    """

    seen: dict[str, list[Any]] = field(default_factory=dict)
    printed: dict[str, list[str]] = field(default_factory=dict)
    cell_errors: dict[str, str] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    starts: int = 0
    seconds: float = 0.0
    asleep: float = 0.0
    size: int = 0
    told: bool = False
    failed_again: bool = False
    why_not_walled: str = ""
    failed: str = ""


class GivenUp(Exception):
    """The notebook has had all the time that it gets."""


class TooManyCalls(Exception):
    """An attempt goes on and on calling what it was handed."""


class _Broken(BaseException):
    """Nothing more can be asked; without a cause, as its time is up. No `Exception`: no observer takes it for the attempt's."""

    def __init__(self, cause: Exception | None) -> None:
        super().__init__()
        self.cause = cause


class Deadline:
    """Of one notebook: so many seconds of its own, however crowded the machine is."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.started = seconds, time.monotonic()
        self.look = self.started + seconds

    def check(self, child: Child, earlier: float) -> None:
        """Args: earlier: seconds that earlier children used or slept. Raises: GivenUp."""
        now = time.monotonic()
        if now > self.look:
            if earlier + sum(child.spent()) > self.seconds or now - self.started > CROWDED * self.seconds:
                raise GivenUp
            self.look = now + self.seconds / 4


class _Run:
    """One child at work. Its messages must come in the order in which an honest child sends them."""

    def __init__(self, job: Job, collected: Collected, child: Child, left_out: set[str], deadline: Deadline) -> None:
        self.job, self.collected, self.child, self.deadline = job, collected, child, deadline
        self.left_out = left_out
        self.cells = [cell for cell in job.cells if cell.id not in left_out]
        self.now: tuple[str, str] | None = None  # what runs, or runs next; None where all has come back
        self.begun = False  # whether a line of the student's may have run
        self.started = time.process_time()  # of the grader, when the exercise that runs began

    def run(self) -> None:
        """All cells, then all exercises. Raises: BadMessage, TooManyCalls, TimeoutError, OSError where it has gone, GivenUp."""
        job, exercises = self.job, [*self.left()]
        request = {
            "sources": job.sources,
            "codes": {module: _compiled(module, source) for module, source in job.sources.items()},
            "libraries": [top for tops in job.libraries.values() for top in tops],
            "absent": job.absent,
            "cells": [{"id": cell.id, "source": cell.source} for cell in self.cells],
            "exercises": [{"id": id, "observer": half_to_json(from_json(job.exercises[id]))} for id in exercises],
            "seconds": job.limits.seconds,
        }
        steps = [*(("cell", cell.id) for cell in self.cells), *(("exercise", id) for id in exercises[:1]), None]
        self.now = steps[0]
        self.child.send(request)
        for place, cell in enumerate(self.cells):
            self._next("start", id=cell.id)
            self.begun = True
            self._note_cell(cell.id, self._next("end").get("error"))
            self.now = steps[place + 1]
        self._next("ready")
        # First what is public, of all exercises: what a student is shown of it can hold nothing of a hidden input.
        for id in exercises:
            self._observe(id, self.job.visible[id])
        self.collected.told = True
        for id in exercises:
            self._observe(id, len(self.job.inputs[id]))
        self.now = None

    def left(self) -> Iterator[str]:
        """The exercises that have more to show."""
        return (
            id
            for id in self.job.exercises
            if id not in self.collected.stopped and not _whole(self.job, self.collected, id)
        )

    def _next(self, *events: str, together: bool = False, **expected: Any) -> dict[str, Any]:
        """The next message, which must be one of these. Args: together: it shares the deadline of the last one."""
        if time.process_time() - self.started > SLOW * self.job.limits.seconds:
            raise TimeoutError
        if not together:
            self.child.begun()
        message = self.child.receive(MAX_MESSAGE)
        self.deadline.check(self.child, self.collected.seconds + self.collected.asleep)
        if message is None:
            raise ConnectionError
        if not isinstance(message, dict) or not message.keys() <= KNOWN:
            raise wire.BadMessage("a message that is no table of ours")
        if message.get("event") == "broken" and not self.begun:  # later anybody may say so
            raise InvalidInput(f"the grader's child process cannot be walled in: {str(message.get('text'))[:200]}")
        if message.get("event") not in events or any(message.get(name) != value for name, value in expected.items()):
            raise wire.BadMessage("a message out of order")
        return message

    def _observe(self, id: str, until: int) -> None:
        """The cases of one exercise, up to this number, each sent when the one before has been answered."""
        self.now = ("exercise", id)
        seen, printed = self.collected.seen.setdefault(id, []), self.collected.printed.setdefault(id, [])
        observer = from_json(self.job.exercises[id])
        self.started = time.process_time()
        while len(seen) < until and id not in self.collected.stopped and not _whole(self.job, self.collected, id):
            given = self.job.inputs[id][len(seen)]
            if isinstance(observer, Asking):
                self._drive(observer, id, given)
            elif (message := self._order(id, {}, given=given)) is not None:
                seen.append(self._kept(arrays.decode_arrays(message.get("arrays"))))
                printed.append(_printed(message))

    def _order(self, id: str, callbacks: dict[str, Callback], **order: Any) -> dict[str, Any] | None:
        """Let the child do one thing, and answer its callbacks; None where its time was up, or it could not, which is noted.

        To wait for an answer of ours is no sleep: each call counts as a sign of life. Raises: TooManyCalls.
        """
        self.child.send({"exercise": id, "callbacks": [*callbacks], **order})
        events = ("case", "stopped", *["asks"] * bool(callbacks))
        message = self._next(*events, together="question" not in order and bool(self.collected.seen[id]))
        calls = 0
        while message["event"] == "asks":
            calls += 1
            if calls > MOST_CALLS:
                raise TooManyCalls
            self.child.send(_called(callbacks, message))
            message = self._next(*events)
        if message["event"] == "case":
            return message
        kind, _, _ = _error(message.get("error"))
        seconds = self.job.limits.seconds
        said = (
            f"was stopped after {seconds:g} seconds: does a loop never end?"
            if kind == "TimeLimit"
            else "could not be run"
        )
        self.collected.stopped[id] = said
        return None

    def _drive(self, observer: Asking, id: str, given: dict[str, Any]) -> None:
        """Ask about one case, and write down the facts; the child only answers."""
        first, printed, left = True, "", list[str]()

        def ask(question: str, **arguments: Any) -> Arrays:
            nonlocal first, printed
            try:
                callbacks = {name: value for name, value in arguments.items() if callable(value)}
                plain = {name: value for name, value in arguments.items() if name not in callbacks}
                encoded = arrays.encode_case(plain)["dict"]
                message = self._order(id, callbacks, question=question, first=first, given=encoded)
                first = False
                answer = settle(arguments, arrays.decode_arrays(message.get("arrays"))) if message else {}
            except (wire.BadMessage, OSError, GivenUp, TooManyCalls) as broken:
                raise _Broken(broken) from None
            if message is None:
                raise _Broken(None)
            printed += _printed(message)
            told = answer["left"].ravel()[:MOST_LEFT].tolist() if "left" in answer else []
            left.extend(str(each)[:MOST_LETTERS] for each in told[: MOST_LEFT - len(left)])
            if instead := unanswered(answer):
                raise Unanswered(instead)
            return answer

        if (facts := _facts(observer, ask, given)) is not None:
            if left:
                add_left(facts, left)
            self.collected.seen[id].append(self._kept(facts))
            self.collected.printed[id].append(printed[:300])

    def _kept(self, observed: Arrays) -> dict[str, Any]:
        """The observation as it is kept. Raises: BadMessage where all of them together are too large."""
        self.collected.size += sum(a.nbytes + OF_EACH + OF_A_LETTER * len(name) for name, a in observed.items())
        if self.collected.size > MAX_TOTAL:
            raise wire.BadMessage("observations of too many bytes")
        return arrays.encode_arrays(observed)

    def _note_cell(self, id: str, error: Any) -> None:
        if not error:
            return
        kind, text, line = _error(error)
        # The text of a SyntaxError ends with its place, which is said below.
        text = re.sub(rf" \(<cell [^<>]*>, line {re.escape(line)}\)$", "", text)
        said = f"raised {kind}{': ' * bool(text)}{text}" + (f" (line {line})" if line else "")
        if kind == "TimeLimit":
            said = f"was stopped after {self.job.limits.seconds:g} seconds: does a loop never end?"
        self.blame_cell(id, said)

    def blame_cell(self, id: str, said: str) -> None:
        """Write down what a cell did; after hidden inputs not even which it was, for who ended when may hold a number."""
        if not self.collected.told:
            self.collected.cell_errors[id] = said
        elif id not in self.collected.cell_errors:
            self.collected.failed_again = True


def _error(error: Any) -> tuple[str, str, str]:
    """Type, text and line of what was raised. Raises: BadMessage for anything else."""
    if not isinstance(error, list) or len(error) != 3 or not all(isinstance(part, str) for part in error):
        raise wire.BadMessage("an error of another form")
    kind, text, line = (wire.plain_text(part, 300) for part in error)
    return kind, text, line


def _called(callbacks: dict[str, Callback], message: dict[str, Any]) -> list[Any]:
    """What a callback gives for the child's array. Raises: BadMessage for another name, or an array that it cannot take."""
    try:
        given = arrays.decode_array(message["array"]).copy()
        if given.nbytes > MOST_GIVEN:
            raise wire.BadMessage("an array of too many bytes")
        return arrays.encode_array(callbacks[message["name"]](given))
    except Exception as error:
        raise wire.BadMessage(f"a call that no honest child makes ({type(error).__name__})") from None


def _facts(observer: Asking, ask: Ask, given: dict[str, Any]) -> Arrays | None:
    """Of one case; None where it was stopped. Raises: whatever keeps `ask` from asking."""
    broken: list[Exception | None] = []

    def drive() -> Arrays:
        try:
            return observer.drive(ask, arrays.decode_case({"dict": given}))
        except Unanswered as unanswered:
            return unanswered.arrays
        except _Broken as why:
            broken.append(why.cause)
            return {}

    with preserved_state():
        facts = guarded(observer.drive, drive)
    if not broken:
        return facts
    if broken[0] is not None:
        raise broken[0]
    return None


def _printed(message: dict[str, Any]) -> str:
    printed = message.get("printed")
    return wire.plain_text(printed, 300, lines=True) if isinstance(printed, str) else ""


def kind(job: Job) -> Kind:
    """The zygote that a job needs."""
    return Kind(MODULES, "sandbox.child", tuple(dict.fromkeys([*NEEDED, *job.libraries])))


def collect(job: Job) -> Collected:
    """Run the notebook in fresh children until nothing is left to run.

    What ends or silences its child costs only itself: a fresh child runs the rest without it. A cell that has run out of its
    time runs again, for what it had defined by then.
    """
    return attempted(lambda: _collect(job), withheld)


def withheld(error: Exception) -> Collected:
    """What stands for a notebook on which the grader failed."""
    return Collected(failed=failure(error))


def _collect(job: Job) -> Collected:
    collected = Collected()
    left_out: set[str] = set()
    deadline = Deadline(job.limits.patience * (len(job.exercises) + SPARE))
    for _ in range(len(job.cells) + len(job.exercises) + 2):
        process = zygote(kind(job), job.limits)
        collected.why_not_walled = str(process.facts["why_not"])
        collected.starts += 1
        why, child, run = "done", None, None
        try:
            with process.child() as child:
                run = _Run(job, collected, child, left_out, deadline)
                run.run()
        except TimeoutError:
            why = "silent"
        except wire.BadMessage:
            why = "nonsense"
        except TooManyCalls:
            why = "calls"
        except OSError:  # it closed its end
            why = "died"
        except GivenUp:
            return _given_up(job, collected)
        finally:
            collected.seconds += child.ended.get("seconds", 0.0) if child else 0.0
            collected.asleep += child.ended.get("asleep", 0.0) if child else 0.0
        if run is None:  # its keeper did not answer in time
            raise KeeperGone("no keeper")
        if run.now is None:  # all came back, however the child ended: nobody is to blame
            return collected
        _blame(job, run, why)
        if job.exercises and not any(run.left()):
            return collected
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


def _blame(job: Job, run: _Run, why: str) -> None:
    """Write down who ended the child, so that the next one goes without it."""
    if why == "silent":
        said = f"was stopped after {job.limits.patience:g} seconds by the clock: it neither ended nor answered"
    elif why == "nonsense":
        said = "was stopped: it sent the grader something that is no result"
    elif why == "calls":
        said = f"was stopped after {MOST_CALLS} calls of the function that it is given: does a loop never end?"
    else:  # no exit status: it could hold a byte of a hidden input
        said = "was stopped: it ended its process, or used more memory than it may"
    assert run.now is not None
    what, id = run.now
    if what == "exercise":
        run.collected.stopped[id] = said
    else:
        run.blame_cell(id, said)
        run.left_out.add(id)
