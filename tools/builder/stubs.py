"""Solutions and hidden tests: their markers, the solved notebook, and the learner's stub made by nbgrader's preprocessors."""

import ast
import copy
import logging
import re
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode
from nbgrader.nbgraderformat import ValidationError
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config import Config

from pgcourse.errors import InvalidInput

from .course import SourceFile, flag, where

# --- Markers, read strictly: a misspelt one would publish a solution ------------------------------------------------------

SOLUTION, HIDDEN = "SOLUTION", "HIDDEN TESTS"
MARKERS = {f"### {edge} {kind}": (edge, kind) for edge in ("BEGIN", "END") for kind in (SOLUTION, HIDDEN)}
# nbgrader takes its words anywhere in a line; people also write them in lower case, joined or in the plural.
NEARLY = re.compile(
    r"(BEGIN|END) (SOLUTION|HIDDEN TESTS)|^\s*#.*\b(?i:begin|end)[\s_-]*(?i:solution|hidden[\s_-]*test)"
)


@dataclass(frozen=True)
class Region:
    """Lines between two markers of one cell; `start` and `stop` number the marker lines, from 0."""

    kind: str
    start: int
    stop: int
    lines: tuple[str, ...]


def regions(cell: NotebookNode, place: str) -> list[Region]:
    """The marked regions of a cell. Raises: InvalidInput for misspelt, nested, unbalanced or empty ones."""
    found: list[Region] = []
    opened: tuple[str, int] | None = None
    lines = cell.source.split("\n")
    for number, line in enumerate(lines):
        marker = MARKERS.get(line.strip())
        if marker is None:
            if NEARLY.search(line):
                raise InvalidInput(f"{place}: {line.strip()!r} is no marker; write one of {', '.join(MARKERS)}")
            continue
        edge, kind = marker
        if edge == "BEGIN":
            if opened is not None:
                raise InvalidInput(f"{place}: {line.strip()} inside another region; close the first one before it")
            opened = (kind, number)
        elif opened is None or opened[0] != kind:
            raise InvalidInput(f"{place}: {line.strip()} closes nothing; put ### BEGIN {kind} before it")
        else:
            inner = tuple(lines[opened[1] + 1 : number])
            if not any(text.strip() for text in inner):
                raise InvalidInput(f"{place}: nothing stands between the {kind} markers; write it or remove them")
            found.append(Region(kind, opened[1], number, inner))
            opened = None
    if opened is not None:
        raise InvalidInput(f"{place}: ### BEGIN {opened[0]} is never closed; add ### END {opened[0]}")
    return found


def without(cell: NotebookNode, place: str, *, kind: str, keep_lines: bool) -> str:
    """Source of `cell` less the markers of `kind`, and less what stands between them unless `keep_lines`."""
    lines = cell.source.split("\n")
    dropped: set[int] = set()
    for region in regions(cell, place):
        if region.kind == kind:
            dropped |= {region.start, region.stop} if keep_lines else set(range(region.start, region.stop + 1))
    return "\n".join(line for number, line in enumerate(lines) if number not in dropped).rstrip()


# --- Notebooks without the markers ----------------------------------------------------------------------------------------

TEXT_STUB = "*Write your answer here: double-click this cell.*"
# At the top level of a cell a `raise` would stop Run All, so an answer outside a function gets a comment.
COMMENT_STUB = "# write your answer here"
# nbgrader logs what it also raises; the builder says it once, in its own words.
QUIET = logging.getLogger("tools.builder.nbgrader")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


def solved_notebook(file: SourceFile, source: NotebookNode, *, hidden_tests: bool) -> NotebookNode:
    """The notebook for readers: solutions without the markers around them.

    Args: hidden_tests: keep their lines, as the build does when it executes the notebook, so that a solution
    which its own check refuses cannot be published.
    """
    solved = copy.deepcopy(source)
    for index, cell in enumerate(solved.cells):
        place = where(file, index, cell)
        cell.source = without(cell, place, kind=SOLUTION, keep_lines=True)
        cell.source = without(cell, place, kind=HIDDEN, keep_lines=hidden_tests)
    return solved


