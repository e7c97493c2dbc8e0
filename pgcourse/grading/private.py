"""Exercises of a class: the package's, and those of a teacher's own folder, which no student has seen solved.

A file of one's own holds `EXERCISES = (Exercise(...), ...)`, as the units of the package do. It is copied into the
release folder, so that the grader finds it there; its checks are proved before anything is handed out.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pgcourse.checks
from pgcourse.checks.exercise import CheckResult, Exercise, exercises, get
from pgcourse.checks.observe import TimeLimit, observe
from pgcourse.checks.runner import DEFAULT_SEED, TIME_LIMIT, judge_observations
from pgcourse.checks.sandbox import captured_output, preserved_state, time_limit
from pgcourse.errors import InvalidInput
from pgcourse.grading.release import Release


def exercises_of(release: Release, folder: str | Path) -> dict[str, Exercise]:
    """The exercise of each graded id, in the release's order; a teacher's own come from files in `folder`.

    Raises: InvalidInput, one line, where this version of the package or the folder lacks one.
    """
    found: dict[str, Exercise] = {}
    for graded in (each for assignment in release.assignments for each in assignment.exercises):
        if graded.source is None:
            found[graded.id] = get(graded.id)
            continue
        here = {exercise.id: exercise for exercise in load_file(Path(folder) / graded.source)}
        if graded.id not in here:
            raise InvalidInput(f"{graded.source} holds no exercise {graded.id!r}; make the release again")
        found[graded.id] = here[graded.id]
    return found


def load_file(path: Path) -> tuple[Exercise, ...]:
    """The exercises of one of a teacher's files. Raises: InvalidInput where it cannot be run or holds none."""
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read {path} ({error}); give a Python file in UTF-8") from None
    return load_source(source, path)


def load_source(source: str, path: Path) -> tuple[Exercise, ...]:
    """The exercises that the text of a file defines; `path` is where messages say that it stands."""
    # Named by place and content, so that two versions of one file do not take each other's place.
    name = f"pgcourse_private_{hashlib.sha256(f'{path}{source}'.encode()).hexdigest()[:16]}"
    if name not in sys.modules:
        module = ModuleType(name)
        module.__file__ = str(path)
        sys.modules[name] = module  # dataclasses of the file look here for their module
        try:
            exec(compile(source, str(path), "exec"), vars(module))
        except BaseException as error:
            del sys.modules[name]
            if isinstance(error, KeyboardInterrupt):
                raise
            raise InvalidInput(f"{path} does not run: {type(error).__name__}: {error}; repair the file") from error
    found = getattr(sys.modules[name], "EXERCISES", None)
    if not isinstance(found, tuple) or not found or not all(isinstance(each, Exercise) for each in found):
        raise InvalidInput(f"{path} has no EXERCISES = (Exercise(...), ...); see docs/teaching.md")
    return found


def run_exercise(exercise: Exercise, attempt: Any, seed: int = DEFAULT_SEED) -> CheckResult:
    """What `pgcourse.checks.run` does for an exercise of the package. Never raises for what the attempt does."""
    with preserved_state():
        cases = list(exercise.cases(seed))
    observations = []
    try:
        with preserved_state(), captured_output(), time_limit(TIME_LIMIT):
            for case in cases:
                with preserved_state():
                    observations.append(observe(exercise.observe, attempt, case))
    except TimeLimit:
        return CheckResult("not yet", f"✗ {exercise.id}: stopped after {TIME_LIMIT:g} seconds: does a loop never end?")
    if "untouched" in observations[0]:
        observations = observations[:1]
    return judge_observations(exercise, cases, observations)


def embed(source: str) -> str:
    """The text of a file, packed for the hidden tests of a notebook."""
    return base64.b64encode(zlib.compress(source.encode("utf-8"), 9)).decode("ascii")


def run_embedded(packed: str, id: str, attempt: Any) -> CheckResult:
    """Check an attempt at an exercise that `embed` packed: what the hidden tests of an nbgrader notebook call."""
    source = zlib.decompress(base64.b64decode(packed)).decode("utf-8")
    found = {exercise.id: exercise for exercise in load_source(source, Path("private.py"))}
    return run_exercise(found[id], attempt)


def checks_digest(graded: Iterable[Exercise]) -> str:
    """sha256 of the files that decide what is right: the engine, the exercises' own files, and their references."""
    engine = Path(inspect.getfile(pgcourse.checks)).parent
    known = {exercise.id for exercise in exercises()}
    files = set(engine.glob("*.py"))
    for exercise in graded:
        if exercise.id in known:
            files |= set((engine / f"unit_{exercise.unit}").glob("*.py"))
        if inspect.isfunction(exercise.reference):
            files.add(Path(exercise.reference.__code__.co_filename))
    package = engine.parent
    total = hashlib.sha256()
    for name, file in sorted(
        (f.relative_to(package).as_posix() if f.is_relative_to(package) else f.name, f) for f in files
    ):
        data = file.read_bytes().replace(b"\r\n", b"\n")  # a checkout with Windows line ends holds the same checks
        total.update(f"{name}\0{len(data)}\0".encode() + data)
    return total.hexdigest()
