"""Which solutions of a class are alike, and which are the published ones, whatever their names and comments."""

import ast
import builtins
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from pgcourse.grading.quarantine.cells import MAX_SOURCE, code_cells, parsed
from pgcourse.grading.quarantine.prepare import ClassWork

PUBLISHED = "(published solution)"
RUN = 6  # tokens in a row that make one feature
MIN_TOKENS = 60  # shorter solutions are alike because there is only one way to write them
ALIKE = 0.8


@dataclass(frozen=True)
class Pair:
    """Two students whose solutions of an exercise share this much. `common`: how many others have the very same form."""

    exercise: str
    first: str
    second: str
    similarity: float
    common: int


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


def of_class(work: ClassWork) -> list[Pair]:
    """The solutions of a class that are alike, exercise by exercise."""
    found: list[Pair] = []
    for name, prepared in work.prepared.items():
        key = work.folder / "teacher" / "key" / f"{name}.ipynb"
        solved = code_cells(json.loads(key.read_text(encoding="utf-8"))) if key.is_file() else []
        own = [each for each in work.works if each.prepared is prepared]
        for id in prepared.exercises:
            published = [cell.source for cell in solved if cell.grade_id == id]
            solutions = {PUBLISHED: published[-1]} if published else {}
            for each in own:
                solutions[each.submission.student] = "\n".join(cell.source for cell in each.plan.solution(id))
            stub = next((cell.source for cell in prepared.released if cell.grade_id == id), "")
            found += pairs(id, solutions, stub)
    return found


def pairs(exercise: str, solutions: Mapping[str, str], stub: str = "") -> list[Pair]:
    """The pairs that are alike, most alike first.

    Args: solutions: student (or `PUBLISHED`) -> source. stub: what was handed out; whoever left it so is not compared.
    """
    forms = {who: own for who, source in solutions.items() if (own := form(source))}
    untouched = form(stub)
    forms = {who: each for who, each in forms.items() if each != untouched and len(each) >= MIN_TOKENS}
    runs = {who: {each[start : start + RUN] for start in range(len(each) - RUN + 1)} for who, each in forms.items()}
    same = Counter(forms.values())
    found = []
    for first, second in combinations(sorted(forms), 2):
        shared = len(runs[first] & runs[second]) / len(runs[first] | runs[second])
        if shared >= ALIKE:
            common = same[forms[first]] - 2 if forms[first] == forms[second] else 0
            found.append(Pair(exercise, first, second, round(shared, 3), common))
    return sorted(found, key=lambda pair: (-pair.similarity, pair.common, pair.first, pair.second))
