"""The exercises of a class: the package's, and those of a teacher's own folder, which no student has seen solved.

A file of one's own, `91_midterm.py`, holds `EXERCISES = (Exercise(...), ...)`, as the units of the package do, and gives
one assignment: the reference's signature and docstring stand in the student's notebook, its body is the solution. What
holds of the package's exercises is proved here before anything is handed out. The file is copied into the release
folder, so that the grader finds it there.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import inspect
import sys
import textwrap
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

import pgcourse.checks
from pgcourse.checks import catalogue
from pgcourse.checks.exercise import CheckResult, Exercise, get
from pgcourse.checks.observe import from_json, to_json
from pgcourse.checks.runner import run_exercise
from pgcourse.errors import InvalidInput
from pgcourse.grading.release.manifest import NAME, Release

if TYPE_CHECKING:
    from nbformat import NotebookNode


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
    return load_source(_text(path), path)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read {path} ({error}); give a Python file in UTF-8") from None


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
    files = {*engine.glob("*.py"), *engine.glob("observe/*.py")}
    for exercise in graded:
        if exercise.id in catalogue.BY_ID:
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


@dataclass(frozen=True)
class PrivateFile:
    """A file of a teacher's own exercises, read and proved."""

    name: str
    source: str
    exercises: tuple[Exercise, ...]
    notebook: NotebookNode


def read_folder(folder: Path, taken: set[str]) -> list[PrivateFile]:
    """The files of a teacher's folder, by name. Args: taken: names of assignments that the course has.

    Raises: InvalidInput, one line, for a folder without exercises and for one that its own check refuses.
    """
    if not folder.is_dir():
        raise InvalidInput(f"there is no folder {folder}; give one with files such as 91_midterm.py")
    paths = sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))
    if not paths:
        raise InvalidInput(f"{folder} holds no Python files; put your exercises there, in files such as 91_midterm.py")
    found = [read_file(path, taken) for path in paths]
    seen = dict.fromkeys(catalogue.BY_ID, "the course")
    for file in found:
        for exercise in file.exercises:
            if exercise.id in seen:
                raise InvalidInput(f"{exercise.id!r} of {file.name} is in {seen[exercise.id]} too; rename one")
            seen[exercise.id] = file.name
    return found


def read_file(path: Path, taken: set[str]) -> PrivateFile:
    """One file of exercises. Raises: InvalidInput as `read_folder`."""
    name = path.stem
    if not NAME.fullmatch(name) or name in taken:
        raise InvalidInput(
            f"{path.name}: name it like 91_midterm.py, two digits first, and not like a unit of the course"
        )
    source = _text(path)
    found = load_source(source, path)
    for exercise in found:
        try:
            prove(exercise)
        except InvalidInput as error:
            raise InvalidInput(f"{path.name}: {exercise.id}: {error}") from None
    return PrivateFile(name, source, found, _notebook(path, source, found))


def prove(exercise: Exercise) -> None:
    """Raises: InvalidInput unless right answers pass, wrong ones fail and are named, and seeds change the cases."""
    try:
        observer = from_json(to_json(exercise.observe))
    except (ValueError, TypeError, AttributeError):
        observer = None
    if observer != exercise.observe:
        raise InvalidInput("observe must be one of pgcourse.checks.observe, such as Call: the child imports no other")
    if _numbers(exercise, 1) == _numbers(exercise, 2):
        raise InvalidInput(
            "cases(seed) ignores the seed, so a hidden batch would be the known one; use generator(seed)"
        )
    for right in (exercise.reference, *exercise.also_correct, *exercise.alternatives):
        result = run_exercise(exercise, right)
        if result.status != "correct":
            raise InvalidInput(f"its check refuses the right answer {right.__name__}: {result.message}")
    for misconception in exercise.misconceptions:
        for wrong in (misconception.wrong, *misconception.variants):
            result = run_exercise(exercise, wrong)
            if result.status != "not yet" or result.misconception != misconception.id:
                said = f"{result.status}, {result.misconception or 'no misconception'}"
                raise InvalidInput(f"its check answers the misconception {misconception.id} with: {said}")


