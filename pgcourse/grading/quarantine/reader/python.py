"""A cell as Python, and as a syntax tree; whatever a cell holds, this ends."""

import ast
import contextlib
import re
import warnings
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

MAX_MAGICS = 500  # lines with magics of one cell that are transformed
MAX_ROUNDS = 20  # in which they are
_MAGIC = re.compile(r"^[ \t]*[%!?]|[!?][ \t]*$|=[ \t]*[%!]", re.MULTILINE)
# Magics around code that is meant to run.
_WRAPPERS = re.compile(r"\A(?:\s*%%(?:time|capture|timeit|prun|debug)\b.*\n)+")
_LINE_MAGIC = "get_ipython().run_line_magic("  # what IPython makes of a magic of one line
_RUNNING = ("time", "prun")  # those that leave what their statement made
_OPTIONS = re.compile(r"(?:-[lsTD] ?\S+\s+|-[rq]\s+|--no-raise-error\s+)*")  # of theirs


@lru_cache(1000)
def inert(source: str) -> str:
    """The cell as Python, as IPython reads it: without prompts and a common indent, magics turned into calls that do nothing.

    The statement that a magic times stays.
    """
    source = _WRAPPERS.sub("", source)
    if parsed(source) is not None:
        return source
    from IPython.core.inputtransformer2 import TransformerManager

    manager = TransformerManager()
    # IPython's own loop reads the whole cell again for each magic.
    manager.do_token_transforms = partial(_transformed, manager.token_transformers)  # type: ignore[method-assign]
    try:
        plain = _WRAPPERS.sub("", _unwrapped(source, manager))
        if parsed(plain) is not None:
            return plain
        if not 0 < len(_MAGIC.findall(plain)) <= MAX_MAGICS:
            return source
        lines = str(manager.transform_cell(plain)).splitlines(keepends=True)
    except Exception:  # no Python, whatever is done to it: the child says so
        return source
    return "".join(_running(line) if _LINE_MAGIC in line else line for line in lines)


def _unwrapped(source: str, manager: Any) -> str:
    """The cell without the indent that all lines share, and without pasted prompts."""
    lines = (source if source.endswith("\n") else source + "\n").splitlines(keepends=True)
    for transform in manager.cleanup_transforms:
        lines = transform(lines)
    return "".join(lines)


def _running(line: str) -> str:
    """A line that holds a magic's call; if that magic runs a statement, with the statement in the call's place."""
    before, _, call = line.partition(_LINE_MAGIC)
    value = before.rstrip().endswith("=")
    try:
        name, text = ast.literal_eval(f"({call.rstrip()}")
        statement = text[_OPTIONS.match(text).end() :].strip()  # type: ignore[union-attr]
    except (SyntaxError, ValueError, TypeError, AttributeError, MemoryError, RecursionError):
        return line
    statement = f"({statement})" if value else statement
    if name not in _RUNNING or not statement or parsed(statement) is None or (before.strip() and not value):
        return line
    return f"{before}{statement}\n"


def _transformed(kinds: Sequence[Any], lines: list[str]) -> list[str]:
    """The lines, magics of IPython's kinds turned into calls.

    Each round turns all of them up to one that opens a quotation or goes on in the next line, behind which the cell reads
    otherwise once it has been turned.
    """
    from IPython.core.inputtransformer2 import TokenTransformBase, make_tokens_by_line

    for _ in range(MAX_ROUNDS):
        before, found = lines, []
        for tokens in make_tokens_by_line(lines):
            magics = [magic for kind in kinds if (magic := kind.find([tokens]))]
            found += sorted(magics, key=TokenTransformBase.sortby)[:1]
            if magics and tokens[0].start[0] != tokens[-1].end[0]:
                break
        for magic in reversed(found):  # the numbers of the lines before it stay
            with contextlib.suppress(SyntaxError):
                lines = magic.transform(lines)
        if lines == before:
            break
    return lines


def parsed(source: str) -> ast.Module | None:
    """The syntax tree; None where there is none."""
    try:
        return tree(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def tree(source: str) -> ast.Module:
    """The syntax tree. Raises: whatever Python raises; RecursionError or MemoryError where it is nested too deeply."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)
