"""What a notebook is run with: the package as a child sees it, which holds no answers, and the hidden inputs."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import half_to_json, to_json
from pgcourse.checks.observe.record import Case
from pgcourse.checks.sandbox import preserved_state
from pgcourse.errors import InvalidInput
from pgcourse.grading.quarantine import view
from pgcourse.grading.quarantine.process import Limits
from pgcourse.grading.quarantine.reader.cells import Cell, Plan
from pgcourse.grading.quarantine.reader.notebook import NoNotebook, code_cells, parse, text_of
from pgcourse.grading.quarantine.reading import MEMORY, SECONDS, Reading, ReadJob
from pgcourse.grading.quarantine.running import Job
from pgcourse.grading.quarantine.sandbox import arrays, packages
from pgcourse.grading.quarantine.submissions import Submission
from pgcourse.grading.release.manifest import Assignment, Release

SETS = 2  # of random inputs for each exercise, unless its observer says otherwise
EXAMPLES = "worked examples"
SEEDS = ("seed", "judge_seed")  # of a case
HIDDEN = "hidden inputs"
# Types of inputs, without the collectors beside them.
ALWAYS = {"pgcourse.rollout": ("Episode", "Rollout", "Batch")}
# What a child calls itself, besides the observers of its exercises. No notebook can import it: see `sandbox.packages`.
OBSERVING = {
    "pgcourse.checks.observe": ("TimeLimit", "from_json", "guarded", "raw", "seed_everything"),
    "pgcourse.checks.observe.asking": ("answer",),
    "pgcourse.checks.sandbox": ("captured_output", "preserved_settings"),
}
_CHECKS = '''
def check(*_, **__):
    """Says nothing here: the grader checks."""

hint = solution = run = exercises = check
'''


@dataclass(frozen=True)
class Inputs:
    """The cases of one exercise.

    Fields: groups: for each case, `EXAMPLES` or the name of its group of hidden cases: what stands at one place in the
    check's list, with other random numbers. visible: how many cases, the first ones, are the public examples. others: name
    of each group -> one more of its cases, which no attempt gets.
    """

    cases: tuple[Case, ...]
    groups: tuple[str, ...]
    others: dict[str, Case] = field(default_factory=dict)

    @property
    def visible(self) -> int:
        """The number of public examples, which come first."""
        return self.groups.count(EXAMPLES)

    @cached_property
    def encoded(self) -> list[dict[str, Any]]:
        """The cases as JSON, for a child."""
        return [{name: arrays.encode_case(value) for name, value in case.items()} for case in self.cases]


@dataclass(frozen=True)
class Prepared:
    """One notebook of the release, ready for all submissions of it.

    Fields: libraries, absent: see `Job`. sources: see `sources`.
    """

    exercises: dict[str, Exercise]
    inputs: dict[str, Inputs]
    released: tuple[Cell, ...]
    sources: dict[str, str]
    libraries: dict[str, list[str]]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class Work:
    """One student's notebook: where it is, what it is run with, and what was read in it."""

    submission: Submission
    prepared: Prepared
    reading: Reading

    @property
    def key(self) -> tuple[str, str]:
        """(student, assignment)."""
        return self.submission.student, self.submission.assignment

    @property
    def plan(self) -> Plan:
        """The cells that run."""
        return self.reading.plan

    def job(self, limits: Limits) -> Job:
        """What a worker needs to run it."""
        return Job(
            student=self.submission.student,
            assignment=self.submission.assignment,
            cells=self.reading.cells,
            sources=self.prepared.sources,
            libraries=self.prepared.libraries,
            absent=self.prepared.absent,
            exercises={id: to_json(exercise.observe) for id, exercise in self.prepared.exercises.items()},
            inputs={id: given.encoded for id, given in self.prepared.inputs.items()},
            visible={id: given.visible for id, given in self.prepared.inputs.items()},
            limits=limits,
        )


@dataclass(frozen=True)
class ClassWork:
    """What a class was given and what it handed in. Fields: folder: of the release. prepared: by assignment."""

    folder: Path
    release: Release
    prepared: dict[str, Prepared]
    works: tuple[Work, ...]


def prepare(
    assignment: Assignment, folder: Path, exercises: dict[str, Exercise], seed: int, libraries: Sequence[str]
) -> Prepared:
    """Read a notebook of the release and draw its hidden inputs.

    Raises: InvalidInput where it cannot be read, or where a library that answers may use is not installed.
    """
    released = released_cells(assignment, folder)
    own = {each.id: exercises[each.id] for each in assignment.exercises}
    for id, exercise in own.items():
        if not (module := type(exercise.observe).__module__).startswith("pgcourse.checks.observe"):
            said = "which no child has; use one of pgcourse.checks.observe"
            raise InvalidInput(f"{id}: its observer is from {module}, {said}")
    drawn = {id: inputs(exercise, seed) for id, exercise in own.items()}
    tops = {name: sorted({Path(file).name.partition(".")[0] for file in view.files(name)}) for name in libraries}
    absent = {top for cell in released for top in _modules(cell.source)} - {
        top for names in tops.values() for top in names
    }
    return Prepared(
        exercises=own,
        inputs=drawn,
        released=released,
        sources=sources(assignment.may_use, [exercise.observe for exercise in own.values()]),
        libraries=tops,
        absent=tuple(sorted(absent - set(sys.stdlib_module_names))),
    )


