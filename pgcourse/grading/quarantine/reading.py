"""The grader's side of reading: a process with limits reads one notebook, and what it says is checked and kept as data."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from pgcourse.grading.quarantine.process import Kind, Limits, attempted, source_of, zygote
from pgcourse.grading.quarantine.reader.cells import Cell, Plan
from pgcourse.grading.quarantine.sandbox import wire
from pgcourse.storage import write_json
from pgcourse.study.workers import run_jobs

READER = Kind(
    modules=tuple(
        f"reader.{name}" for name in ("python", "names", "changes", "cells", "review", "form", "notebook", "serve")
    ),
    serves="reader.serve",
    libraries=("ipython",),
)
MAX_BYTES = 256 * 2**20  # of one notebook, outputs included
MAX_CELLS = 2000
SECONDS, MEMORY = 20.0, 3 * 2**29  # of one reading; JSON takes some six times the file
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")  # no spreadsheet takes them for a number
UNREADABLE = "The notebook could not be read: its code or its outputs {}. Clear the outputs, and hand it in again."


@dataclass(frozen=True)
class Form:
    """What two solutions are compared by. Fields: tokens: how many. whole: a digest. runs: a number for each run of them."""

    tokens: int = 0
    whole: str = ""
    runs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Reading:
    """All that the grader knows of a notebook that was handed in.

    Fields: problem: why nothing of it can run, in words. failed: what went wrong in the grader itself; a person marks it
    then. cells: that run, in order. solutions: exercise -> ids of its cells.
    notes: for the student. look_at: for the teacher. calls: exercise -> others that it calls. forms: exercise -> its form.
    stamp: (release, assignment) for which it was made, or nothing. written: for the person who marks, see
    `reader.notebook.written`. answers: cell that a person marks -> fingerprint of what is written there. left_out: numbers
    of the learner's cells that do not run, though they do something. Made from data: raises BadMessage where that is not of
    these kinds.
    """

    problem: str = ""
    failed: str = ""
    cells: tuple[Cell, ...] = ()
    solutions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    look_at: tuple[str, ...] = ()
    calls: dict[str, tuple[str, ...]] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    stamp: tuple[str, ...] = ()
    written: tuple[dict[str, Any], ...] = ()
    answers: dict[str, str] = field(default_factory=dict)
    left_out: tuple[int, ...] = ()

    @property
    def plan(self) -> Plan:
        """The cells that run, with the names of the solutions."""
        return Plan(self.cells, self.solutions, self.notes)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Reading:
        """From what a reading process sent, or what was kept of it. Raises: BadMessage."""
        try:
            written = tuple(_written(each) for each in _list(data["written"], 100))
            return cls(
                problem=_text(data.get("problem", "")),
                cells=tuple(_cell(each) for each in _list(data["cells"], MAX_CELLS)),
                solutions={_text(id): _texts(cells) for id, cells in _dict(data["solutions"]).items()},
                notes=_texts(data["notes"]),
                look_at=_texts(data["look_at"]),
                calls={_text(id): _texts(names) for id, names in _dict(data["calls"]).items()},
                forms={_text(id): _form(each) for id, each in _dict(data["forms"]).items()},
                stamp=_texts(data["stamp"]),
                written=written,
                answers={
                    each["id"]: fingerprint(each["text"], [c["source"] for c in each["cells"]]) for each in written
                },
                left_out=tuple(_whole(each) for each in _list(data.get("left_out", []), 500)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise wire.BadMessage(f"a reading of another form ({type(error).__name__})") from None


def _list(value: Any, most: int) -> list[Any]:
    if type(value) is not list or len(value) > most:
        raise TypeError
    return value


def _dict(value: Any) -> dict[str, Any]:
    if type(value) is not dict or len(value) > 500:
        raise TypeError
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise TypeError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(each) for each in _list(value, 2000))


def _cell(value: Any) -> Cell:
    id, grade_id, source, number = value.values() if isinstance(value, dict) else _list(value, 4)
    return Cell(_text(id), _text(grade_id), _text(source), _whole(number))


def _form(value: Any) -> Form:
    runs = tuple(_whole(each) for each in _list(value["runs"], 20_000))
    return Form(_whole(value["tokens"]), _text(value["whole"]), runs)


def _written(value: Any) -> dict[str, Any]:
    cells = [
        {
            "source": _text(each["source"]),
            "printed": _text(each["printed"]),
            "figures": list(_texts(each["figures"])),
        }
        for each in _list(value["cells"], 100)
    ]
    return {
        "id": _text(value["id"]),
        "text": _text(value["text"]),
        "cells": cells,
        "left_out": _whole(value["left_out"]),
    }


@dataclass(frozen=True)
class ReadJob:
    """All that a worker needs to read one notebook.

    Fields: path: of the file. request: see `reader.serve.read`. kept: where the reading is written, and found again, if anywhere.
    """

    student: str
    assignment: str
    path: str
    request: dict[str, Any]
    limits: Limits
    kept: Path | None

    def __str__(self) -> str:
        return f"{self.student}/{self.assignment}"


def read(job: ReadJob) -> Reading:
    """Read one notebook, or take what was kept of the same file. What is no notebook gives a reading with a problem."""
    return attempted(lambda: _read(job), unread)


def unread(error: Exception) -> Reading:
    """What stands for a notebook on which the grader failed."""
    return Reading(failed=failure(error))


def read_briefly(job: ReadJob) -> Reading:
    """See `read`; without `written`, which may be megabytes of figures, and which only the marking page shows, from the file."""
    return replace(read(job), written=())


def read_all(wanted: Sequence[ReadJob], jobs: int) -> list[Reading]:
    """Read several notebooks briefly, so many at a time."""
    found = dict(run_jobs(read_briefly, wanted, num_workers=jobs, dask=None, failed=unread))
    return [found[place] for place in range(len(wanted))]


def stamp_job(path: Path, kept: Path, limits: Limits) -> ReadJob:
    """To read of a notebook its stamp alone. Args: kept: folder where that is written, and found again."""
    request: dict[str, Any] = {key: [] for key in ("released", "handed_out", "exercises", "manual")}
    name = hashlib.sha256(str(path).encode(errors="surrogateescape")).hexdigest()[:16]
    return ReadJob("", "", str(path), request, replace(limits, seconds=SECONDS, memory=MEMORY), kept / f"{name}.json")


def fingerprint(text: str, sources: Iterable[str]) -> str:
    """Eight letters that stand for an answer and the code beside it. Its figures may be drawn anew."""
    return hashlib.sha256(json.dumps([text.strip(), *sources]).encode()).hexdigest()[:8].translate(_LETTERS)


def failure(error: Exception) -> str:
    """What a person is told of an error of the grader's own."""
    return f"The grader itself failed on this notebook ({type(error).__name__}); a person marks it."


