"""The package as a child sees it: the observers, which hold no answers, and the functions that the notebook imports."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterable
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

import pgcourse.checks

# The rest of the package that a notebook may name is refused, also where it imports it: these only mark and draw.
INERT = ("pgcourse.checks", "pgcourse.show")
# Types of inputs, without the collectors beside them.
ALWAYS = {"pgcourse.rollout": ("Episode", "Rollout", "Batch")}
_CHECKS = '''
def check(*_, **__):
    """Says nothing here: the grader checks."""

hint = solution = run = exercises = check
'''


def sources(released_cells: Iterable[str]) -> dict[str, str]:
    """Module -> source, for a notebook whose own (not the learner's) code cells these are."""
    wanted = {module: set(names) for module, names in ALWAYS.items()}
    for cell in released_cells:
        for module, name in _imported(cell):
            if not (module + ".").startswith(tuple(f"{inert}." for inert in INERT)):
                wanted.setdefault(module, set()).add(name)
    found = _observers() | {"pgcourse": "", "pgcourse.checks": _CHECKS}
    waiting = [(module, name) for module, names in wanted.items() for name in names]
    kept: dict[str, set[str]] = {}
    while waiting:
        module, name = waiting.pop()
        if name in kept.setdefault(module, set()) or module == "pgcourse":
            continue
        kept[module].add(name)
        waiting += _needs(module, kept[module])[1]
    return found | {module: _needs(module, names)[0] for module, names in kept.items() if names}


@cache
def _observers() -> dict[str, str]:
    folder = Path(inspect.getfile(pgcourse.checks)).parent
    names = {file: f"pgcourse.checks.observe.{file.stem}" for file in sorted((folder / "observe").glob("*.py"))}
    names |= {
        folder / "observe" / "__init__.py": "pgcourse.checks.observe",
        folder / "sandbox.py": "pgcourse.checks.sandbox",
    }
    return {name: file.read_text(encoding="utf-8") for file, name in names.items()}


def _imported(cell: str) -> list[tuple[str, str]]:
    """(module of the package, name) for each `from pgcourse... import name`."""
    try:
        tree = ast.parse(cell)
    except SyntaxError:  # a magic; it imports nothing
        return []
    return [
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "pgcourse"
        for alias in node.names
    ]


def _needs(module: str, names: set[str]) -> tuple[str, list[tuple[str, str]]]:
    """(the part of the module's source that defines the names, what that part takes from other modules of ours)."""
    try:
        loaded = importlib.import_module(module)
        source = inspect.getsource(loaded)
    except (ImportError, OSError, TypeError):
        return "", []
    statements = ast.parse(source).body
    imports = [node for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]
    definitions = [(node, _defined(node)) for node in statements if not isinstance(node, ast.Import | ast.ImportFrom)]
    used, kept = set(names), 0
    while kept != len(used):
        kept = len(used)
        for node, defined in definitions:
            if defined & used:
                used |= {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    parts: list[ast.stmt] = [ast.parse("from __future__ import annotations").body[0]]
    others: list[tuple[str, str]] = []
    for imported in imports:
        aliases = [alias for alias in imported.names if (alias.asname or alias.name.partition(".")[0]) in used]
        if not aliases or (isinstance(imported, ast.ImportFrom) and imported.module == "__future__"):
            continue
        if isinstance(imported, ast.ImportFrom):
            package = loaded.__spec__.parent if loaded.__spec__ else None  # of a package, itself
            target = resolve_name("." * imported.level + (imported.module or ""), package)
            if target.partition(".")[0] == "pgcourse":
                others += [(target, alias.name) for alias in aliases]
            parts.append(ast.ImportFrom(module=target, names=aliases, level=0))
        else:
            parts.append(ast.Import(names=aliases))
    parts += [node for node, defined in definitions if defined & used]
    return ast.unparse(ast.fix_missing_locations(ast.Module(body=parts, type_ignores=[]))), others


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)}
