"""What lies in one student's folder and in the folders below it, by names alone: so deep, so many, and through no link."""

import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pgcourse.grading.names import some

ENDING = ".ipynb"
ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst")
MAX_DEPTH = 4  # folders below a student's own
MAX_ENTRIES = 1000  # files and folders of one student that are looked at
# What systems write by themselves: nobody handed that in. `timestamp.txt` is nbgrader's.
SYSTEMS = ("timestamp.txt", "thumbs.db", "desktop.ini", "__macosx", "__pycache__")


@dataclass
class Contents:
    """What was found, folder by folder from the top, in the order of names.

    Fields: notebooks: files by their ending alone. others: files of another kind, pipes and the like. links: to anything.
    deep: folders that were not looked into. closed: the same, since this user may not. cut: whether there is more.
    """

    notebooks: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    deep: list[Path] = field(default_factory=list)
    closed: list[tuple[Path, str]] = field(default_factory=list)
    cut: bool = False


def contents(folder: Path, first: Sequence[Path] = ()) -> Contents:
    """Look into a folder. Args: first: files that are found however much else there is."""
    found, left = Contents(), MAX_ENTRIES
    waiting = deque([(folder, 0)])
    while waiting and not found.cut:
        here, depth = waiting.popleft()
        try:
            with os.scandir(here) as listed:
                entries = sorted(islice(listed, left + 1), key=lambda entry: entry.name)
        except OSError as error:
            found.closed.append((here, error.strerror or "error"))
            continue
        found.cut = len(entries) > left
        left -= len(entries)
        for entry in entries[:left] if found.cut else entries:
            path = here / entry.name
            if not _of_a_system(entry.name) and _sort(found, path, entry, deep=depth == MAX_DEPTH):
                waiting.append((path, depth + 1))
    if found.cut:
        found.notebooks = [
            *(path for path in first if path not in found.notebooks and _is_file(path)),
            *found.notebooks,
        ]
    return found


def remarks(found: Contents, folder: Path) -> list[str]:
    """What was left out of a student's folder, a line for each reason. Args: folder: the student's."""
    kinds = [("is a link", "are links", found.links), ("lies too deep", "lie too deep", found.deep)]
    said = [_left_out([shown(path.relative_to(folder)) for path in paths], *words) for *words, paths in kinds]
    said.append(no_notebooks([path.relative_to(folder) for path in found.others]))
    names = [f"{shown(path.relative_to(folder.parent))} ({why})" for path, why in found.closed]
    said.append(_left_out(names, "cannot be read", "cannot be read", "; open it to yourself"))
    if found.cut:
        said.append(
            f"of more than {MAX_ENTRIES} files and folders the rest was not looked at; hand in the notebooks alone."
        )
    return [each for each in said if each]


def no_notebooks(paths: Sequence[Path]) -> str:
    """What is said of files that are no notebooks; "" of none."""
    if any(is_archive(path) for path in paths):
        todo = "; unpack it" if len(paths) == 1 else "; unpack what is packed"
    elif any(f"{ENDING}." in path.name.lower() for path in paths):
        todo = f"; a notebook's name ends with {ENDING}"
    else:
        todo = ""
    return _left_out([shown(path) for path in paths], "is no notebook", "are no notebooks", todo)


def is_notebook(path: Path) -> bool:
    """Whether the name ends as a notebook's does, in whatever case."""
    return path.suffix.lower() == ENDING


def is_archive(path: Path) -> bool:
    """Whether the name ends as that of packed files does."""
    return path.suffix.lower() in ARCHIVES


def shown(path: Path) -> str:
    """The path; one that could write over a terminal's lines, in quotes."""
    return str(path) if str(path).isprintable() else repr(str(path))


def _left_out(names: Sequence[str], one: str, many: str, todo: str = "") -> str:
    if not names:
        return ""
    return f"{some(names)} {f'{one}, and was' if len(names) == 1 else f'{many}, and were'} left out{todo}."


def _sort(found: Contents, path: Path, entry: os.DirEntry[str], *, deep: bool) -> bool:
    """Put one entry where it belongs. Returns: whether it is a folder to look into."""
    try:
        link, folder, file = (
            entry.is_symlink(),
            entry.is_dir(follow_symlinks=False),
            entry.is_file(follow_symlinks=False),
        )
    except OSError as error:
        found.closed.append((path, error.strerror or "error"))
        return False
    if folder and not deep:
        return not path.name.startswith(".")
    kind = (
        found.links
        if link
        else found.deep
        if folder
        else found.notebooks
        if file and is_notebook(path)
        else found.others
    )
    if kind is found.notebooks or not path.name.startswith("."):
        kind.append(path)
    return False


def _of_a_system(name: str) -> bool:
    return name.lower() in SYSTEMS or name.startswith("._")


def _is_file(path: Path) -> bool:
    """Whether it is a file, with no link on the last two steps to it."""
    try:
        return path.is_file() and not path.is_symlink() and not path.parent.is_symlink()
    except OSError:
        return False
