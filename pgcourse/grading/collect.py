"""One submission in its child: what its functions did on the inputs. No answer is computed here."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from pgcourse.errors import InvalidInput
from pgcourse.grading.cells import Cell
from pgcourse.grading.client import Limits, zygote
from pgcourse.grading.sandbox import wire

SPARE = 10  # exercises' worth of time that a notebook may take besides its exercises


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

    def take(self, message: dict[str, Any]) -> None:
        """Note one message. Raises: BadMessage for one that is out of order or has another form."""
        event, name = message.get("event"), message.get("id")
        if event == "start" and self.ahead and self.now is None and (message.get("what"), name) == self.ahead[0]:
            self.now = self.ahead.pop(0)
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
        elif event == "broken":
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
        if ended["why"] == "done" and not run.ahead:
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
