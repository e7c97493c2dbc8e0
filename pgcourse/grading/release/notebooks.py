"""The notebooks of an assignment: read from the course's text with solutions and hidden tests, cleared, or as a key.

The same text gives the committed notebooks; a test holds that both come out alike. In a checkout it lies in course/
beside the package; a wheel carries a copy. nbgrader itself makes the student's version.
"""

import copy
import hashlib
import logging
import re
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from pgcourse.course_files import course_folder
from pgcourse.errors import InvalidInput
from pgcourse.study.prose import fill_placeholders

SUFFIX = ".exercises.py"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# A student's folder holds the notebooks of the class alone, so links into the course become words.
LINK = re.compile(r"\[([^\]]+)\]\(((?:\.\./notebooks/)?\d\d_\w+\.ipynb)\)")
REGION = re.compile(
    r"^[ \t]*### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)^[ \t]*### END \1(?:\n|$)", re.MULTILINE | re.DOTALL
)
TEXT_STUB = "*Write your answer here: double-click this cell.*"
# At the top level of a cell a `raise` would stop Run All, so an answer outside a function gets a comment.
COMMENT_STUB = "# write your answer here"
QUIET = logging.getLogger("pgcourse.grading.nbgrader")
QUIET.addHandler(logging.NullHandler())
QUIET.propagate = False


def exercises_folder() -> Path:
    """The folder of the exercises' text. Raises: InvalidInput where the installation has none."""
    folder = course_folder("course")
    if any(folder.glob(f"*{SUFFIX}")):
        return folder
    raise InvalidInput("this installation has no course/*.exercises.py; install pgcourse from its wheel or a checkout")


@cache
def units() -> dict[int, str]:
    """Number of each unit that has exercises -> its name: 1 -> 01_reinforce."""
    names = sorted(path.name.removesuffix(SUFFIX) for path in exercises_folder().glob(f"*{SUFFIX}"))
    return {int(name[:2]): name for name in names}


def unit_notebook(name: str) -> NotebookNode:
    """The exercises of the unit 01_reinforce and so on, solutions between their markers, not executed."""
    import jupytext  # slow to import

    raw = jupytext.reads((exercises_folder() / f"{name}{SUFFIX}").read_text(encoding="utf-8"), fmt="py:percent")
    cells = []
    for cell in raw.cells:
        if not cell.source.strip():
            continue
        kept = {key: value for key, value in cell.metadata.items() if key != "lines_to_next_cell"}
        make = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
        text = cell.source.rstrip()
        cells.append(make(source=text if cell.cell_type == "code" else _without_links(text), metadata=kept))
    notebook = new_notebook(cells)  # ids come from the text as it is written, placeholders and all
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = fill_placeholders(cell.source)
    return notebook


def new_notebook(cells: list[NotebookNode]) -> NotebookNode:
    """A notebook of these cells, each with a stable id: its grade_id, the one it has, or a hash of its type and source."""
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=nbformat.from_dict(METADATA))
    notebook.nbformat_minor = 5
    seen: set[str] = set()
    for cell in cells:
        stable = cell.id if cell.id.startswith("c-") else None
        base = grade_id(cell) or stable or "c-" + hashlib.sha1((cell.cell_type + cell.source).encode()).hexdigest()[:12]
        number, cell.id = 1, base
        while cell.id in seen:
            number += 1
            cell.id = f"{base}-{number}"
        seen.add(cell.id)
    return notebook


def nbgrader_cell(
    kind: str, source: str, grade_id: str, *, points: float | None = None, solution: bool = False, locked: bool = True
) -> NotebookNode:
    """A cell with nbgrader's metadata; with points it is graded. kind: "code" or "markdown"."""
    nbgrader: dict[str, Any] = {"grade": points is not None, "grade_id": grade_id, "locked": locked}
    nbgrader |= {"schema_version": 3, "solution": solution, "task": False}
    if points is not None:
        nbgrader["points"] = points
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    return make(source=source, metadata={"nbgrader": nbgrader})


def grade_id(cell: NotebookNode) -> str | None:
    """The nbgrader id of a cell, or None."""
    found: str | None = cell.metadata.get("nbgrader", {}).get("grade_id")
    return found


def find(notebook: NotebookNode, wanted: str) -> int:
    """Index of the cell with this grade_id. Raises: InvalidInput where there is none."""
    for index, cell in enumerate(notebook.cells):
        if grade_id(cell) == wanted:
            return index
    raise InvalidInput(f"the exercises' text has no cell {wanted!r}; the installation is damaged, install it again")


def without_regions(source: str, kind: str, *, keep_lines: bool) -> str:
    """Source without the markers of `kind`, SOLUTION or HIDDEN TESTS, and without what they hold unless `keep_lines`."""
    kept = REGION.sub(lambda match: match[0] if match[1] != kind else match[2] * keep_lines, source)
    return kept.rstrip()


def _without_links(text: str) -> str:
    return LINK.sub(lambda match: f"{match[1]} (`{_path_in_course(match[2])}` of the course)", text)


def _path_in_course(target: str) -> str:
    return target.removeprefix("../") if target.startswith("../") else f"exercises/{target}"


def text_of(notebook: NotebookNode) -> str:
    """The notebook as it is written to disk, with one line end at the end."""
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook)
    return text.rstrip("\n") + "\n"


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
            cells.append(nbformat.v4.new_markdown_cell(notes[cell.id], id=f"note-{cell.id}"))
    key.cells = cells
    return key
