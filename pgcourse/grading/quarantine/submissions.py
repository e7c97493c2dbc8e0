"""Finding what students handed in, and reading it without trusting it."""

import json
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgcourse.errors import InvalidInput
from pgcourse.grading.quarantine.cells import Cell, code_cells
from pgcourse.grading.quarantine.sandbox.wire import plain_text

MAX_BYTES = 256 * 2**20  # of one notebook, outputs included
MAX_NAME = 245  # bytes of a student's name: with an ending it is the name of a file, which has 255 at most
FORMULA = "=+-@"  # how a text begins that a spreadsheet computes


@dataclass(frozen=True)
class Submission:
    """One student's notebook for one assignment. `problem` says in words why nothing of it can run, if so."""

    student: str
    assignment: str
    path: str
    cells: tuple[Cell, ...] = ()
    problem: str = ""
    notes: tuple[str, ...] = ()


def find(folder: Path, assignments: Sequence[str]) -> tuple[list[Submission], list[str]]:
    """All submissions, and what was left out, in words.

    One notebook; or a folder that holds `STUDENT.ipynb` (a release of one notebook) and folders `STUDENT/NAME.ipynb`,
    or nbgrader's `STUDENT/NAME/NAME.ipynb`. Links are not followed. Raises: InvalidInput where there is nothing.
    """
    if not folder.exists():
        raise InvalidInput(f"there is no {folder}; give a notebook, or a folder with one folder for each student")
    remarks: list[str] = []
    files: dict[tuple[str, str], Path] = {}
    entries = [folder] if folder.is_file() else sorted(folder.iterdir())
    for entry in entries:
        if entry.name.startswith("."):
            continue
        student = unicodedata.normalize("NFC", entry.stem if entry.suffix == ".ipynb" else entry.name)
        if entry.is_symlink():
            remarks.append(f"{_shown(entry)} is a link, and was left out.")
        elif wrong := wrong_name(student):
            remarks.append(f"{entry.name!r} {wrong}, and was left out; give it the student's name")
        elif entry.is_file():
            if entry.suffix != ".ipynb":
                continue
            if len(assignments) > 1:
                matching = [name for name in assignments if student.endswith(name)]
                if matching:
                    student = student.removesuffix(matching[0]).rstrip("-_ ") or matching[0]
                    _add(files, remarks, (student, matching[0]), entry)
                else:
                    what = "does not say which notebook it is"
                    remarks.append(f"{_shown(entry)} {what}; put it into {student}/NAME.ipynb")
            else:
                _add(files, remarks, (student, assignments[0]), entry)
        elif entry.is_dir():
            for name in assignments:
                for path in (entry / f"{name}.ipynb", entry / name / f"{name}.ipynb"):
                    if path.is_symlink() or path.parent.is_symlink():
                        remarks.append(f"{path.relative_to(folder)} is a link, and was left out.")
                    elif path.is_file():
                        _add(files, remarks, (student, name), path)
            known = {f"{name}.ipynb" for name in assignments}
            for path in sorted(entry.glob("*.ipynb")):
                if path.name in known or path.is_symlink():
                    continue
                if len(assignments) == 1 and (student, assignments[0]) not in files:
                    files[student, assignments[0]] = path
                    remarks.append(f"{student}: {_shown(path)} was taken for {assignments[0]}.ipynb.")
                else:
                    remarks.append(f"{student}: {_shown(path)} is none of this release's notebooks, and was left out.")
            files.setdefault((student, ""), entry)
    if not files:
        raise InvalidInput(f"{folder} holds no notebooks; it needs STUDENT/{assignments[0]}.ipynb for each student")
    found = []
    for key in ((student, name) for student in sorted({student for student, _ in files}) for name in assignments):
        missing = Submission(*key, "", problem="No notebook was handed in.")
        found.append(read(files[key], *key) if key in files else missing)
    return found, remarks


def wrong_name(name: str) -> str:
    """Why a folder or file of this name is not filed under it; "" for a name that is taken as it is.

    Tables are written and read by people too: a name that looks like another one there would earn its marks.
    """
    if name != name.strip():
        return "begins or ends with a blank, which no table shows"
    if not name.isprintable():
        return "holds a character that cannot be printed"
    if name[0] in FORMULA:
        return f"begins with {name[0]!r}, as a spreadsheet's formula does"
    size = len(name.encode())
    return f"is {size} bytes long, of at most {MAX_NAME}" if size > MAX_NAME else ""


def _shown(path: Path) -> str:
    """The file's name; one that could write over a terminal's lines, in quotes."""
    return path.name if path.name.isprintable() else repr(path.name)


def _add(files: dict[tuple[str, str], Path], remarks: list[str], key: tuple[str, str], path: Path) -> None:
    if key in files:
        taken, left = (f"{each.parent.name}/{_shown(each)}" for each in (files[key], path))
        remarks.append(f"{key[0]} handed in {key[1]} twice; {taken} was taken, {left} was left out.")
    else:
        files[key] = path


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
