"""The form of a solution: its syntax without names, comments and docstrings, to be compared with others."""

import ast
import builtins
import hashlib
from collections.abc import Sequence
from typing import Any

from pgcourse.grading.quarantine.reader.cells import MAX_SOURCE
from pgcourse.grading.quarantine.reader.python import parsed

RUN = 6  # tokens in a row that make one feature
MAX_FEATURES = 20_000  # of a form that is compared


def form(source: str) -> tuple[str, ...]:
    """The syntax in order, local names, comments and docstrings left out; nothing where it is too long or cannot be read."""
    found: list[str] = []
    if len(source) > MAX_SOURCE:
        return ()
    try:
        if tree := parsed(source):
            _walk(tree, found)
    except (RecursionError, ValueError, MemoryError):  # nested too deeply, or a number of too many digits
        return ()
    return tuple(found)


def _walk(node: ast.AST, found: list[str]) -> None:
    found.append(type(node).__name__)
    if isinstance(node, ast.Attribute):
        found.append(node.attr)
    elif isinstance(node, ast.Name) and hasattr(builtins, node.id):
        found.append(node.id)
    elif isinstance(node, ast.Constant) and not isinstance(node.value, str):
        found.append(repr(node.value)[:20])
    elif isinstance(node, ast.keyword) and node.arg:
        found.append(node.arg)
    for child in ast.iter_child_nodes(node):
        constant = child.value if isinstance(child, ast.Expr) else None
        docstring = isinstance(constant, ast.Constant) and isinstance(constant.value, str)
        if not docstring and not isinstance(child, ast.expr_context | ast.arguments):
            _walk(child, found)


def features(tokens: Sequence[str]) -> dict[str, Any]:
    """What is sent of a form: `tokens`, how many; `whole`, a digest; `runs`, a number for each run of `RUN` tokens."""
    runs = {"\0".join(tokens[start : start + RUN]) for start in range(len(tokens) - RUN + 1)}
    numbers = sorted(int.from_bytes(hashlib.sha256(run.encode(errors="replace")).digest()[:6], "big") for run in runs)
    whole = hashlib.sha256("\0".join(tokens).encode(errors="replace")).hexdigest()
    return {"tokens": len(tokens), "whole": whole, "runs": numbers if len(numbers) <= MAX_FEATURES else []}
