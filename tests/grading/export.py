"""Functions of the checks as a student would hand them in: the source of a cell that defines them."""

import ast
import builtins
import copy
import inspect
import textwrap
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from torch.nn import functional


class Unexportable(Exception):
    """The function is made in a way that has no source of its own."""


def export(function: Any, name: str) -> str:
    """A cell that gives `name` this function, or class, with all that it needs. Raises: Unexportable."""
    parts: list[str] = ["from __future__ import annotations"]
    known: dict[str, Any] = {}
    own = getattr(function, "__name__", "")
    last = _emit(function, own if own.isidentifier() else "attempt", parts, known)
    if last != name:
        parts.append(f"{name} = {last}")
    source = "\n".join(parts) + "\n"
    compile(source, name, "exec")
    return source


def _emit(thing: Any, name: str, parts: list[str], known: dict[str, Any]) -> str:
    """Add what defines `thing` under `name`. Returns: the name."""
    if name in known:
        if known[name] is not thing:
            raise Unexportable(f"two different things are called {name}")
        return name
    if not name.isidentifier():
        raise Unexportable(name)
    known[name] = thing
    module = getattr(thing, "__module__", None) or ""
    if isinstance(thing, ModuleType):
        if thing.__name__.startswith("pgcourse"):
            raise Unexportable(f"uses the module {thing.__name__}")
        parts.append(f"import {thing.__name__} as {name}")
    elif isinstance(thing, type) and issubclass(thing, BaseException) and module == "builtins":
        parts.append(f"{name} = {thing.__name__}")
    elif isinstance(thing, FunctionType | type) and module.startswith(("pgcourse.", "tests.checks.")):
        _emit_source(thing, name, parts, known)
    elif module.startswith(("pgcourse.", "tests.checks.")):
        raise Unexportable(f"{name} is wrapped: no source of its own makes it")
    elif name_there := next((key for key, value in vars(functional).items() if value is thing), ""):
        parts.append(f"from torch.nn.functional import {name_there} as {name}")
    elif callable(thing) and module and hasattr(thing, "__name__") and thing.__name__.isidentifier():
        parts.append(f"from {module} import {thing.__name__} as {name}")
    elif (
        isinstance(thing, bool | int | float | str | tuple | list | dict | frozenset | None)
        and ast.literal_eval(repr(thing)) == thing
    ):
        parts.append(f"{name} = {thing!r}")
    else:
        raise Unexportable(f"{name} is a {type(thing).__name__}")
    return name


def _emit_source(thing: Any, name: str, parts: list[str], known: dict[str, Any]) -> None:
    node = _lambda(thing) if getattr(thing, "__name__", "") == "<lambda>" else _definition(thing, name)
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef):
            inner.returns = None
            given = inner.args
            for argument in [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]:
                if argument is not None:
                    argument.annotation = None
        elif isinstance(inner, ast.AnnAssign):
            inner.annotation = ast.Constant("")
    around = dict(getattr(inspect.getmodule(thing), "__dict__", {}))
    if isinstance(thing, FunctionType):
        own = inspect.unwrap(thing)
        around = dict(own.__globals__) | dict(inspect.getclosurevars(own).nonlocals)
        if around.get(name, thing) not in (thing, own):
            raise Unexportable(f"{name} is another thing inside itself")
    for used in sorted({inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)} - {name}):
        if used in around and not hasattr(builtins, used):
            _emit(around[used], used, parts, known)
    parts.append(f"{name} = {ast.unparse(node)}" if isinstance(node, ast.Lambda) else ast.unparse(node))


def _definition(thing: Any, name: str) -> ast.FunctionDef | ast.ClassDef:
    try:
        tree = ast.parse(textwrap.dedent(vars(thing).get("__source__") or inspect.getsource(thing)))
    except (SyntaxError, OSError, TypeError) as error:
        raise Unexportable(str(error)) from None
    (node,) = tree.body
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        raise Unexportable(f"{name} is no def")
    node.name = name
    return node


@cache
def _lambdas(file: str) -> list[ast.Lambda]:
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]


def _lambda(function: FunctionType) -> ast.Lambda:
    """The lambda whose text holds all that the function's code comes from."""
    spots = [(line, column) for line, _, column, _ in function.__code__.co_positions() if line and column]
    holding = [
        node
        for node in _lambdas(function.__code__.co_filename)
        if all((node.lineno, node.col_offset) <= spot <= (node.end_lineno, node.end_col_offset) for spot in spots)
        and len(node.args.args) == function.__code__.co_argcount
    ]
    if not holding:
        raise Unexportable("a lambda that was not found")
    return copy.deepcopy(min(holding, key=lambda node: (node.end_lineno - node.lineno, len(ast.unparse(node)))))
