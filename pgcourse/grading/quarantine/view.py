"""What of the disk a child sees: Python, the libraries that it may use, and nothing of the class or of this project."""

import os
import re
import site
import sysconfig
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path

from pgcourse.errors import InvalidInput

Steps = list[tuple[str, str]]

PACKAGE = Path(__file__).parents[2]
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def view(libraries: Sequence[str], hidden: Iterable[str]) -> Steps:
    """("show" or "cover", path), in order, for `isolation.enter`.

    Args: libraries: distributions that are shown, with what they need. hidden: folders of the class, wherever they lie.
    Raises: InvalidInput where a library is not installed.
    """
    away = {str(PACKAGE), os.path.realpath(PACKAGE), *hidden, *map(os.path.realpath, hidden)}
    python = list(dict.fromkeys(path for path in _interpreter() if os.path.isdir(path)))
    steps: Steps = [("cover", path) for path in sorted(away)]
    steps += [("show", path) for path in python]
    steps += [("cover", path) for path in _sites(python)]
    steps += [("show", path) for name in libraries for path in files(name)]
    return [*dict.fromkeys(steps)]


def _interpreter() -> list[str]:
    """Folders of the standard library and of the shared library, if they are not the system's."""
    paths = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), sysconfig.get_config_var("LIBDIR")]
    return [path for path in paths if path and path not in ("/", "/usr", "/lib", "/usr/lib")]


def _sites(python: Iterable[str]) -> list[str]:
    """Folders of installed packages, below the standard library too."""
    own = [*site.getsitepackages(), *site_paths(), "/usr/lib/python3/dist-packages"]
    # No deeper: to walk all of the standard library takes longer than to start Python.
    places = [f"{start}{name}-packages" for start in ("", "*/") for name in ("site", "dist")]
    below = [str(found) for path in python for place in places for found in Path(path).glob(place)]
    return [*dict.fromkeys([*own, *below])]


def site_paths() -> list[str]:
    """Where packages are installed for this interpreter."""
    return list(dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib")))


@cache
def files(library: str) -> tuple[str, ...]:
    """Top-level files and folders of a distribution and of all that it needs. Raises: InvalidInput where it is missing."""
    found: dict[str, None] = {}
    waiting, seen = [library], set()
    while waiting:
        name = waiting.pop()
        if (plain := name.lower().replace("_", "-")) in seen:
            continue
        seen.add(plain)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            if name == library:
                raise InvalidInput(
                    f"the release lets answers use {name}, which is not installed here; install it, or name others"
                ) from None
            continue  # of another system, or of an extra
        tops = {file.parts[0] for file in distribution.files or ()} or {name.replace("-", "_")}
        base = Path(str(distribution.locate_file("")))
        found |= {str(base / top): None for top in sorted(tops - {"..", "__pycache__"}) if (base / top).exists()}
        waiting += [
            match[0] for text in distribution.requires or () if "extra ==" not in text and (match := _NAME.match(text))
        ]
    return tuple(found)
