"""Opens the learner's folder: makes it, or adds what is missing; what is there stays as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..course_files import course_folder
from ..errors import InvalidInput
from ..storage import atomic_write
from .handed_out import MANIFEST, Manifest, course_files, digest, handed_out, read_manifest

HOME = "Home.ipynb"  # made anew at each start, so not in the record


@dataclass(frozen=True)
class WorkFolder:
    """A folder that is ready. `update_available`: the installed course has other files than those handed out here."""

    folder: Path
    version: str
    update_available: bool


def open_folder(folder: Path, version: str, files: Mapping[str, bytes] | None = None) -> WorkFolder:
    """Make the folder, or add the files that it lacks. No file that is there is written.

    Args: version: of the course. files: its content by path; default the installed course's.
    Raises: InvalidInput for a folder that holds something else, and for the course's own.
    """
    files = course_files() if files is None else files
    refuse_other_folders(folder, files)
    known = read_manifest(folder)
    manifest = known or Manifest(version, {})
    for path, content in files.items():
        if not (folder / path).exists():
            atomic_write(folder / path, content)
        elif path in manifest.files or digest((folder / path).read_bytes()) != digest(content):
            continue
        manifest = manifest.with_file(path, handed_out(path, content))
    if manifest != known:
        manifest.write(folder)
    outdated = any(
        path not in manifest.files or manifest.files[path].digest != handed_out(path, content).digest
        for path, content in files.items()
    )
    return WorkFolder(folder, manifest.version, outdated or not manifest.files.keys() <= files.keys())


def changed_files(folder: Path) -> dict[str, float]:
    """Path -> time of the last change [s since 1970], of each file that is not as it was handed out."""
    manifest = read_manifest(folder)
    found = {}
    for path, before in manifest.files.items() if manifest else ():
        file = folder / path
        if file.is_file() and digest(file.read_bytes()) != before.digest:
            found[path] = file.stat().st_mtime
    return found


def refuse_other_folders(folder: Path, files: Mapping[str, bytes]) -> None:
    """Raise InvalidInput unless the folder can be, or is, a learner's work folder."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file; give a folder, such as pgcourse-work")
    own = {course_folder(name).resolve() for name in ("notebooks", "exercises")}
    if any((folder / name.name).resolve() in own for name in own):
        raise InvalidInput(f"{folder} is the course itself, which is never written; give another folder: pgcourse-work")
    if not folder.exists() or (folder / MANIFEST).exists():
        return
    if any((folder / path).exists() for path in files):
        return
    if any(not entry.name.startswith(".") for entry in folder.iterdir()):
        raise InvalidInput(f"{folder} holds other files; give a new or an empty folder, such as pgcourse-work")
