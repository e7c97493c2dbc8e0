"""What answers may use of pgcourse: what the notebook imports for them, and no ready-made answer."""

import ast
from collections.abc import Iterable, Sequence

from nbformat import NotebookNode

from pgcourse.grading.quarantine.reader.cells import plan
from pgcourse.grading.quarantine.reader.names import used_names
from pgcourse.grading.quarantine.reader.notebook import code_cells
from pgcourse.grading.quarantine.reader.python import parsed

INERT = ("pgcourse.checks", "pgcourse.show")  # only mark and draw
_SPOKEN = {"numpy": "NumPy", "scipy": "SciPy", "torch": "PyTorch"}


def may_use(source: NotebookNode, ids: Sequence[str]) -> tuple[str, ...]:
    """Dotted names of the package that the solutions in this notebook take from its imports. Args: ids: of exercises."""
    cells = code_cells(source)
    solved = [cell for cell in cells if cell.grade_id in ids]
    chosen = plan([cell for cell in cells if not cell.grade_id], solved, ids).cells
    needed = {name for cell in chosen for name in used_names(cell.source)}
    found = {
        f"{node.module}.{alias.name}"
        for cell in chosen
        if (tree := parsed(cell.source))
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and f"{node.module}.".startswith("pgcourse.")
        for alias in node.names
        if (alias.asname or alias.name) in needed
    }
    return tuple(sorted(name for name in found if not name.startswith(tuple(f"{inert}." for inert in INERT))))


def said(libraries: Iterable[str], names: Sequence[str]) -> str:
    """In one sentence for students."""
    listed = ["Python's standard library", *(_SPOKEN.get(name, name) for name in libraries)]
    ours = "; of pgcourse, " + ", ".join(f"`{name.rpartition('.')[2]}`" for name in names) if names else ""
    return (
        f"Your answers may use {', '.join(listed[:-1])} and {listed[-1]}{ours}; nothing else can be imported while they are "
        "graded."
    )
