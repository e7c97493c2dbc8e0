"""Which cells of a submission run: its solutions, and what they need; everything else comes from the released notebook."""

import ast
import builtins
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pgcourse.grading.quarantine.reader.changes import DEFAULTS, Changes
from pgcourse.grading.quarantine.reader.names import BY_TEXT, bound_names, uses
from pgcourse.grading.quarantine.reader.python import inert, parsed

MAX_SOURCE = 200_000  # characters of one cell
MAX_CELLS = 500  # of a learner's own that are looked at


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

    Fields: solutions: exercise id -> ids of the cells that were taken for it. left_out: numbers of the learner's own cells
    that do not run, since nothing seems to need them.
    """

    cells: tuple[Cell, ...]
    solutions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    left_out: tuple[int, ...] = ()

    def solution(self, id: str) -> list[Cell]:
        """The cells that were taken for an exercise."""
        return [cell for cell in self.cells if cell.id in self.solutions.get(id, ())]


def plan(released: Sequence[Cell], submitted: Sequence[Cell], exercises: Sequence[str]) -> Plan:
    """The cells to run for the exercises.

    A solution is every submitted cell that bears the exercise's name (as grade_id or id) or defines it: so a solution
    that was moved, split, duplicated or robbed of its metadata counts. Of the released notebook run the cells that
    define what is used (imports). Of the learner's own further cells run those that define what is used, and those that
    may change it (`Changes`); no changed cell of the release runs for that. Without exercises no cell is read.
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
    untouched: set[int] = set()
    plain = [cell for cell in released if not cell.grade_id]
    bound = {cell: bound_names(cell.source) for cell in (*candidates, *plain)}  # read once, however long a chain is
    stubs = {cell.grade_id: _normal(cell.source) for cell in released if cell.grade_id in exercises}
    for id in exercises:
        named = [cell for cell in candidates if id in (cell.grade_id, cell.id)]
        defining = [cell for cell in candidates if id in bound[cell]]
        # Beside an answer somewhere else, a stub as it was handed out counts for nothing, wherever it stands.
        written = [cell for cell in defining if _normal(cell.source) != stubs.get(id)] or defining
        taken = {*written, *(cell for cell in named if cell in written or cell not in defining)}
        chosen |= {cell.number for cell in taken}
        untouched |= {cell.number for cell in defining if cell not in written and bound[cell] == {id}}
        notes += _remarks(id, named, written)
        solutions[id] = tuple(f"{cell.number}" for cell in sorted(taken, key=lambda cell: cell.number))
    sources = [*((cell.number, cell.source) for cell in candidates), *((-1, cell.source) for cell in plain)]
    need = _Need(bound, Changes(sources, exercises))
    need.of([cell for cell in candidates if cell.number in chosen])
    need.changing |= need.changes.of(exercises)
    rest = [cell for cell in candidates if cell.number not in chosen | untouched]
    given = {cell.id for cell in released if cell.id}
    own_rest = [cell for cell in rest if cell.id not in given]
    chosen |= need.cells(rest, changing=own_rest)
    prelude = need.cells(plain)
    left_out = tuple(cell.number for cell in own_rest if cell.number not in chosen and _does_something(cell))
    first = [Cell(f"released-{c.number}", "", inert(c.source), c.number) for c in plain if c.number in prelude]
    run = [Cell(f"{c.number}", c.grade_id, inert(c.source), c.number) for c in candidates if c.number in chosen]
    return Plan((*first, *run), solutions, tuple(notes), left_out)


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


class _Need:
    """What the cells that were chosen need: names that have to be defined, and cells that may change what these stand for."""

    def __init__(self, bound: Mapping[Cell, set[str]], changes: Changes) -> None:
        self.bound, self.changes = bound, changes
        self.names: set[str] = {"*"}
        self.changing = changes.of([*BY_TEXT, f".{DEFAULTS}"])

    def of(self, cells: Iterable[Cell]) -> tuple[set[str], set[int]]:
        """Add what these cells need. Returns: what is new, in names and in numbers of cells that change."""
        names: set[str] = set()
        changing: set[int] = set()
        for cell in cells:
            at_once, later = uses(cell.source)
            names |= at_once | later
            # What a cell makes for itself, and uses at once, is not changed by others.
            changing |= self.changes.of(later | (at_once - self.bound[cell]) | _attributes(cell.source))
        names -= self.names
        self.names |= names
        self.changing |= changing
        return names, changing

    def cells(self, cells: Sequence[Cell], changing: Sequence[Cell] = ()) -> set[int]:
        """Numbers of the cells that define a needed name, and so on. Args: changing: those that count where they change one."""
        defining: dict[str, list[Cell]] = {}
        for cell in cells:
            for name in self.bound[cell]:
                defining.setdefault(name, []).append(cell)
        changers = {cell.number: cell for cell in changing}
        chosen: set[int] = set()
        names, numbers = self.names, self.changing
        while names or numbers:
            more = {cell for name in names for cell in defining.pop(name, ())}
            more |= {changers[number] for number in numbers & changers.keys()}
            more = {cell for cell in more if cell.number not in chosen}
            chosen |= {cell.number for cell in more}
            names, numbers = self.of(more)
        return chosen


def _attributes(source: str) -> set[str]:
    """`.name` for each attribute that the cell takes, and what it imports out of a module."""
    tree = parsed(inert(source))
    nodes = [*ast.walk(tree)] if tree else []
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return {f".{name}" for name in names}


def _does_something(cell: Cell) -> bool:
    """Whether the cell holds more than comments, imports, names to be shown, and calls of what Python has: `print(x)`."""
    tree = parsed(inert(cell.source))
    return not all(map(_is_idle, tree.body)) if tree else False


def _is_idle(node: ast.stmt) -> bool:
    value = node.value if isinstance(node, ast.Expr) else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return hasattr(builtins, value.func.id) and value.func.id not in ("exec", "eval", "setattr", "delattr")
    return isinstance(node, ast.Import | ast.ImportFrom | ast.Pass) or isinstance(value, ast.Constant | ast.Name)


def _is_check(cell: Cell, exercises: Sequence[str]) -> bool:
    return cell.grade_id.removeprefix("check-") in exercises and cell.grade_id.startswith("check-")


def _normal(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())