def _numbers(exercise: Exercise, seed: int) -> list[bytes]:
    values = [value for case in exercise.cases(seed) for value in case.values()]
    return [
        np.asarray(value).tobytes() for value in values if isinstance(value, int | float) or hasattr(value, "__array__")
    ]


def _notebook(path: Path, source: str, found: tuple[Exercise, ...]) -> NotebookNode:
    import nbformat  # takes a second, and the grader needs none of it

    from pgcourse.grading.release.notebooks import nbgrader_cell, new_notebook

    tree = ast.parse(source)
    title, _, text = inspect.cleandoc(ast.get_docstring(tree) or path.stem).partition("\n")
    cells = [nbformat.v4.new_markdown_cell(f"# {title.rstrip('.')}\n\n{text.strip()}".rstrip())]
    functions = [_function(path, tree, exercise, found[:index]) for index, exercise in enumerate(found)]
    imports = _imports(tree, functions)
    if imports:
        cells.append(nbformat.v4.new_code_cell(imports))
    for number, (exercise, function) in enumerate(zip(found, functions, strict=True), 1):
        plural = "s" * (exercise.points != 1)
        facts = f"*{exercise.points} point{plural}, about {exercise.minutes} minutes, difficulty {exercise.difficulty} of 3.*"
        folded = "<details><summary>Hint {}</summary>\n\n{}\n\n</details>"
        hints = (folded.format(i, hint) for i, hint in enumerate(exercise.hints, 1))
        cells.append(nbformat.v4.new_markdown_cell("\n\n".join([f"## {number} {exercise.title}", facts, *hints])))
        cells.append(nbgrader_cell("code", _solution(source, function), exercise.id, solution=True, locked=False))
        cells.append(nbgrader_cell("code", _check(source, exercise), f"check-{exercise.id}", points=exercise.points))
    return new_notebook(cells)


def _function(path: Path, tree: ast.Module, exercise: Exercise, earlier: tuple[Exercise, ...]) -> ast.FunctionDef:
    own = {name for node in tree.body for name in _defined(node)} - {each.id for each in earlier}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == exercise.id:
            named = getattr(exercise.reference, "__name__", "") == exercise.id
            if not named or ast.get_docstring(node) is None or len(node.body) < 2:
                break
            inner = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            missing = sorted((inner & own) - {exercise.id})
            if missing:
                said = f"uses {missing[0]}, which students do not get; move it inside"
                raise InvalidInput(f"{path.name}: {exercise.id} {said}")
            return node
    raise InvalidInput(
        f"{path.name}: the reference of {exercise.id!r} must be `def {exercise.id}(...)` in this file; "
        "its docstring is the task"
    )


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _imports(tree: ast.Module, functions: list[ast.FunctionDef]) -> str:
    """The file's imports that the tasks need, without those that only an exercise's record needs."""
    used = {node.id for function in functions for node in ast.walk(function) if isinstance(node, ast.Name)}
    lines = []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "__future__":
            node.names = [alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) in used]
            if node.names:
                lines.append(ast.unparse(node))
    return "\n".join(lines)


def _solution(source: str, function: ast.FunctionDef) -> str:
    lines = source.splitlines()
    start = min([function.lineno, *(each.lineno for each in function.decorator_list)])
    head = lines[start - 1 : function.body[1].lineno - 1]
    body = lines[function.body[1].lineno - 1 : function.end_lineno]
    indent = " " * function.body[0].col_offset
    return "\n".join([*head, f"{indent}### BEGIN SOLUTION", *body, f"{indent}### END SOLUTION"])


def _check(source: str, exercise: Exercise) -> str:
    shown = f'print("{exercise.id}: your teacher checks this one; try it on inputs of your own")'
    hidden = f"""
        ### BEGIN HIDDEN TESTS
        from pgcourse.grading.release.exercises import run_embedded

        packed = "{embed(source)}"
        assert run_embedded(packed, "{exercise.id}", {exercise.id}).status == "correct"
        ### END HIDDEN TESTS"""
    return shown + textwrap.dedent(hidden)
