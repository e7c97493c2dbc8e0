"""In the reading process: one file in, one message out."""

import contextlib
import os
import resource
import signal
import socket
import warnings
from collections.abc import Sequence
from typing import Any

from pgcourse.grading.quarantine.reader import notebook
from pgcourse.grading.quarantine.reader.cells import Cell, Plan, plan
from pgcourse.grading.quarantine.reader.form import features, form
from pgcourse.grading.quarantine.reader.names import used_names
from pgcourse.grading.quarantine.reader.review import review
from pgcourse.grading.quarantine.sandbox import wire

MAX_REMARKS = 100  # of each kind
MAX_REMARK = 300  # characters
MAX_CODE = 4_000_000  # characters of all cells that run


def preload() -> None:
    """Import what reads magics."""
    import symtable  # noqa: F401

    from IPython.core import inputtransformer2  # noqa: F401


def serve(connection: socket.socket, files: Sequence[int]) -> None:
    """Receive what is asked, read the file, answer, and end the process."""
    try:
        request = wire.receive(connection)
        seconds = int(request["seconds"])
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        warnings.simplefilter("ignore")
        with os.fdopen(files[0], "rb") as file:
            data = file.read()
        try:
            answer: dict[str, Any] = {"reading": read(data, request)}
        except notebook.NoNotebook as problem:
            answer = {"problem": str(problem)}
        except MemoryError:
            answer = {"problem": "The file takes too much memory to read; clear its outputs and hand it in again."}
        wire.send(connection, answer)
    finally:
        os._exit(0)


def read(data: bytes, request: dict[str, Any]) -> dict[str, Any]:
    """All that the grader wants to know of a notebook. Raises: NoNotebook.

    Args: request: `released`, code cells as lists; `handed_out`, [id, text] of all cells; `exercises` and `manual`, ids.
    """
    handed_in = notebook.parse(data)
    exercises: list[str] = request["exercises"]
    chosen = plan([Cell(*fields) for fields in request["released"]], notebook.code_cells(handed_in), exercises)
    if sum(len(cell.source) for cell in chosen.cells) > MAX_CODE:
        raise notebook.NoNotebook(
            f"Its code has more than {MAX_CODE:,} characters; remove what your answers do not need."
        )
    own = [cell for cell in chosen.cells if not cell.id.startswith("released-")]
    look_at = [f"cell {cell.number}, line {line}: {what}" for cell in own for line, what in review(cell.source)]
    return {
        "stamp": notebook.stamp(handed_in),
        "notes": _short([*notebook.notes(handed_in, len(data)), *chosen.notes]),
        "look_at": _short(look_at),
        "cells": [[cell.id, wire.plain_text(cell.grade_id, 100), cell.source, cell.number] for cell in chosen.cells],
        "solutions": {id: list(cells) for id, cells in chosen.solutions.items()},
        "calls": {id: _calls(chosen, id, exercises) for id in exercises},
        "forms": {id: features(form("\n".join(cell.source for cell in chosen.solution(id)))) for id in exercises},
        "left_out": list(chosen.left_out),
        "written": notebook.written(handed_in, request["manual"], request["handed_out"]),
    }


def _short(remarks: Sequence[str]) -> list[str]:
    cut = [wire.plain_text(remark, MAX_REMARK) for remark in remarks[:MAX_REMARKS]]
    return [*cut, f"... and {len(remarks) - MAX_REMARKS} more"] if len(remarks) > MAX_REMARKS else cut


def _calls(chosen: Plan, id: str, exercises: Sequence[str]) -> list[str]:
    """The other exercises that a solution calls."""
    return sorted({name for cell in chosen.solution(id) for name in used_names(cell.source)} & set(exercises) - {id})