def released_cells(assignment: Assignment, folder: Path) -> tuple[Cell, ...]:
    """The code cells of a notebook as it was handed out. Raises: InvalidInput where it cannot be read."""
    return tuple(code_cells(_handed_out(assignment, folder)))


def _handed_out(assignment: Assignment, folder: Path) -> dict[str, Any]:
    path = folder / assignment.notebook
    try:
        return parse(path.read_bytes())
    except (OSError, NoNotebook) as error:
        raise InvalidInput(f"cannot read {path} ({error}); make the release again") from None


def reader_of(assignment: Assignment, folder: Path, limits: Limits, kept: Path) -> Callable[[str, str], ReadJob]:
    """(student, path) -> what a worker needs to read that student's notebook.

    Args: folder: of the release. kept: folder of all readings. Raises: InvalidInput where the release's cannot be read.
    """
    handed_out = _handed_out(assignment, folder)
    request = {
        "released": [[cell.id, cell.grade_id, cell.source, cell.number] for cell in code_cells(handed_out)],
        "handed_out": [[str(cell.get("id")), text_of(cell.get("source")) or ""] for cell in handed_out["cells"]],
        "exercises": [exercise.id for exercise in assignment.exercises],
        "manual": [cell.id for cell in assignment.manual],
    }
    limits, name = replace(limits, seconds=SECONDS, memory=MEMORY), assignment.name
    return lambda student, path: ReadJob(student, name, path, request, limits, kept / student / f"{name}.json")


def sources(may_use: Iterable[str], observers: Iterable[Any]) -> dict[str, str]:
    """Module -> source, of the package as a child has it: what answers may use, and what is needed to observe them.

    Args: may_use: names that answers may use, dotted.
    """
    wanted = {module: set(names) for module, names in (ALWAYS | OBSERVING).items()}
    for half in map(half_to_json, observers):
        wanted.setdefault(half["module"], set()).add(half["class"])
    for name in may_use:
        module, _, last = name.rpartition(".")
        wanted.setdefault(module, set()).add(last)
    found = {"pgcourse": "", "pgcourse.checks": _CHECKS}
    waiting = [(module, name) for module, names in wanted.items() for name in names]
    kept: dict[str, set[str]] = {}
    while waiting:
        module, name = waiting.pop()
        if name in kept.setdefault(module, set()) or module == "pgcourse":
            continue
        kept[module].add(name)
        waiting += _needs(module, kept[module])[1]
    return found | {module: _needs(module, names)[0] for module, names in kept.items() if names}


def _modules(cell: str) -> set[str]:
    """The top modules that a cell imports."""
    try:
        nodes = [*ast.walk(ast.parse(cell))]
    except SyntaxError:  # a magic; it imports nothing
        return set()
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in named} - {"pgcourse"}


def _needs(module: str, names: set[str]) -> tuple[str, list[tuple[str, str]]]:
    """(the part of the module's source that defines the names, what that part takes from other modules of ours)."""
    try:
        loaded = importlib.import_module(module)
        source = inspect.getsource(loaded)
    except (ImportError, OSError, TypeError):
        return "", []
    statements = ast.parse(source).body
    imports = [node for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]
    definitions = [
        (node, packages.defined(node)) for node in statements if not isinstance(node, ast.Import | ast.ImportFrom)
    ]
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


def seed_of(base: int, exercise: str, number: int) -> int:
    """The seed of one set of hidden cases: neighbouring bases share nothing, nor do exercises.

    Of 63 bits: who gets to know some numbers of a case cannot try all seeds.
    """
    word = int.from_bytes(hashlib.sha256(exercise.encode()).digest()[:8], "big")
    return int(np.random.SeedSequence([base, word, number]).generate_state(1, np.uint64)[0] >> 1)


def inputs(exercise: Exercise, base: int) -> Inputs:
    """The public examples once, then sets of what differs from seed to seed."""
    sets = getattr(exercise.observe, "sets", SETS)
    seeds = [seed_of(base, exercise.id, number) for number in range(sets)]
    with preserved_state():
        made = [list(exercise.cases(seed)) for seed in [*seeds, 7]]  # what is the same for one more, too, is public
    places = range(min(len(cases) for cases in made))
    # Another seed of the generator that an attempt draws from hides nothing.
    plain = [[{name: case[name] for name in case if name not in SEEDS} for case in cases] for cases in made]
    public = [place for place in places if all(same(plain[0][place], cases[place]) for cases in plain[1:])]
    secret = [place for place in places if place not in public]
    hidden = [(cases[place], f"{HIDDEN} {number}") for cases in made[:-1] for number, place in enumerate(secret, 1)]
    cases = (*(made[0][place] for place in public), *(case for case, _ in hidden))
    others = {f"{HIDDEN} {number}": made[-1][place] for number, place in enumerate(secret, 1)}
    return Inputs(cases, (*[EXAMPLES] * len(public), *(name for _, name in hidden)), others)


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
