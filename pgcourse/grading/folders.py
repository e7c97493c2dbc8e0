"""The folders of a class lie apart: what is written into one of them would be taken for a part of another."""

import os
import stat
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

from pgcourse.errors import InvalidInput
from pgcourse.grading.release.manifest import FILE

COLLECTED = Path("teacher/submitted")  # where nbgrader collects, in a release: it may be graded from there


def require_apart(submissions: Path, release: Path, out: Path) -> None:
    """Raises: InvalidInput where one of the three is another one or lies inside it. Links are followed first."""
    given = {"the submissions": submissions, "--release": release, "--out": out}
    places = {what: path.resolve() for what, path in given.items()}
    allowed = "give three folders side by side, such as submissions/, class/ and grades/"
    for inner, outer in permutations(places, 2):
        if places[inner].is_relative_to(places[outer]) and not _collected(inner, places[inner], places[outer]):
            how = "is also" if places[inner] == places[outer] else "lies inside"
            raise InvalidInput(f"{_shown(inner, given)} {how} {_shown(outer, given)}; {allowed}")
    for what in ("the submissions", "--out"):
        around = around_release(places[what])
        if around is not None and not _collected(what, places[what], around):
            how = "is" if around == places[what] else "lies inside"
            raise InvalidInput(f"{_shown(what, given)} {how} a release, {around}; {allowed}")


def around_release(path: Path) -> Path | None:
    """The release that this folder is or lies in, if any."""
    resolved = path.resolve()
    return next((each for each in (resolved, *resolved.parents) if is_release(each)), None)


def is_release(folder: Path) -> bool:
    """Whether `pgcourse assignment make` wrote this folder, as far as names tell."""
    return (folder / FILE).is_file() and (folder / "teacher").is_dir()


def require_no_file(out: Path) -> None:
    """Raises: InvalidInput where a file has the name of the folder for grades, or of one above it."""
    for each in (out, *out.parents):
        if os.path.lexists(each) and not each.is_dir():
            what = "it" if each == out else str(each)
            raise InvalidInput(f"--out {out}: {what} is no folder; give one for the grades, such as grades/")


def make_folder(out: Path) -> None:
    """Make the folder for grades, for its owner alone; one that is there stays as it is.

    Raises: InvalidInput where the system refuses.
    """
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            f"--out {out} cannot be made ({error.strerror or error}); give a folder that you may write to"
        ) from None


def secret_mode(folder: Path) -> int:
    """Permissions of a file in this folder that no student may read: its group's, too, where the group works in there."""
    return 0o660 if folder.stat().st_mode & stat.S_IWGRP else 0o600


def open_to_all(path: Path) -> bool:
    """Whether every account of this machine can read it."""
    if not path.exists():
        return False
    ways = all(each.stat().st_mode & stat.S_IXOTH for each in path.resolve().parents)
    return ways and path.stat().st_mode & stat.S_IROTH != 0


def _collected(what: str, inner: Path, outer: Path) -> bool:
    """Whether these are submissions in nbgrader's folder of a release."""
    return what == "the submissions" and is_release(outer) and inner.is_relative_to(outer / COLLECTED)


def _shown(what: str, given: Mapping[str, Path]) -> str:
    return f"{what} {given[what]}"
