"""Wrong answers as edits: the source of a right answer with a few words replaced.

    mistake = edits_of(right)
    mistake("trace-runs-over-an-end", "The advantage of the next row flows back ...", {"~(terminated | truncated)": "True"})

reads as what somebody wrote in place of what. Whoever changes the right answer finds out at once which edits no longer fit.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import linecache
import textwrap
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pgcourse.checks.exercise import Misconception

Edits = Mapping[str, str]


def rewritten(function: Callable[..., Any], edits: Edits, **names: Any) -> Callable[..., Any]:
    """The function (or class) with each key of `edits` replaced by its value in its source, in this order.

    Args: names: what the new text uses beside the names of the function's own module.
    Raises: ValueError unless each key stands in the source, docstring aside, exactly once.
    """
    source = _source(function)
    for old, new in edits.items():
        if source.count(old) != 1:
            raise ValueError(
                f"{old!r} stands {source.count(old)} times in {function.__name__}; an edit needs one place"
            )
        source = source.replace(old, new)
    file = f"<{function.__module__}.{function.__name__} with {dict(edits)}>"
    # So that inspect and tracebacks find the lines.
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    known = vars(inspect.getmodule(function)) | names
    exec(compile(source, file, "exec", flags=__future__.annotations.compiler_flag), known)
    changed: Any = known[function.__name__]
    changed.__source__ = source  # inspect looks for a class's source in its module's file
    return changed


def edits_of(right: Callable[..., Any], **names: Any) -> Callable[..., Misconception]:
    """A maker of misconceptions: `mistake(id, explanation, edits, *further)`; whole functions may stand beside edits.

    Args: names: what the edits use beside the names of the function's own module.
    """

    def mistake(id: str, explanation: str, *spellings: Edits | Callable[..., Any]) -> Misconception:
        wrong, *variants = (each if callable(each) else rewritten(right, each, **names) for each in spellings)
        return Misconception(id, explanation, wrong, tuple(variants))

    return mistake


@cache
def _source(function: Callable[..., Any]) -> str:
    lines = textwrap.dedent(inspect.getsource(function)).splitlines(keepends=True)
    (definition,) = ast.parse("".join(lines)).body
    assert isinstance(definition, ast.FunctionDef | ast.ClassDef)
    first = definition.body[0]
    if ast.get_docstring(definition) is not None and first.end_lineno is not None:
        del lines[first.lineno - 1 : first.end_lineno]
    return "".join(lines)
