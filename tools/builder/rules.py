"""Rules that the exercises of a source must obey before anything is built from it."""

import ast
from collections.abc import Sequence

from nbformat import NotebookNode

from pgcourse.errors import InvalidInput

from .course import Course, ExerciseRecord, SourceFile, flag, grade_id, tags, unit_number, where
from .stubs import HIDDEN, SOLUTION, regions, without
from .visible import asks, folded

CHECK_TAG = "nbval-check-output"
NUM_HINTS = 3


def refuse_exercise_cells(file: SourceFile, notebook: NotebookNode) -> None:
    """Raises: InvalidInput when a lesson holds markers or graded cells; a unit's exercises hold them."""
    for index, cell in enumerate(notebook.cells):
        if regions(cell, where(file, index, cell)) or flag(cell, "solution") or flag(cell, "grade"):
            place = where(file, index, cell)
            raise InvalidInput(f"{place}: no exercise belongs in a lesson; move it to {file.name}.exercises.py")


def refuse_open_questions(file: SourceFile, notebook: NotebookNode) -> None:
    """Raises: InvalidInput when the code of a question is not folded: it holds the answer."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and not folded(cell) and asks(cell.source):
            place = where(file, index, cell)
            raise InvalidInput(
                f'{place}: the answer can be read; open the cell with # %% jupyter={{"source_hidden": true}}'
            )


def refuse_bad_exercises(course: Course, file: SourceFile, notebook: NotebookNode) -> None:
    """Hold the exercises of one source against the registry. Raises: InvalidInput for the first mistake."""
    registered = {exercise.id: exercise for exercise in course.exercises}
    positions = {cell.id: index for index, cell in enumerate(notebook.cells)}
    for index, cell in enumerate(notebook.cells):
        _check_cell(cell, where(file, index, cell), registered)
    for exercise in course.exercises:
        if unit_number(exercise.unit) != file.unit:
            if exercise.id in positions:
                raise InvalidInput(
                    f"{file.label}: {exercise.id!r} is of unit {exercise.unit} in pgcourse.checks; move it"
                )
            continue
        _check_record(exercise, file)
        if exercise.id not in positions:
            raise InvalidInput(
                f"{file.label}: exercise {exercise.id!r} of pgcourse.checks is missing; "
                f'add a solution cell with grade_id "{exercise.id}"'
            )
        position = positions.get(f"check-{exercise.id}")
        if position is None or position < positions[exercise.id]:
            raise InvalidInput(
                f"{file.label}: exercise {exercise.id!r} has no check cell; "
                f'add one with grade_id "check-{exercise.id}" below its solution cell'
            )
        cell = notebook.cells[position]
        _check_check(cell, exercise, where(file, position, cell))


def _check_cell(cell: NotebookNode, place: str, registered: dict[str, ExerciseRecord]) -> None:
    found = regions(cell, place)
    name = grade_id(cell) or ""
    if any(region.kind == SOLUTION for region in found) and not flag(cell, "solution"):
        raise InvalidInput(f'{place}: solution markers in a cell without `"solution": true`; add the nbgrader metadata')
    if any(region.kind == HIDDEN for region in found) and (not flag(cell, "grade") or flag(cell, "solution")):
        raise InvalidInput(f"{place}: hidden tests outside a check cell; move them to the exercise's check cell")
    if flag(cell, "grade") and not flag(cell, "solution") and name.removeprefix("check-") not in registered:
        raise InvalidInput(
            f"{place}: no exercise {name.removeprefix('check-')!r} in pgcourse.checks; add it there first"
        )
    if not flag(cell, "solution"):
        return
    if not found:
        raise InvalidInput(f"{place}: a solution cell without markers would lose its task too; mark the solution")
    if cell.cell_type != "code" or any(name.startswith(f"{exercise}-") for exercise in registered):
        return
    # A cell `patient_01-answer` is a part of exercise patient_01; any other solution cell is an exercise.
    if name not in registered:
        raise InvalidInput(
            f"{place}: no exercise {name!r} in pgcourse.checks; add it there, or make this an ordinary cell"
        )
    if name not in _definitions(cell.source):
        defined = ", ".join(_definitions(cell.source)) or "nothing"
        raise InvalidInput(
            f"{place}: the cell defines {defined}, not {name}; the function's name must be the exercise's id"
        )


def _definitions(source: str) -> list[str]:
    """Names of the functions and classes at the top level of `source`; none where it is not valid Python."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return []
    return [node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)]


def _check_record(exercise: ExerciseRecord, file: SourceFile) -> None:
    wrong = None
    if not exercise.minutes or exercise.minutes <= 0:
        wrong = f"minutes {exercise.minutes!r}; say how long it takes, above 0"
    elif exercise.difficulty not in (1, 2, 3):
        wrong = f"difficulty {exercise.difficulty!r}; use 1, 2 or 3"
    elif len(exercise.hints) != NUM_HINTS or not all(str(hint).strip() for hint in exercise.hints):
        wrong = f"{len(exercise.hints)} hints; write exactly {NUM_HINTS}, none empty"
    if wrong:
        raise InvalidInput(f"{file.label}: exercise {exercise.id!r} has {wrong} (in pgcourse/checks)")


def _check_check(cell: NotebookNode, exercise: ExerciseRecord, place: str) -> None:
    nbgrader = cell.metadata["nbgrader"]
    if cell.cell_type != "code" or not nbgrader["grade"] or nbgrader["solution"] or not nbgrader["locked"]:
        raise InvalidInput(
            f'{place}: a check cell is a code cell with "grade": true, "locked": true, "solution": false'
        )
    if nbgrader.get("points") != exercise.points:
        raise InvalidInput(
            f"{place}: {nbgrader.get('points')!r} points, {exercise.points!r} in pgcourse.checks; correct one"
        )
    shown = without(cell, place, kind=HIDDEN, keep_lines=False)
    if f'check("{exercise.id}", {exercise.id})' not in shown:
        raise InvalidInput(f'{place}: does not call check("{exercise.id}", {exercise.id}); add the call')
    hidden = "\n".join(line for region in regions(cell, place) for line in region.lines)
    if "assert" not in hidden or f'run("{exercise.id}"' not in hidden:
        raise InvalidInput(
            f'{place}: without hidden tests that assert run("{exercise.id}", ...).status == "correct" '
            "nbgrader would give the points to anything; add them"
        )
    if CHECK_TAG not in tags(cell) and "# NBVAL_CHECK_OUTPUT" not in shown:
        raise InvalidInput(f'{place}: a "not yet" would pass the notebook tests; add tags=["{CHECK_TAG}"]')


def refuse_repeated_exercises(solution_ids: Sequence[tuple[SourceFile, str]]) -> None:
    """Raises: InvalidInput when two files share an exercise id: answers and grades are filed by the id."""
    owner: dict[str, SourceFile] = {}
    for file, name in solution_ids:
        if name in owner and owner[name] != file:
            raise InvalidInput(f"{file.label}: exercise {name!r} is in {owner[name].label} too; rename or remove one")
        owner[name] = file
