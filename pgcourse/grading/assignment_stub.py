"""Three versions of one assignment: nbgrader's source, the student's notebook (made by nbgrader itself), the key."""

from __future__ import annotations

import copy
import logging
import re
from typing import Any

from nbformat import NotebookNode

from pgcourse.errors import InvalidInput
from pgcourse.grading.assignment_source import REGION, without_regions

TEXT_STUB = "*Write your answer here: double-click this cell.*"
# At the top level of a cell a `raise` would stop Run All, so an answer outside a function gets a comment.
COMMENT_STUB = "# write your answer here"
QUIET = logging.getLogger("pgcourse.grading.nbgrader")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


def require_nbgrader() -> Any:
    """nbgrader's preprocessors. Raises: InvalidInput with the line that installs them."""
    try:
        from nbgrader import preprocessors
    except ImportError:
        raise InvalidInput('nbgrader is not installed; run: pip install "pgcourse[teach]"') from None
    return preprocessors


def student_version(source: NotebookNode) -> NotebookNode:
    """The notebook for students: solutions and hidden tests cleared, graded cells locked, checksums set."""
    nbgrader = require_nbgrader()
    from traitlets.config import Config

    config = Config({"NbGraderPreprocessor": {"enabled": True}})
    stub: NotebookNode = copy.deepcopy(source)
    resources: dict[str, Any] = {}
    stub, resources = nbgrader.LockCells(config=config, log=QUIET).preprocess(stub, resources)
    for index, cell in enumerate(stub.cells):
        if cell.metadata.get("nbgrader", {}).get("solution"):
            clear = nbgrader.ClearSolutions(log=QUIET)
            clear.code_stub, clear.text_stub = {"python": _code_stub(cell)}, TEXT_STUB
            clear.preprocess_cell(cell, {"language": "python"}, index)
    for name in ("ClearOutput", "CheckCellMetadata", "ClearHiddenTests", "ComputeChecksums"):
        stub, resources = getattr(nbgrader, name)(config=config, log=QUIET).preprocess(stub, resources)
    for cell in stub.cells:
        cell.source = cell.source.rstrip()
    _refuse_leaks(source, stub)
    return stub


def _code_stub(cell: NotebookNode) -> str:
    top_level = any(not match[2][:1].isspace() for match in REGION.finditer(cell.source))
    name = cell.metadata["nbgrader"]["grade_id"]
    call = f'raise NotImplementedError("{name}: write your code here, then run the check below")'
    return COMMENT_STUB if top_level else call


def _refuse_leaks(source: NotebookNode, stub: NotebookNode) -> None:
    """nbgrader made the stub, so its result is judged, not trusted."""
    for before, after in zip(source.cells, stub.cells, strict=True):
        hidden = [match[2].strip("\n") for match in REGION.finditer(before.source)]
        if re.search("### (BEGIN|END) ", after.source) or any(text in after.source for text in hidden):
            raise InvalidInput(f"the cell {before.id} would show its solution to students; correct its markers")


def key_version(source: NotebookNode, notes: dict[str, str]) -> NotebookNode:
    """The notebook for the teacher: solved, without markers and hidden tests.

    Args: notes: id of a cell -> markdown to put below it.
    """
    key = copy.deepcopy(source)
    cells = []
    for cell in key.cells:
        solved = without_regions(cell.source, "SOLUTION", keep_lines=True)
        cell.source = without_regions(solved, "HIDDEN TESTS", keep_lines=False)
        cells.append(cell)
        if cell.id in notes:
            cells.append(_note(cell.id, notes[cell.id]))
    key.cells = cells
    return key


def _note(id: str, text: str) -> NotebookNode:
    from nbformat.v4 import new_markdown_cell

    cell: NotebookNode = new_markdown_cell(source=text)
    cell.id = f"note-{id}"
    return cell
