"""Reading what students handed in without trusting it; `found` says which files these are."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgcourse.grading.quarantine.cells import Cell, code_cells
from pgcourse.grading.quarantine.found import discover
from pgcourse.grading.quarantine.sandbox.wire import plain_text
from pgcourse.grading.roster import Roster

MAX_BYTES = 256 * 2**20  # of one notebook, outputs included
MISSING = "No notebook was handed in."


@dataclass(frozen=True)
class Submission:
    """One student's notebook for one assignment. `problem` says in words why nothing of it can run, if so."""

    student: str
    assignment: str
    path: str
    cells: tuple[Cell, ...] = ()
    problem: str = ""
    notes: tuple[str, ...] = ()


def find(
    folder: Path, assignments: Sequence[str], roster: Roster | None = None, only: Sequence[str] = ()
) -> tuple[list[Submission], list[str]]:
    """All submissions, student by student, and what was left out, in words; see `found.discover`.

    Args: roster: the class; each student of it has submissions, if only missing ones. only: read those of these students
    alone. Raises: InvalidInput where there is nothing, and for a name in `only` that nobody has.
    """
    place = discover(folder, assignments, roster)
    place.take_unnamed(assignments)
    students = place.chosen(only, roster) if only else place.students
    found = []
    for key in ((student, name) for student in students for name in assignments):
        missing = Submission(*key, "", problem=MISSING)
        found.append(read(place.files[key], *key) if key in place.files else missing)
    return found, place.remarks


def read(path: Path, student: str, assignment: str) -> Submission:
    """Read one notebook. What is no notebook gives a submission with a problem, never an error."""

    def broken(problem: str) -> Submission:
        return Submission(student, assignment, str(path), problem=problem)

    try:
        # Not through a link, and not from a pipe that never ends.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            size = os.fstat(descriptor).st_size
            if size > MAX_BYTES:
                return broken(f"The file has {size // 2**20} MB; clear its outputs and hand it in again.")
            data = file.read(MAX_BYTES)
    except OSError as error:
        return broken(f"The file cannot be read ({error.strerror}).")
    if not data.strip():
        return broken("The file is empty.")
    try:
        notebook: Any = json.loads(data)
    except (ValueError, RecursionError, MemoryError):
        return broken("The file is no Jupyter notebook: it is not JSON. Save it in JupyterLab and hand in that file.")
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        return broken(
            "The file is JSON but no Jupyter notebook of format 4. Save it in JupyterLab and hand in that file."
        )
    notes = tuple(_notes(notebook, len(data)))
    return Submission(student, assignment, str(path), tuple(code_cells(notebook)), notes=notes)


def _notes(notebook: dict[str, Any], size: int) -> list[str]:
    notes = []
    metadata = notebook.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = kernel.get("language", "python") if isinstance(kernel, dict) else "python"
    if language != "python":
        named = plain_text(language, 40) if isinstance(language, str) else "another language"
        notes.append(f"The notebook names a kernel for {named}; its cells were run as Python.")
    if size > 20 * 2**20:
        notes.append(f"The file has {size // 2**20} MB; its outputs were not read.")
    return notes