def stub_notebook(file: SourceFile, source: NotebookNode) -> NotebookNode:
    """The notebook for learners. Raises: InvalidInput where nbgrader refuses it or a solution would leak."""
    stub = copy.deepcopy(source)
    resources: dict[str, Any] = {}
    config = Config({"NbGraderPreprocessor": {"enabled": True}})
    try:
        stub, resources = LockCells(config=config, log=QUIET).preprocess(stub, resources)
        for index, cell in enumerate(stub.cells):
            if flag(cell, "solution"):
                _clear_solution(cell, index)
        for step in (ClearOutput, CheckCellMetadata, ClearHiddenTests, ComputeChecksums):
            stub, resources = step(config=config, log=QUIET).preprocess(stub, resources)
    except (RuntimeError, ValidationError) as error:
        raise InvalidInput(
            f"{file.label}: nbgrader refuses it: {_why(stub, error)}; correct the cell's metadata"
        ) from error
    for cell in stub.cells:
        cell.source = cell.source.rstrip()
    refuse_leaks(file, source, stub)
    _refuse_raising_cells(file, stub)
    return stub


def _clear_solution(cell: NotebookNode, index: int) -> None:
    exercise = cell.metadata["nbgrader"]["grade_id"]
    stub = f'raise NotImplementedError("{exercise}: write your code here, then run the check below")'
    lines = cell.source.split("\n")
    if any(not lines[region.start][:1].isspace() for region in regions(cell, exercise)):
        stub = COMMENT_STUB
    clear = ClearSolutions(log=QUIET)
    clear.code_stub, clear.text_stub = {"python": stub}, TEXT_STUB
    clear.preprocess_cell(cell, {"language": "python"}, index)


def _why(notebook: NotebookNode, error: Exception) -> str:
    """nbgrader keeps the reason for its log and raises a general sentence: ask its validator again."""
    from nbgrader.nbgraderformat import MetadataValidator

    try:
        MetadataValidator().validate_nb(notebook)
    except ValidationError as reason:
        return str(reason).split("\n", 1)[0][:200]
    return str(error).split("\n", 1)[0][:200]


def refuse_leaks(file: SourceFile, source: NotebookNode, stub: NotebookNode) -> None:
    """Raises: InvalidInput when a line of a solution survives in the stub.

    nbgrader made the stub, so its result is judged, not trusted. A line that also stands outside the markers
    of its file (an import, a plot) may stay, but never all the lines of a solution one after another.
    """
    given: set[str] = set()
    for index, cell in enumerate(source.cells):
        open_cell = copy.deepcopy(cell)
        for kind in (SOLUTION, HIDDEN):
            open_cell.source = without(open_cell, where(file, index, cell), kind=kind, keep_lines=False)
        given |= set(_telling(open_cell.source))
    shown = [_telling(cell.source) for cell in stub.cells]
    everything = {line for lines in shown for line in lines}
    for index, cell in enumerate(source.cells):
        place = where(file, index, cell)
        for region in regions(cell, place):
            lines = _telling("\n".join(region.lines))
            for line in lines:
                if line in everything and line not in given:
                    raise InvalidInput(f"{place}: the line `{line}` survives in the stub; move it inside the markers")
            size = len(lines)
            for other, there in enumerate(shown):
                if size > 1 and any(there[i : i + size] == lines for i in range(len(there) - size + 1)):
                    raise InvalidInput(
                        f"{place}: the whole solution also stands unmarked in cell {other + 1}; take it out"
                    )


def _telling(text: str) -> list[str]:
    """Stripped lines that say something of a solution; brackets, `else:` and one-word lines say nothing."""
    stripped = (line.strip() for line in text.split("\n"))
    return [line for line in stripped if len(line) >= 8 and any(sign in line for sign in "=([.#+-*/ ")]


def _refuse_raising_cells(file: SourceFile, stub: NotebookNode) -> None:
    for index, cell in enumerate(stub.cells):
        if cell.cell_type != "code" or not flag(cell, "solution"):
            continue
        place = where(file, index, cell)
        try:
            tree = ast.parse(cell.source)
        except SyntaxError as error:
            raise InvalidInput(f"{place}: the stub is not valid Python ({error.msg}); mark whole statements") from error
        names = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        exercise = cell.metadata["nbgrader"]["grade_id"]
        if "-" in exercise:  # a part of an exercise, such as an answer that is no function
            continue
        if exercise not in names:
            raise InvalidInput(f"{place}: the stub loses `def {exercise}`; put the markers inside the function")
        if not any(isinstance(node, ast.Raise) for node in ast.walk(names[exercise])):
            raise InvalidInput(f"{place}: the stub of {exercise} does not raise; put a marked region inside its body")
