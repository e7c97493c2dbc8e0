"""What the visible code of a lesson is about: the share of its lines that import, draw or ask.

A reader should see the three to five lines that teach. Imports, drawing and questions stand in folded cells.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from nbformat import NotebookNode

from .stubs import HIDDEN, without

TEACHES, IMPORTS, DRAWS, ASKS = "teaches", "imports", "draws", "asks"
DRAWING_MODULES = (
    "matplotlib",
    "pgcourse.show.figures",
    "pgcourse.show.live.agents",
    "pgcourse.show.live.explainers",
    "pgcourse.show.page.style",
)
DRAWING_CALLS = {"page.figure", "page.gif"}
DRAWING_NAMES = {"ax", "axes", "fig", "figure", "plt", "alt", "caption"}
QUESTIONS = {"questions.quiz", "questions.predict"}


@dataclass
class Cell:
    """A visible code cell: its number from 1, and its lines of code by what they do; blank ones and comments stay out."""

    number: int
    first: str
    lines: dict[str, int] = field(default_factory=lambda: dict.fromkeys((TEACHES, IMPORTS, DRAWS, ASKS), 0))

    @property
    def total(self) -> int:
        """All its lines."""
        return sum(self.lines.values())

    @property
    def beside(self) -> int:
        """Its lines that do not teach."""
        return self.total - self.lines[TEACHES]


def visible(notebook: NotebookNode) -> list[Cell]:
    """The visible code cells of a source. Args: notebook: as it is read, not executed."""
    drawing: set[str] = set(DRAWING_NAMES)
    found = []
    for number, cell in enumerate(notebook.cells, 1):
        if cell.cell_type != "code":
            continue
        source = without(cell, f"cell {number}", kind=HIDDEN, keep_lines=False)
        here = Cell(number, source.strip().partition("\n")[0])
        code = {at for at, line in enumerate(source.splitlines(), 1) if line.strip() and line.strip()[0] != "#"}
        local = set(drawing)
        tree = ast.parse(source)
        for kind, low, high in _statements(tree.body, local):
            here.lines[kind] += len(code & set(range(low, high + 1)))
        drawing |= _defined(tree, local)
        if here.total and not folded(cell):
            found.append(here)
    return found


def folded(cell: NotebookNode) -> bool:
    """Whether a code cell's source is folded away."""
    return bool(cell.metadata.get("jupyter", {}).get("source_hidden"))


def asks(source: str) -> bool:
    """Whether a cell's code asks a question, whose answer stands in the code. A magic is no question."""
    return "questions." in source and any(
        isinstance(node, ast.Call) and ast.unparse(node.func) in QUESTIONS for node in ast.walk(ast.parse(source))
    )


def report(name: str, cells: list[Cell]) -> str:
    """One line: how many visible lines there are, and the share that does not teach, by kind."""
    total = sum(cell.total for cell in cells)
    parts = "  ".join(f"{kind} {_share(sum(c.lines[kind] for c in cells), total)}" for kind in (IMPORTS, DRAWS, ASKS))
    beside = _share(sum(cell.beside for cell in cells), total)
    return f"{name:36} visible lines {total:4}   do not teach {beside}   {parts}"


def _share(part: int, total: int) -> str:
    return f"{100 * part / total if total else 0:5.1f} %"


def _statements(body: list[ast.stmt], drawing: set[str]) -> Iterator[tuple[str, int, int]]:
    """Kind, first and last line of every statement; the head of a compound one is as its body where that only draws."""
    for statement in body:
        inner = _bodies(statement)
        if not inner:
            kind = _kind(statement, drawing)
            yield kind, statement.lineno, statement.end_lineno or statement.lineno
            continue
        if isinstance(statement, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(statement):
            inner = inner[1:]
        parts = list(_statements(inner, drawing))
        head = DRAWS if parts and all(kind == DRAWS for kind, *_ in parts) else TEACHES
        if isinstance(statement, ast.For | ast.While | ast.If | ast.With) and _touches(_head(statement), drawing):
            head = DRAWS
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
        taken = {line for _, low, high in parts for line in range(low, high + 1)}
        yield from parts
        for line in range(first, (statement.end_lineno or first) + 1):
            if line not in taken:
                yield head, line, line


def _bodies(statement: ast.stmt) -> list[ast.stmt]:
    """The statements inside of a compound one, in all its branches."""
    inner = [each for name in ("body", "orelse", "finalbody") for each in getattr(statement, name, [])]
    return inner + [each for handler in getattr(statement, "handlers", []) for each in handler.body]


def _head(statement: ast.For | ast.While | ast.If | ast.With) -> list[ast.AST]:
    if isinstance(statement, ast.For):
        return [statement.target, statement.iter]
    return list(statement.items) if isinstance(statement, ast.With) else [statement.test]


def _kind(statement: ast.stmt, drawing: set[str]) -> str:
    """What a simple statement does; a name that is made by drawing counts as drawing from there on."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        module = statement.module or "" if isinstance(statement, ast.ImportFrom) else ""
        for alias in statement.names:
            if f"{module}.{alias.name}".strip(".").startswith(DRAWING_MODULES):
                drawing.add(alias.asname or alias.name.partition(".")[0])
        return IMPORTS
    if any(isinstance(node, ast.Call) and ast.unparse(node.func) in QUESTIONS for node in ast.walk(statement)):
        return ASKS
    if not _touches([statement], drawing):
        return TEACHES
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
        drawing |= {node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return DRAWS


def _touches(nodes: list[ast.AST] | list[ast.stmt], drawing: set[str]) -> bool:
    for node in (each for top in nodes for each in ast.walk(top)):
        if isinstance(node, ast.Name) and node.id in drawing:
            return True
        if isinstance(node, ast.Attribute) and ast.unparse(node) in DRAWING_CALLS:
            return True
    return False


def _defined(tree: ast.Module, drawing: set[str]) -> set[str]:
    """Names that a cell hands on as drawing: what it imports for it, and its functions that make or fill a picture."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names} & drawing
        elif isinstance(node, ast.FunctionDef) and any(_touches([each], drawing) for each in node.body):
            names.add(node.name)
    return names
