"""Brings a learner's folder to the installed version of the course; nothing that the learner wrote is lost."""

from collections.abc import Mapping
from pathlib import Path

import nbformat

from ..errors import InvalidInput
from ..storage import atomic_write
from .folder import refuse_other_folders
from .handed_out import HandedOut, Manifest, course_files, digest, handed_out, read_manifest
from .merge import merge
from .trust import is_trusted, trust


def update_folder(folder: Path, version: str, files: Mapping[str, bytes] | None = None) -> list[str]:
    """Replace what the learner has not touched, and merge what was edited (`merge`).

    Each file is written whole, and the record after it: after an interrupt the same call goes on.

    Args: version: of the course. files: its content by path; default the installed course's.
    Returns: one line for each thing to know. Raises: InvalidInput where the folder is no work folder.
    """
    files = course_files() if files is None else files
    if not folder.is_dir():
        raise InvalidInput(f"there is no folder {folder}; make one with: pgcourse lab {folder}")
    refuse_other_folders(folder, files)
    manifest = read_manifest(folder) or Manifest(version, {})
    lines: list[str] = []
    for path, content in files.items():
        lines += _update_file(folder, path, content, manifest.files.get(path), version)
        manifest = manifest.with_file(path, handed_out(path, content))
        manifest.write(folder)
    for path in manifest.files.keys() - files.keys():
        target = folder / path
        if target.exists() and digest(target.read_bytes()) == manifest.files[path].digest:
            target.unlink()
            lines.append(f"{path}: removed, the course no longer has it and you had not changed it")
        elif target.exists():
            lines.append(f"{path}: the course no longer has it; yours is kept")
        manifest = manifest.with_file(path, None)
    Manifest(version, manifest.files).write(folder)
    return lines


def _update_file(folder: Path, path: str, content: bytes, before: HandedOut | None, version: str) -> list[str]:
    target = folder / path
    if not target.exists():
        atomic_write(target, content)
        return [f"{path}: new"]
    mine = target.read_bytes()
    if mine == content:
        return []
    if before is not None and digest(mine) == before.digest:
        atomic_write(target, content)
        return [f"{path}: renewed"]
    if before is not None and before.digest == digest(content):
        return []  # the course has not changed it: it is as the learner left it
    if not path.endswith(".ipynb") or (old := _notebook(mine)) is None:
        aside = _free_name(target)
        atomic_write(aside, mine)
        atomic_write(target, content)
        return [f"{path}: renewed; yours is kept as {aside.name}"]
    new = nbformat.reads(content.decode("utf-8"), as_version=4)
    merged = merge(old, {} if before is None else before.cells, new, version=version)
    if merged.notebook == old:
        return []
    if [(it.cell_type, it.source) for it in merged.notebook.cells] == [(it.cell_type, it.source) for it in new.cells]:
        atomic_write(target, content)  # it was run, and nothing was written into it
        return [f"{path}: renewed"]
    trusted = is_trusted(old)
    atomic_write(target, nbformat.writes(merged.notebook).rstrip("\n") + "\n")
    if trusted:  # what is new in it is the course's
        trust(merged.notebook)
    return [f"{path}: renewed, with your work in it", *(f"{path}: {line}" for line in merged.conflicts)]


def _notebook(content: bytes) -> nbformat.NotebookNode | None:
    """The learner's notebook; None where the file is none."""
    try:
        notebook = nbformat.reads(content.decode("utf-8"), as_version=4)
        nbformat.validate(notebook)
    except Exception:
        return None
    return notebook


def _free_name(target: Path) -> Path:
    """NAME.before-update.EXT beside it, with a number where that is taken by something else."""
    number, mine = 1, target.read_bytes()
    while True:
        end = f"-{number}" * (number > 1)
        name = target.with_name(f"{target.stem}.before-update{end}{target.suffix}")
        if not name.exists() or name.read_bytes() == mine:
            return name
        number += 1
