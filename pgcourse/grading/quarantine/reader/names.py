"""Which names a cell binds and which it uses."""

import ast
import symtable
import warnings
from collections.abc import Iterable
from functools import lru_cache

from pgcourse.grading.quarantine.reader.python import inert, parsed

BY_TEXT = {"eval", "exec", "globals", "locals", "vars"}  # through these, a text names what it reads and changes


def bound_names(source: str) -> set[str]:
    """Names that the cell binds at its top level, inside `if`, `for`, `try`, `match` too, and as global; `*` for all."""
    tree = parsed(inert(source))
    try:
        return names_of(tree.body) | global_names(tree) if tree else set()
    except RecursionError:  # thousands of `elif`
        return set()


def global_names(node: ast.AST) -> set[str]:
    """Names that functions inside of the node may bind for all cells."""
    return {name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names}


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


@lru_cache(1000)
def uses(source: str) -> tuple[set[str], set[str]]:
    """Names that the cell takes from outside its functions: (while it runs, inside of functions, classes and texts)."""
    source = inert(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(), set()
    at_once: set[str] = set()
    later = _in_texts(source) if "'" in source or '"' in source else set()
    waiting = [table]
    while waiting:
        scope = waiting.pop()
        if scope is table:
            at_once |= {each.get_name() for each in scope.get_symbols() if each.is_referenced()}
        else:
            later |= {each.get_name() for each in scope.get_symbols() if each.is_global()}
        waiting += scope.get_children()
    return at_once, later


def _in_texts(source: str) -> set[str]:
    """Names in annotations that are texts; where the cell runs texts, or looks names up by them, in all of its texts."""
    nodes = [*ast.walk(parsed(source) or ast.Pass())]
    if not any(isinstance(node, ast.Name) and node.id in BY_TEXT for node in nodes):
        annotations = (getattr(node, field, None) for node in nodes for field in ("annotation", "returns"))
        nodes = [part for each in annotations if isinstance(each, ast.AST) for part in ast.walk(each)]
    texts = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {
        part.id for text in texts if (read := parsed(text)) for part in ast.walk(read) if isinstance(part, ast.Name)
    }
