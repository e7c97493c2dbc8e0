"""Files are whole or absent, and a user's mistake is one clear line."""

import os
import re
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pgcourse import storage
from pgcourse.errors import InvalidInput, require_integers, require_numbers, require_sizes


@pytest.mark.parametrize(("data", "expected"), [("né", "né".encode()), (b"\x00\xff", b"\x00\xff"), ("", b"")])
def test_what_is_written_is_what_is_read(tmp_path: Path, data: bytes | str, expected: bytes) -> None:
    path = tmp_path / "new" / "folder" / "file.bin"
    assert storage.atomic_write(path, data) == path
    assert path.read_bytes() == expected
    storage.atomic_write(str(path), b"replaced")
    assert path.read_bytes() == b"replaced"
    assert os.listdir(path.parent) == ["file.bin"]


def test_json_is_readable_by_people(tmp_path: Path) -> None:
    path = storage.write_json(tmp_path / "a.json", {"b": [1]})
    assert path.read_text() == '{\n  "b": [\n    1\n  ]\n}\n'
    assert storage.write_json(tmp_path / "a.json", {"b": [1]}, indent=None).read_text() == '{"b": [1]}\n'


def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = storage.atomic_write(tmp_path / "file", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("call", "failure"),
    [
        *((call, OSError(28, "No space left on device")) for call in ("fsync", "replace", "chmod")),
        ("fsync", KeyboardInterrupt()),
    ],
)
def test_a_failure_at_any_point_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, failure: BaseException
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_: Any) -> None:
        raise failure

    monkeypatch.setattr(os, call, fail)
    message = r"^cannot write .*file: No space left on device; choose.*$" if isinstance(failure, OSError) else None
    with pytest.raises((InvalidInput, KeyboardInterrupt), match=message) as caught:
        storage.atomic_write(path, b"new")
    assert isinstance(caught.value, InvalidInput if message else KeyboardInterrupt)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("folder", ["file/below", "file"])
def test_a_folder_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidInput, match=r"cannot write .*; choose a folder") as caught:
        storage.atomic_write(tmp_path / folder / "x", b"")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="the limit of a file's size is POSIX")
def test_a_write_that_the_system_cuts_half_way_leaves_the_old_file(
    tmp_path: Path, run_python: Callable[..., Any]
) -> None:
    """A real limit of the system in a process of its own: 4096 bytes a file."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    code = f"""
        import resource, signal, sys
        from pgcourse.errors import InvalidInput
        from pgcourse.storage import atomic_write
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            atomic_write({str(path)!r}, b"x" * 100_000)
        except InvalidInput as error:
            sys.exit(str(error))
    """
    done = run_python(code, status=1)
    assert done.stderr.count("\n") == 1 and "cannot write" in done.stderr and "File too large" in done.stderr
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


# The checks of settings.


@dataclass
class Settings:
    value: Any


@pytest.mark.parametrize(
    ("check", "options", "values", "allowed"),
    [
        (require_integers, {}, [0, -1, 1.0, "3", True, None], "an integer of at least 1"),
        (
            require_numbers, {"high": 1}, [-0.1, 1.1, float("nan"), float("inf"), "0.5", True, None],
            "a number of at least 0 and at most 1",
        ),
        (require_sizes, {}, [(0,), (64, -1), (6.0,), "64", 64, None, (True,)], "positive integers, such as (64, 64)"),
        (require_numbers, {"above": True}, [0.0], "a number above 0"),
        (require_integers, {"optional": True}, [0], "an integer of at least 1 or None"),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused_by_name(check: Any, options: dict, values: list[Any], allowed: str) -> None:
    for value in values:
        with pytest.raises(InvalidInput, match=rf"^value=.* is not allowed; use {re.escape(allowed)}$"):
            check(Settings(value), "value", **options)


def test_bounds_themselves_none_where_it_is_optional_and_no_sizes_are_allowed() -> None:
    for value in (0, 1, 0.5):
        require_numbers(Settings(value), "value", high=1)
    require_numbers(Settings(1e-9), "value", above=True)
    require_integers(Settings(0), "value", at_least=0)
    require_integers(Settings(None), "value", optional=True)
    require_numbers(Settings(None), "value", optional=True)
    for sizes in ((), (1,), [64, 64]):
        require_sizes(Settings(sizes), "value")
