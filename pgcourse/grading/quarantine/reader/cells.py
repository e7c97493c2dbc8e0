"""Which cells of a submission run: its solutions, and what they need; everything else comes from the released notebook.

A cell is read as Python, and as a syntax tree; whatever a submission holds, this ends.
"""

import ast
import contextlib
import re
import symtable
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

MAX_SOURCE = 200_000  # characters of one cell
MAX_CELLS = 500  # of a learner's own that are looked at
MAX_MAGICS = 500  # lines with magics of one cell that are transformed
MAX_ROUNDS = 20  # in which they are
_MAGIC = re.compile(r"^[ \t]*[%!?]|[!?][ \t]*$|=[ \t]*[%!]", re.MULTILINE)
_WRAPPERS = re.compile(r"\A\s*%%(time|capture|timeit)\b.*\n")  # magics around code that is meant to run


@dataclass(frozen=True)
class Cell:
    """A code cell: id, grade_id or an empty string, and source. `number` counts all cells of its notebook from 1."""

    id: str
    grade_id: str
    source: str
    number: int = 0


@dataclass(frozen=True)
class Plan:
    """What runs, in order, and what there is to say about how the notebook was put together.

    Fields: solutions: exercise id -> ids of the cells that were taken for it.
    """

    cells: tuple[Cell, ...]
    solutions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def solution(self, id: str) -> list[Cell]:
        """The cells that were taken for an exercise."""
        return [cell for cell in self.cells if cell.id in self.solutions.get(id, ())]


def plan(released: Sequence[Cell], submitted: Sequence[Cell], exercises: Sequence[str]) -> Plan:
    """The cells to run for the exercises.

    A solution is every submitted cell that bears the exercise's name (as grade_id or id) or defines it: so a solution
    that was moved, split, duplicated or robbed of its metadata counts. Of the released notebook run the cells that
    define what is used (imports); of the learner's own further cells likewise. Without exercises no cell is read.
    """
    if not exercises:
        return Plan(())
    notes: list[str] = []
    own = {_normal(cell.source) for cell in released if cell.grade_id not in exercises}
    candidates = [cell for cell in submitted if _normal(cell.source) not in own and not _is_check(cell, exercises)]
    for cell in candidates:
        if len(cell.source) > MAX_SOURCE:
            notes.append(f"Cell {cell.number} is longer than {MAX_SOURCE:,} characters, and was left out.")
    candidates = [cell for cell in candidates if len(cell.source) <= MAX_SOURCE]
    if len(candidates) > MAX_CELLS:
        notes.append(f"Of {len(candidates)} cells of your own, the first {MAX_CELLS} were looked at.")
        candidates = candidates[:MAX_CELLS]
    solutions: dict[str, tuple[str, ...]] = {}
    chosen: set[int] = set()
    plain = [cell for cell in released if not cell.grade_id]
    bound = {cell: bound_names(cell.source) for cell in (*candidates, *plain)}  # read once, however long a chain is
    for id in exercises:
        named = [cell for cell in candidates if id in (cell.grade_id, cell.id)]
        defining = [cell for cell in candidates if id in bound[cell]]
        for cell in [*named, *defining]:
            chosen.add(cell.number)
        notes += _remarks(id, named, defining)
        solutions[id] = tuple(f"{cell.number}" for cell in sorted({*named, *defining}, key=lambda cell: cell.number))
    needed = {name for cell in candidates if cell.number in chosen for name in used_names(cell.source)}
    chosen |= _helpers([cell for cell in candidates if cell.number not in chosen], bound, needed)
    prelude = _helpers(plain, bound, needed)
    first = [Cell(f"released-{c.number}", "", inert(c.source), c.number) for c in plain if c.number in prelude]
    rest = [Cell(f"{c.number}", c.grade_id, inert(c.source), c.number) for c in candidates if c.number in chosen]
    return Plan((*first, *rest), solutions, tuple(notes))


def _remarks(id: str, named: Sequence[Cell], defining: Sequence[Cell]) -> list[str]:
    if not named and not defining:
        return [f"No cell for {id} was found."]
    if len(defining) > 1:
        numbers = " and ".join(str(cell.number) for cell in defining)
        said = "as in a notebook that runs from top to bottom, the last one counts."
        return [f"Cells {numbers} both define {id}; {said}"]
    if not named:
        return [f"The cell of {id} has lost its name; cell {defining[0].number}, which defines it, was taken."]
    if defining and defining[0] not in named:
        return [f"{id} is defined in cell {defining[0].number}, not in its own cell; that was taken."]
    return []


def _helpers(cells: Sequence[Cell], bound: Mapping[Cell, set[str]], needed: set[str]) -> set[int]:
    """Numbers of the cells that bind a needed name, or a name that such a cell needs, and so on. `needed` grows."""
    chosen: set[int] = set()
    while more := [c for c in cells if c.number not in chosen and bound[c] & {*needed, "*"}]:
        for cell in more:
            chosen.add(cell.number)
            needed |= used_names(cell.source)
    return chosen


def _is_check(cell: Cell, exercises: Sequence[str]) -> bool:
    return cell.grade_id.removeprefix("check-") in exercises and cell.grade_id.startswith("check-")


def _normal(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def bound_names(source: str) -> set[str]:
    """Names that the cell defines at its top level, inside `if`, `for`, `with` and `try` too; `*` for a star import."""
    tree = parsed(inert(source))
    try:
        return _bound(tree.body) if tree else set()
    except RecursionError:  # thousands of `elif`
        return set()


def _bound(statements: Iterable[ast.stmt]) -> set[str]:
    names: set[str] = set()
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.stmt):
                names |= _bound([inner])
            elif isinstance(inner, ast.ExceptHandler):
                names |= _bound(inner.body)
            else:
                for part in ast.walk(inner):
                    if isinstance(part, ast.Name | ast.Attribute | ast.Subscript) and isinstance(part.ctx, ast.Store):
                        while isinstance(part, ast.Attribute | ast.Subscript):  # `f.x = 1` changes f
                            part = part.value
                        if isinstance(part, ast.Name):
                            names.add(part.id)
    return names


def used_names(source: str) -> set[str]:
    """Every name that the cell takes from outside its own functions; their parameters and locals do not count."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = symtable.symtable(inert(source), "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names, waiting = set(), [table]
    while waiting:
        scope = waiting.pop()
        top = scope is table
        names |= {s.get_name() for s in scope.get_symbols() if s.is_referenced() and (top or s.is_global())}
        waiting += scope.get_children()
    return names


@lru_cache(1000)
def inert(source: str) -> str:
    """The cell as Python, IPython's magics turned into calls that do nothing."""
    source = _WRAPPERS.sub("", source)
    if parsed(source) is not None or not 0 < len(_MAGIC.findall(source)) <= MAX_MAGICS:
        return source
    from IPython.core.inputtransformer2 import TransformerManager

    manager = TransformerManager()
    # IPython's own loop reads the whole cell again for each magic.
    manager.do_token_transforms = partial(_transformed, manager.token_transformers)  # type: ignore[method-assign]
    try:
        return str(manager.transform_cell(source))
    except Exception:  # no Python, whatever is done to it: the child says so
        return source


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
