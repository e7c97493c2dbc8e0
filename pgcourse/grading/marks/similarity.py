"""Which solutions of a class share what is not everybody's, and which are the published ones, whatever their names."""

import ast
import builtins
import json
import math
from collections import Counter
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from itertools import combinations

from pgcourse.grading.quarantine.cells import MAX_SOURCE, code_cells, parsed
from pgcourse.grading.quarantine.prepare import ClassWork

PUBLISHED = "(published solution)"
RUN = 6  # tokens in a row that make one feature
MIN_TOKENS = 60  # shorter solutions are alike because there is only one way to write them
ALIKE = 0.8  # of 607 pairs of right answers in different styles (tests/checks), the two most alike share 0.74
MIN_SHARED = 20  # features of their own: one changed token makes RUN of them, and three happen to many
COMMON = 4  # right solutions


@dataclass(frozen=True)
class Pair:
    """Two students whose solutions of an exercise are alike, or one and the published solution.

    Fields: similarity: 0 to 1, of what is their own; beside the published solution, of all. common: how many others have
    the very same form.
    """

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


def of_class(work: ClassWork, right: Collection[tuple[str, str]] = ()) -> list[Pair]:
    """The solutions of a class that are alike, exercise by exercise. Args: right: (student, exercise) of right answers."""
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
            found += pairs(id, solutions, stub, [student for student, exercise in right if exercise == id])
    return found


def pairs(exercise: str, solutions: Mapping[str, str], stub: str = "", right: Collection[str] = ()) -> list[Pair]:
    """The pairs that are alike, most alike first.

    Two students are a pair where what is their own is alike. What many have is nobody's own: features of the published
    solution, and those that a third of the right solutions share (but at least `COMMON`, or two who share an odd answer
    would make it common in a small class). A student whose whole solution is like the published one is a pair with it.

    Args: solutions: student (or `PUBLISHED`) -> source. stub: what was handed out; whoever left it so is not compared.
    right: students whose answer is right.
    """
    forms = {who: own for who, source in solutions.items() if (own := form(source))}
    untouched = form(stub)
    runs = {who: _runs(each) for who, each in forms.items() if each != untouched}
    counts = Counter(run for who in runs.keys() & {*right} for run in runs[who])
    many = max(COMMON, math.ceil(len(runs.keys() & {*right}) / 3))
    public = runs.get(PUBLISHED, set())
    shared = public | {run for run, count in counts.items() if count >= many}
    long = sorted(who for who in runs if who != PUBLISHED and len(forms[who]) >= MIN_TOKENS)
    same = Counter(forms[who] for who in long)
    found = []
    for who in long:
        if (alike := _likeness(runs[who], public)) >= ALIKE:
            found.append(Pair(exercise, PUBLISHED, who, round(alike, 3), 0))
    for first, second in combinations(long, 2):
        one, two = runs[first] - shared, runs[second] - shared
        if len(one & two) >= MIN_SHARED and (alike := _likeness(one, two)) >= ALIKE:
            common = same[forms[first]] - 2 if forms[first] == forms[second] else 0
            found.append(Pair(exercise, first, second, round(alike, 3), common))
    return sorted(found, key=lambda pair: (-pair.similarity, pair.common, pair.first, pair.second))


def _runs(form: tuple[str, ...]) -> set[tuple[str, ...]]:
    """The features of a solution: `RUN` tokens in a row."""
    return {form[start : start + RUN] for start in range(len(form) - RUN + 1)}


def _likeness(one: Set[tuple[str, ...]], two: Set[tuple[str, ...]]) -> float:
    """What both have as a share of what one of them has."""
    return len(one & two) / len(one | two) if one or two else 0.0
