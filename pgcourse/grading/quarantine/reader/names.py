"""Which names a cell binds and which it uses."""

import ast
import symtable
import warnings
from collections.abc import Iterable

from pgcourse.grading.quarantine.reader.python import inert, parsed


def bound_names(source: str) -> set[str]:
    """Names that the cell defines at its top level, inside `if`, `for`, `with`, `try` and `match` too; `*` for a star import."""
    tree = parsed(inert(source))
    try:
        return names_of(tree.body) if tree else set()
    except RecursionError:  # thousands of `elif`
        return set()


def names_of(statements: Iterable[ast.stmt]) -> set[str]:
    """Names that the statements bind, or change a part of. Raises: RecursionError."""
    names: set[str] = set()
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.stmt):
                names |= names_of([inner])
            elif isinstance(inner, ast.ExceptHandler):
                names |= names_of(inner.body)
            else:
                within = inner.body if isinstance(inner, ast.match_case) else []
                names |= names_of(within)
                for part in ast.walk(inner.pattern if isinstance(inner, ast.match_case) else inner):
                    names |= _stored(part)
    return names


def _stored(part: ast.AST) -> set[str]:
    if isinstance(part, ast.MatchAs | ast.MatchStar):
        return {part.name} if part.name else set()
    if isinstance(part, ast.MatchMapping):
        return {part.rest} if part.rest else set()
    if isinstance(part, ast.Name | ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store):
        return {root} if (root := root_of(part)) else set()  # `f.x = 1` changes f
    return set()


def root_of(node: ast.AST) -> str:
    """The name that a chain of attributes and items begins with, or nothing."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def used_names(source: str) -> set[str]:
    """Every name that the cell takes from outside its own functions; their parameters and locals do not count."""
    return set().union(*uses(source))


def uses(source: str) -> tuple[set[str], set[str]]:
    """Names that the cell takes from outside its functions: (while it runs, inside of functions and classes)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = symtable.symtable(inert(source), "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), set()
    at_once: set[str] = set()
    later: set[str] = set()
    waiting = [table]
    while waiting:
        scope = waiting.pop()
        names = at_once if scope is table else later
        names |= {s.get_name() for s in scope.get_symbols() if s.is_referenced() and (scope is table or s.is_global())}
        waiting += scope.get_children()
    return at_once, later
