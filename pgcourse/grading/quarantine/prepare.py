"""What a notebook is run with: the package as a child sees it, which holds no answers, and the hidden inputs."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

import numpy as np
import torch

import pgcourse.checks
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import to_json
from pgcourse.checks.observe.record import Case
from pgcourse.checks.sandbox import preserved_state
from pgcourse.errors import InvalidInput
from pgcourse.grading.quarantine.cells import Cell, Plan, code_cells, plan
from pgcourse.grading.quarantine.client import Job, Limits
from pgcourse.grading.quarantine.sandbox import wire
from pgcourse.grading.quarantine.submissions import Submission
from pgcourse.grading.release.manifest import Assignment, Release

SETS = 2  # of random inputs for each exercise
EXAMPLES = "worked examples"
HIDDEN = "hidden inputs"
# The rest of the package that a notebook may name is refused, also where it imports it: these only mark and draw.
INERT = ("pgcourse.checks", "pgcourse.show")
# Types of inputs, without the collectors beside them.
ALWAYS = {"pgcourse.rollout": ("Episode", "Rollout", "Batch")}
_CHECKS = '''
def check(*_, **__):
    """Says nothing here: the grader checks."""

hint = solution = run = exercises = check
'''


@dataclass(frozen=True)
class Inputs:
    """The cases of one exercise.

    Fields: groups: for each case, `EXAMPLES` or the name of its group of hidden cases: what stands at one place in the
    check's list, with other random numbers. visible: how many cases, the first ones, are the public examples.
    """

    cases: tuple[Case, ...]
    groups: tuple[str, ...]

    @property
    def visible(self) -> int:
        """The number of public examples, which come first."""
        return self.groups.count(EXAMPLES)

    def encoded(self) -> list[dict[str, Any]]:
        """The cases as JSON, for a child."""
        return [{name: wire.encode_case(value) for name, value in case.items()} for case in self.cases]


@dataclass(frozen=True)
class Prepared:
    """One notebook of the release, ready for all submissions of it. Fields: sources: see `sources`."""

    exercises: dict[str, Exercise]
    inputs: dict[str, Inputs]
    released: tuple[Cell, ...]
    sources: dict[str, str]


@dataclass(frozen=True)
class Work:
    """One student's notebook: as handed in, what it is run with, and which of its cells run.

    Fields: failed: what went wrong in the grader itself when it read the notebook; a person marks it then.
    """

    submission: Submission
    prepared: Prepared
    plan: Plan
    failed: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """(student, assignment)."""
        return self.submission.student, self.submission.assignment

    def job(self, limits: Limits) -> Job:
        """What a worker needs to run it."""
        return Job(
            student=self.submission.student,
            assignment=self.submission.assignment,
            cells=self.plan.cells,
            sources=self.prepared.sources,
            exercises={id: to_json(exercise.observe) for id, exercise in self.prepared.exercises.items()},
            inputs={id: given.encoded() for id, given in self.prepared.inputs.items()},
            limits=limits,
        )


@dataclass(frozen=True)
class ClassWork:
    """What a class was given and what it handed in. Fields: folder: of the release. prepared: by assignment."""

    folder: Path
    release: Release
    prepared: dict[str, Prepared]
    works: tuple[Work, ...]


def class_work(
    folder: Path, release: Release, exercises: dict[str, Exercise], seed: int, found: Iterable[Submission]
) -> ClassWork:
    """Draw the hidden inputs, and choose the cells of every submission; nothing runs of one that cannot be read.

    Raises: InvalidInput where a notebook of the release cannot be read.
    """
    prepared = {assignment.name: prepare(assignment, folder, exercises, seed) for assignment in release.assignments}
    return ClassWork(folder, release, prepared, tuple(planned(each, prepared[each.assignment]) for each in found))


def planned(submission: Submission, ready: Prepared) -> Work:
    """Choose the cells that run. Whatever the notebook does to the grader here, it does to this student alone."""
    if submission.problem:
        return Work(submission, ready, Plan(()))
    try:
        return Work(submission, ready, plan(ready.released, submission.cells, [*ready.exercises]))
    except Exception as error:
        return Work(submission, ready, Plan(()), failed=failure(error))


def failure(error: Exception) -> str:
    """What a person is told of an error of the grader's own."""
    return f"The grader itself failed on this notebook ({type(error).__name__}); a person marks it."


def prepare(assignment: Assignment, folder: Path, exercises: dict[str, Exercise], seed: int) -> Prepared:
    """Read a notebook of the release and draw its hidden inputs. Raises: InvalidInput where it cannot be read."""
    path = folder / assignment.notebook
    try:
        released = tuple(code_cells(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"cannot read {path} ({error}); make the release again") from None
    own = {each.id: exercises[each.id] for each in assignment.exercises}
    for id, exercise in own.items():
        if not (module := type(exercise.observe).__module__).startswith("pgcourse.checks.observe"):
            said = "which no child has; use one of pgcourse.checks.observe"
            raise InvalidInput(f"{id}: its observer is from {module}, {said}")
    drawn = {id: inputs(exercise, seed) for id, exercise in own.items()}
    return Prepared(own, drawn, released, sources(cell.source for cell in released if not cell.grade_id))


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


def seed_of(base: int, exercise: str, number: int) -> int:
    """The seed of one set of hidden cases: neighbouring bases share nothing, nor do exercises."""
    word = int.from_bytes(hashlib.sha256(exercise.encode()).digest()[:8], "big")
    return int(np.random.SeedSequence([base, word, number]).generate_state(1)[0])


def inputs(exercise: Exercise, base: int, sets: int = SETS) -> Inputs:
    """The public examples once, then `sets` sets of what differs from seed to seed."""
    seeds = [seed_of(base, exercise.id, number) for number in range(sets)]
    with preserved_state():
        made = [list(exercise.cases(seed)) for seed in [*seeds, 7]]  # what is the same for one more, too, is public
    places = range(min(len(cases) for cases in made))
    public = [place for place in places if all(same(made[0][place], cases[place]) for cases in made[1:])]
    secret = [place for place in places if place not in public]
    hidden = [(cases[place], f"{HIDDEN} {number}") for cases in made[:-1] for number, place in enumerate(secret, 1)]
    cases = (*(made[0][place] for place in public), *(case for case, _ in hidden))
    return Inputs(cases, (*[EXAMPLES] * len(public), *(name for _, name in hidden)))


def same(one: Any, two: Any) -> bool:
    """True where two inputs, or two cases, hold the same values."""
    if type(one) is not type(two):
        return False
    if isinstance(one, torch.Tensor):
        equal = one.shape == two.shape and one.dtype == two.dtype
        return equal and torch.equal(torch.nan_to_num(one), torch.nan_to_num(two))
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[name], two[name]) for name in one)
    if isinstance(one, tuple | list):
        return len(one) == len(two) and all(same(a, b) for a, b in zip(one, two, strict=True))
    return bool(one == two or (one != one and two != two))
