"""The release folder on disk: written whole, never over another release or over somebody's files."""

from __future__ import annotations

from pathlib import Path

from pgcourse.errors import InvalidInput
from pgcourse.grading.release import FILE, Release, read
from pgcourse.storage import atomic_write


def standing(out: Path, release: Release, *, force: bool) -> Release | None:
    """The release that stands in `out`, or None where nothing stands in the way.

    Raises: InvalidInput unless `force`, where the folder holds another release or files that are none of ours.
    """
    if out.exists() and not out.is_dir():
        raise InvalidInput(f"{out} is a file; give a folder for the release")
    if not out.exists() or not any(out.iterdir()):
        return None
    if not (out / FILE).exists():
        if force:
            return None
        raise InvalidInput(f"{out} is not empty and holds no release; choose another --out, or add --force")
    try:
        old = read(out)
    except InvalidInput as error:
        if force:
            return None
        raise InvalidInput(f"{error} (or add --force to replace it)") from None
    changed = differing(old, release)
    if changed and not force:
        raise InvalidInput(
            f"{out} holds another release ({', '.join(changed)} differ); choose another --out, or add --force to replace it"
        )
    return old


def differing(old: Release, new: Release) -> list[str]:
    """Settings in which two releases differ, the moment they were made left aside."""
    left, right = old.as_json(), new.as_json()
    return [key for key in right if key != "made" and left[key] != right[key]]


def files_of(release: Release) -> list[str]:
    """The files of a release whose names follow from its assignments."""
    names = [assignment.name for assignment in release.assignments]
    own = {exercise.source for a in release.assignments for exercise in a.exercises if exercise.source}
    sources = [f"teacher/source/{name}/{name}.ipynb" for name in names]
    keys = [f"teacher/key/{name}.ipynb" for name in names]
    return [*(a.notebook for a in release.assignments), *keys, *sources, *sorted(own)]


def write(
    out: Path, release: Release, files: dict[str, str], old: Release | None, *, force: bool
) -> tuple[list[str], list[str]]:
    """Write what is missing or different. Where the same release stands, a file that somebody changed is kept.

    Args: old: what stands in the folder. force: write over changed files too.
    Returns: the files written, and those kept as somebody changed them.
    """
    same = old is not None and not differing(old, release)
    if old is not None and not same:
        for name in set(files_of(old)) - set(files):
            (out / name).unlink(missing_ok=True)
    written, kept = [], []
    for name, text in files.items():
        path = out / name
        if path.exists() and path.read_bytes() == text.encode("utf-8"):
            continue
        if same and path.exists() and not force:
            kept.append(name)
            continue
        atomic_write(path, text)
        written.append(name)
    if not same:  # last, so that a folder half written is no release
        release.write(out)
    return written, kept
