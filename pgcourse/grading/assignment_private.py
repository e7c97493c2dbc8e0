"""A teacher's own exercises as a notebook: one file of Python, `91_midterm.py`, gives one assignment.

The reference's text makes the task: its signature and docstring stand in the student's notebook, its body is the
solution. What holds of the package's exercises is proved here before anything is handed out.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
from nbformat import NotebookNode

from pgcourse.checks.exercise import Exercise, exercises
from pgcourse.checks.observe import from_json, to_json
from pgcourse.errors import InvalidInput
from pgcourse.grading.assignment_source import nbgrader_cell, new_notebook
from pgcourse.grading.private import embed, load_source, run_exercise
from pgcourse.grading.release_parts import NAME


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
    seen = {exercise.id: "the course" for exercise in exercises()}
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
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InvalidInput(f"cannot read {path} ({error}); give a Python file in UTF-8") from None
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
        raise InvalidInput("observe must be one of pgcourse.checks.observe*, such as Call: the child imports no other")
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
    return [np.asarray(value).tobytes() for case in exercise.cases(seed) for value in case.values() if _plain(value)]


def _plain(value: object) -> bool:
    return isinstance(value, int | float) or hasattr(value, "__array__")


def _notebook(path: Path, source: str, found: tuple[Exercise, ...]) -> NotebookNode:
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
        hints = (
            f"<details><summary>Hint {i}</summary>\n\n{hint}\n\n</details>" for i, hint in enumerate(exercise.hints, 1)
        )
        cells.append(nbformat.v4.new_markdown_cell("\n\n".join([f"## {number} {exercise.title}", facts, *hints])))
        cells.append(nbgrader_cell("code", _solution(source, function), exercise.id, solution=True, locked=False))
        cells.append(nbgrader_cell("code", _check(source, exercise), f"check-{exercise.id}", points=exercise.points))
    return new_notebook(cells)


def _function(path: Path, tree: ast.Module, exercise: Exercise, earlier: tuple[Exercise, ...]) -> ast.FunctionDef:
    own = {name for node in tree.body for name in _defined(node)} - {each.id for each in earlier}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == exercise.id:
            if getattr(exercise.reference, "__name__", "") != exercise.id or ast.get_docstring(node) is None:
                break
            if len(node.body) < 2:
                break
            inner = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            missing = sorted((inner & own) - {exercise.id})
            if missing:
                raise InvalidInput(
                    f"{path.name}: {exercise.id} uses {missing[0]}, which students do not get; move it inside"
                )
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
        from pgcourse.grading.private import run_embedded

        packed = "{embed(source)}"
        assert run_embedded(packed, "{exercise.id}", {exercise.id}).status == "correct"
        ### END HIDDEN TESTS"""
    return shown + textwrap.dedent(hidden)
