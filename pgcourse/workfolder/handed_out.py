"""What the course hands out, and the record of it in the learner's folder: `.pgcourse.json`.

The record holds the version of the course, a digest of each file as it was handed out, and of each cell of a notebook.
From it follows what is the learner's own: whatever differs.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..course_files import course_folder
from ..errors import InvalidInput
from ..storage import write_json

MANIFEST = ".pgcourse.json"
FORMAT = 1
# What a learner reads and writes. Solutions are not among them: `solution("gae")` shows one where it is asked for.
CARRIED = (("notebooks", "*.ipynb"), ("exercises", "*.ipynb"), ("docs", "symbols.md"))

STUB = (
    "NotImplementedError",
    "write your answer here",
    "Write your answer here",
)  # what an untouched answer cell holds


@dataclass(frozen=True)
class HandedOut:
    """One file as it was handed out."""

    digest: str
    cells: Mapping[str, str] = field(
        default_factory=dict
    )  # key -> digest, in the notebook's order; empty for other files


@dataclass(frozen=True)
class Manifest:
    """What a folder was made from. `files` maps a path such as notebooks/00_welcome.ipynb to what was handed out."""

    version: str
    files: Mapping[str, HandedOut]

    def with_file(self, path: str, handed_out: HandedOut | None) -> "Manifest":
        """The same with one file more, or without it."""
        files = {name: value for name, value in self.files.items() if name != path}
        if handed_out is not None:
            files[path] = handed_out
        return Manifest(self.version, dict(sorted(files.items())))

    def write(self, folder: Path) -> None:
        """Write it into the folder. Raises: InvalidInput where the system refuses."""
        files = {path: {"digest": it.digest, "cells": dict(it.cells)} for path, it in self.files.items()}
        write_json(folder / MANIFEST, {"format": FORMAT, "version": self.version, "files": files})


def course_files() -> dict[str, bytes]:
    """Path in a work folder -> content, of the course that is installed. Raises: InvalidInput where there is none."""
    found = {
        f"{name}/{file.name}": file.read_bytes()
        for name, pattern in CARRIED
        for file in sorted(course_folder(name).glob(pattern))
    }
    if not any(path.endswith(".ipynb") for path in found):
        raise InvalidInput("this installation has no notebooks; install pgcourse from its wheel or from a checkout")
    return found


def read_manifest(folder: Path) -> Manifest | None:
    """The record in the folder; None where there is none. A damaged one counts as none: then every file is the learner's."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise InvalidInput(
                f"{folder / MANIFEST} was written by a newer pgcourse; install that one: pip install -U pgcourse"
            )
        files = {str(path): HandedOut(it["digest"], dict(it["cells"])) for path, it in content["files"].items()}
        return Manifest(str(content["version"]), {path: it for path, it in files.items() if _inside(path)})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def cell_digest(cell: Mapping[str, Any]) -> str:
    """Of a cell's type and source: outputs and metadata change whenever a cell is run or folded."""
    return hashlib.sha256(f"{cell['cell_type']}\0{source_of(cell)}".encode()).hexdigest()[:16]


def is_answer(cell: Mapping[str, Any]) -> bool:
    """Whether this is a cell for a learner's answer."""
    return bool(cell.get("metadata", {}).get("nbgrader", {}).get("solution"))


def source_of(cell: Mapping[str, Any]) -> str:
    """The source as one string, as nbformat reads it or as JSON holds it."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def cell_key(cell: Mapping[str, Any]) -> str | None:
    """What a cell is known by over the versions: its grade_id, else its id; None where an editor has dropped both."""
    found = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id") or cell.get("id")
    return str(found) if found else None


def handed_out(path: str, content: bytes) -> HandedOut:
    """The entry of the record for this content. The course's own notebooks have unique keys.

    Somebody may have answered in a checkout's own `exercises/` before there was a work folder. Such an answer counts as the
    learner's from the start: its digest, and that of its file, is one that nothing has.
    """
    if not path.endswith(".ipynb"):
        return HandedOut(digest(content))
    cells = json.loads(content)["cells"]
    answered = {
        str(cell_key(cell)) for cell in cells if is_answer(cell) and not any(it in source_of(cell) for it in STUB)
    }
    digests = {str(cell_key(cell)): cell_digest(cell) for cell in cells}
    return HandedOut("" if answered else digest(content), digests | dict.fromkeys(answered, ""))


def _inside(path: str) -> bool:
    """A record may come with a folder from somebody else: it names nothing outside of it."""
    parts = PurePosixPath(path).parts
    return bool(parts) and ".." not in parts and not PurePosixPath(path).is_absolute() and "\\" not in path
