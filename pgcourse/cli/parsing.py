"""Arguments from typed dataclasses through tyro, with every mistake told in one line."""

import contextlib
import io
import os
import re
from collections.abc import Sequence
from typing import Any, TypeVar

import tyro

from ..errors import InvalidInput

T = TypeVar("T")


def parse(kind: type[T], arguments: Sequence[str], *, program: str, default: T | None = None) -> T:
    """Read the fields of the dataclass `kind` from the command line; its docstring is the help.

    Raises: InvalidInput with one line for what does not parse; SystemExit(0) after `--help`.
    """
    box = io.StringIO()
    keywords: dict[str, Any] = {} if default is None else {"default": default}
    with _wide_terminal(enabled=not {"-h", "--help"} & set(arguments)):
        try:
            with contextlib.redirect_stderr(box):
                return tyro.cli(kind, prog=program, args=list(arguments), **keywords)
        except SystemExit as stop:
            if not stop.code:
                raise
            raise InvalidInput(f"{_one_line(box.getvalue())}; see {program} --help") from None


def _one_line(box: str) -> str:
    """The first paragraph of tyro's box, and the nearest option where it offers one.

    The box is drawn with + - | where the terminal cannot show the lines that other terminals get.
    """
    lines = [line.strip(" │╭╮╰╯|+") for line in box.splitlines()]
    paragraphs: list[list[str]] = [[]]
    for line in lines[1:]:
        if re.fullmatch("─+|-{3,}", line):
            paragraphs.append([])
        elif line:
            paragraphs[-1].append(line)
    paragraphs = [paragraph for paragraph in paragraphs if paragraph] or [["cannot read the options"]]
    message = " ".join(paragraphs[0])
    message = re.sub(r"^Error parsing (config|[\w.]*config): ", "", message)
    message = re.sub(r"no type matching (\S+) could be instantiated from (.*)\. Got errors:.*", r"\2 is no \1", message)
    message = message.rstrip(".")
    options = [part[1].split()[0] for part in paragraphs[1:] if len(part) > 1 and part[0].startswith("Perhaps you")]
    return message + (f" (did you mean {options[0]}?)" if options else "")


@contextlib.contextmanager
def _wide_terminal(*, enabled: bool) -> Any:
    """Keep tyro from folding a message that we want on one line."""
    before = os.environ.get("COLUMNS")
    if enabled:
        os.environ["COLUMNS"] = "1000"
    try:
        yield
    finally:
        if enabled:
            os.environ.pop("COLUMNS")
            if before is not None:
                os.environ["COLUMNS"] = before
