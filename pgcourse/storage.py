"""Atomic writes of files: bytes in memory, a temporary file beside the target, fsync, rename."""

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from .errors import InvalidInput


def atomic_write(path: str | os.PathLike[str], data: bytes | str, mode: int | None = None) -> Path:
    """Write `data` to `path` so that a reader, or a crash half-way, finds the old file whole or the new file whole.

    Args: path: target; its folder is made if it is missing. data: text is encoded as UTF-8. mode: permissions of the file;
    without them it has those that an ordinary open() gives.
    Returns: the path. Raises: InvalidInput with one line when the system refuses (full disk, no permission); the old
    file is then untouched.
    """
    target = Path(path)
    content = data.encode("utf-8") if isinstance(data, str) else data
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # A part of the name: with more letters before and behind, a long one would be too long for the file system.
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:30]}.", suffix=".tmp")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask() if mode is None else mode)  # mkstemp makes a private file
        os.replace(temporary, target)
    except OSError as error:
        raise InvalidInput(
            f"cannot write {target}: {error.strerror or error}; choose a folder you may write to, with free space"
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
    return target


def write_json(path: str | os.PathLike[str], value: Any, mode: int | None = None, *, indent: int | None = 2) -> Path:
    """Write `value` as JSON, atomically; see `atomic_write`. Args: indent: None writes one line, four times as fast."""
    return atomic_write(path, json.dumps(value, indent=indent) + "\n", mode)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
