"""Files are whole or absent, and a user's mistake is one clear line."""

import os
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


def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = storage.atomic_write(tmp_path / "file", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_a_failure_at_any_point_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(InvalidInput, match=r"cannot write .*file: No space left on device; choose") as caught:
        storage.atomic_write(path, b"new")
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_an_interrupt_half_way_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        storage.atomic_write(path, b"new")
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


@pytest.mark.parametrize("value", [0, -1, 1.0, "3", True, None])
def test_what_is_no_positive_integer_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^value=.* is not allowed; use an integer of at least 1$"):
        require_integers(Settings(value), "value")


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf"), "0.5", True, None])
def test_what_is_no_number_between_the_bounds_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^value=.* is not allowed; use a number of at least 0 and at most 1$"):
        require_numbers(Settings(value), "value", high=1)


def test_bounds_themselves_are_allowed_unless_above_is_asked() -> None:
    for value in (0, 1, 0.5):
        require_numbers(Settings(value), "value", high=1)
    with pytest.raises(InvalidInput, match=r"use a number above 0$"):
        require_numbers(Settings(0.0), "value", above=True)
    require_numbers(Settings(1e-9), "value", above=True)
    require_integers(Settings(0), "value", at_least=0)


def test_none_is_allowed_where_it_is_optional() -> None:
    require_integers(Settings(None), "value", optional=True)
    require_numbers(Settings(None), "value", optional=True)
    with pytest.raises(InvalidInput, match=r"or None$"):
        require_integers(Settings(0), "value", optional=True)


@pytest.mark.parametrize("value", [(0,), (64, -1), (6.0,), "64", 64, None, (True,)])
def test_what_is_no_sequence_of_sizes_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^value=.* is not allowed; use positive integers, such as \(64, 64\)$"):
        require_sizes(Settings(value), "value")


def test_sizes_may_be_empty() -> None:
    for value in ((), (1,), [64, 64]):
        require_sizes(Settings(value), "value")