def _read(job: ReadJob) -> Reading:
    try:
        # Not through a link, and not from a pipe that never ends.
        file = os.open(job.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        return Reading(f"The file cannot be read ({error.strerror}).")
    try:
        size = os.fstat(file).st_size
        if size > MAX_BYTES:
            return Reading(f"The file has {size // 2**20} MB; clear its outputs and hand it in again.")
        if (digest := _digest(job, file)) is None:
            return Reading("The file grows while it is read; hand in one that is finished.")
        if job.kept and (kept := _kept(job.kept, digest)) is not None:
            return kept
        os.lseek(file, 0, os.SEEK_SET)
        reading = _asked(job, file)
    except OSError as error:
        return Reading(f"The file cannot be read ({error.strerror}).")
    finally:
        os.close(file)
    if job.kept:
        write_json(job.kept, {"digest": digest, **asdict(reading)}, indent=None)
    return reading


def _asked(job: ReadJob, file: int) -> Reading:
    """Let a fresh process read the file."""
    why, answer = "take too long to read", None
    with zygote(READER, job.limits).child(file) as child:
        try:
            child.send({**job.request, "seconds": job.limits.seconds})
            answer = child.receive()
            why = "take too much memory or time to read"
        except (TimeoutError, OSError):
            pass
        except wire.BadMessage:
            why = "are no such as a notebook holds"
    if isinstance(answer, dict) and isinstance(answer.get("problem"), str):
        return Reading(wire.plain_text(answer["problem"], 300))
    try:
        if isinstance(answer, dict):
            return Reading.of(answer["reading"])
    except (wire.BadMessage, KeyError):
        why = "are no such as a notebook holds"
    return Reading(UNREADABLE.format(why))


def _digest(job: ReadJob, file: int) -> str | None:
    """Of all that decides what is read: the file, the request, the code that reads and its limits. None: it is too large."""
    total = hashlib.sha256(
        json.dumps([job.request, job.limits.seconds, job.limits.memory, _code()], sort_keys=True).encode()
    )
    size = 0
    while part := os.read(file, 2**20):
        if (size := size + len(part)) > MAX_BYTES:
            return None
        total.update(part)
    return total.hexdigest()


@cache
def _code() -> str:
    return hashlib.sha256("\0".join(map(source_of, READER.modules)).encode()).hexdigest()


def _kept(path: Path, digest: str) -> Reading | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Reading.of(data) if data["digest"] == digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
