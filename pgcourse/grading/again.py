"""What the first runs into a folder of grades were given, and later ones use again: `OUT/grading.json`.

Files are kept as paths from the folder itself, so that a class that is moved as a whole still finds them.
"""

import json
import os
import secrets
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from pgcourse.errors import InvalidInput
from pgcourse.grading.folders import secret_mode
from pgcourse.grading.settings import Settings
from pgcourse.storage import write_json

FILE = "grading.json"
FILES = ("roster", "times")
LIMITS = ("timeout", "memory")  # another one of these would have every notebook run anew


def with_kept_files(settings: Settings) -> tuple[Settings, list[str]]:
    """The settings with the roster and the times of the last run where none are given, and a remark on each of them.

    Raises: InvalidInput where such a file is gone.
    """
    kept, remarks = _content(settings.out), []
    found: dict[str, Any] = {}
    for name in FILES:
        if getattr(settings, name) is not None or not isinstance(kept.get(name), str):
            continue
        path = _absolute(kept[name], settings.out)
        if not path.is_file():
            raise InvalidInput(
                f"the last run used {_shown(path)}, which is gone; give --{name} FILE, or take {name!r} out of "
                f"{settings.out / FILE} to go on without"
            )
        found[name] = path
        remarks.append(f"{path.name} is used again; --{name} FILE for another.")
    return replace(settings, **found), remarks


def keep(settings: Settings) -> int:
    """Write down what later runs use again; `--only`, which is for some, changes none of the files. Returns: the hidden seed.

    Raises: InvalidInput where the file of an earlier run cannot be read.
    """
    path, kept = settings.out / FILE, _content(settings.out)
    if kept and type(kept.get("hidden_seed")) is not int:
        raise InvalidInput(f"cannot read {path} (no hidden_seed); give --hidden-seed, and remove the file")
    seed = settings.hidden_seed if settings.hidden_seed is not None else kept.get("hidden_seed", secrets.randbits(48))
    new = kept | {"hidden_seed": seed}
    if not settings.only:
        new["submissions"] = _relative(settings.submissions, settings.out)
        new |= {name: getattr(settings, name) for name in LIMITS}
        given = {name: getattr(settings, name) for name in FILES}
        new |= {name: _relative(file, settings.out) for name, file in given.items() if file is not None}
    if new != kept:
        write_json(path, new, secret_mode(settings.out))
    return int(seed)


def command(out: Path, release: Path) -> str:
    """What grades the class once more with the same options: a line for the shell."""
    try:
        kept = _content(out)
    except InvalidInput:
        kept = {}
    folder = kept.get("submissions")
    handed_in = shlex.quote(_shown(_absolute(folder, out))) if isinstance(folder, str) else "SUBMISSIONS"
    words = f"pgcourse grade {handed_in} --release {shlex.quote(str(release))} --out {shlex.quote(str(out))}"
    limits = {name: kept.get(name) for name in LIMITS}
    changed = {name: value for name, value in limits.items() if value != getattr(Settings, name)}
    return words + "".join(f" --{name} {value:g}" for name, value in changed.items() if isinstance(value, int | float))


def _content(out: Path) -> dict[str, Any]:
    path = out / FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read {path} ({error}); give --hidden-seed, and remove the file") from None
    if not isinstance(data, dict):
        raise InvalidInput(f"cannot read {path} (no object); give --hidden-seed, and remove the file")
    return data


def _relative(path: Path, out: Path) -> str:
    try:
        return Path(os.path.relpath(path.resolve(), out.resolve())).as_posix()
    except ValueError:  # on another drive
        return str(path.resolve())


def _absolute(path: str, out: Path) -> Path:
    return Path(os.path.normpath(out.resolve() / path))


def _shown(path: Path) -> str:
    """From where we are, if it is below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
