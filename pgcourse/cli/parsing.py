"""Arguments from typed dataclasses through tyro, with every mistake told in one line."""

import contextlib
import io
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar, get_type_hints

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
            said = _one_line(box.getvalue())
            said = _needed(said, kind) + _once_for_each(said, kind, arguments)
            raise InvalidInput(f"{said}; see {program} --help") from None


@contextlib.contextmanager
def as_typed(**options: str) -> Iterator[None]:
    """Tell of a setting that is not allowed by its option. Args: options: field -> option, where they are not alike."""
    try:
        yield
    except InvalidInput as error:
        # As `errors.require_integers` and `require_numbers` have it.
        said = re.fullmatch(r"(\w+)=(.+?)(?:\.0)? is not allowed; (use .+)", str(error))
        if said is None:
            raise
        option = options.get(said[1], f"--{said[1].replace('_', '-')}")
        raise InvalidInput(f"{option} {said[2]} is not allowed; {said[3]}") from None


def _needed(said: str, kind: type) -> str:
    """`--units and --out are needed`, in place of the help of all that is missing."""
    if not said.startswith("Missing from "):
        return said
    missing = [each.strip() for each in said.partition(": ")[2].split("(required)") if each.strip()]
    own = [name for name in get_type_hints(kind) if _marked(kind, name, tyro.conf.Positional)]
    positional = iter(own[-sum(not each.startswith("--") for each in missing) :])
    names = []
    for each in missing:
        words = each.split()
        if words[0].startswith("--"):
            names.append(words[0])
        else:  # tyro says the type of what has no name
            help_text = re.split(r"[.:] |\.$", " ".join(words[1:]))[0]
            names.append(f"{next(positional, words[0]).upper()} ({help_text})")
    verb = "is" if len(names) == 1 else "are"
    return f"{' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))} {verb} needed"


def _once_for_each(said: str, kind: type, arguments: Sequence[str]) -> str:
    """What to do where several values follow an option that takes one at a time."""
    if not said.startswith("Unrecognized options: ") or said.split()[2].startswith("-"):
        return ""
    for option, first, second in zip(arguments, arguments[1:], arguments[2:], strict=False):
        field = option.removeprefix("--").replace("-", "_")
        several = not first.startswith("-") and not second.startswith("-")
        if option.startswith("--") and several and _marked(kind, field, tyro.conf.UseAppendAction):
            return f"; repeat {option} for each: {option} {first} {option} {second}"
    return ""


def _marked(kind: type, field: str, mark: Any) -> bool:
    """Whether tyro's mark stands at the field."""
    return mark in getattr(get_type_hints(kind, include_extras=True).get(field), "__metadata__", ())


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
