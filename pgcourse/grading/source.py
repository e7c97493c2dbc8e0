"""A cell's source as Python, and as a syntax tree; whatever a submission holds, this ends."""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache

MAX_MAGICS = 200_000  # magics times characters of one cell: IPython reads the whole cell again for each
_MAGIC = re.compile(r"^[ \t]*[%!?]|[!?][ \t]*$|=[ \t]*[%!]", re.MULTILINE)
_WRAPPERS = re.compile(r"\A\s*%%(time|capture|timeit)\b.*\n")  # magics around code that is meant to run


@lru_cache(1000)
def inert(source: str) -> str:
    """The cell as Python, IPython's magics turned into calls that do nothing."""
    source = _WRAPPERS.sub("", source)
    if parsed(source) is not None or not 0 < len(_MAGIC.findall(source)) * len(source) <= MAX_MAGICS:
        return source
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return str(TransformerManager().transform_cell(source))
    except Exception:  # no Python, whatever is done to it: the child says so
        return source


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
