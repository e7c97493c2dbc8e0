"""Read a source in the percent format as a notebook that is the same on every machine and at every build."""

import hashlib
import re
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from pgcourse.errors import InvalidInput

from .claims import fill_placeholders
from .layout import Course, SourceFile

# Versions of Python and of the kernel stay out: builds on 3.11 and on 3.13 must agree.
NOTEBOOK_METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
NBGRADER_KEYS = {"grade": False, "locked": False, "solution": False, "task": False, "schema_version": 3}


def read_source(course: Course, file: SourceFile) -> NotebookNode:
    """The notebook that `file` describes: not executed, figures filled in, stable ids, the smallest metadata.

    Raises: InvalidInput naming file and cell when the text is no valid source.
    """
    try:
        text = file.path.read_text(encoding="utf-8")
        raw = jupytext.reads(text, fmt="py:percent")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InvalidInput(f"{file.label}: cannot be read as py:percent text ({error}); repair the file") from error
    cells = [_clean_cell(cell) for cell in raw.cells if cell.source.strip()]
    if not cells:
        raise InvalidInput(f"{file.label}: holds no cells; start each with a line `# %%` or `# %% [markdown]`")
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=nbformat.from_dict(NOTEBOOK_METADATA))
    notebook.nbformat_minor = 5
    set_ids(notebook, file)
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            cell.source = fill_placeholders(cell.source, course.quote, where(file, index, cell))
        elif cell.cell_type == "code" and cell.source.rstrip().endswith(";"):
            # The test runner shows the value that the semicolon hides in JupyterLab.
            raise InvalidInput(
                f"{where(file, index, cell)}: ends with `;`; end a plotting cell with plt.show() instead"
            )
    return notebook


def _clean_cell(cell: NotebookNode) -> NotebookNode:
    metadata = {key: value for key, value in cell.metadata.items() if key != "lines_to_next_cell"}
    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    new = make.get(cell.cell_type, nbformat.v4.new_raw_cell)(source=cell.source.rstrip())
    new.metadata = nbformat.from_dict(metadata)
    return new


def grade_id(cell: NotebookNode) -> str | None:
    """The nbgrader id of a cell, or None."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def flag(cell: NotebookNode, name: str) -> bool:
    """Whether nbgrader's metadata of `cell` says `grade`, `solution` or `locked`."""
    return bool(cell.metadata.get("nbgrader", {}).get(name, False))


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell, none where it has no such metadata."""
    return list(cell.metadata.get("tags", []))


def set_ids(notebook: NotebookNode, file: SourceFile) -> None:
    """Give each cell its stable id: the grade_id, else a hash of type and source; text formats cannot store
    ids.

    Raises: InvalidInput when a grade_id is used twice or cannot be a cell's id.
    """
    seen: set[str] = set()
    for index, cell in enumerate(notebook.cells):
        nbgrader = cell.metadata.get("nbgrader")
        if nbgrader is not None:
            _complete_nbgrader(nbgrader, where(file, index, cell))
        given = grade_id(cell)
        if given is not None:
            if given in seen:
                place = where(file, index, cell)
                raise InvalidInput(f"{place}: grade_id {given!r} is used twice; give each cell its own")
            cell.id = given
        else:
            base = "c-" + hashlib.sha1((cell.cell_type + cell.source).encode("utf-8")).hexdigest()[:12]
            number = 1
            cell.id = base
            while cell.id in seen:
                number += 1
                cell.id = f"{base}-{number}"
        seen.add(cell.id)


def _complete_nbgrader(nbgrader: NotebookNode, place: str) -> None:
    for key, value in NBGRADER_KEYS.items():
        nbgrader.setdefault(key, value)
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(nbgrader.get("grade_id", ""))):
        raise InvalidInput(
            f"{place}: grade_id {nbgrader.get('grade_id')!r} is no cell id; use 1 to 64 of A-Z a-z 0-9 _ -"
        )


def where(file: SourceFile, index: int, cell: NotebookNode) -> str:
    """How messages name a cell: file, number from 1, and its grade_id or first line."""
    first = cell.source.strip().split("\n", 1)[0][:50]
    return f"{file.label}, cell {index + 1} ({grade_id(cell) or repr(first)})"


def text_of(notebook: NotebookNode) -> str:
    """The notebook as it is written to disk. Raises: InvalidInput where it is not valid nbformat 4.5."""
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        raise InvalidInput(f"the notebook is not valid nbformat 4.5: {error.message}") from error
    return nbformat.writes(notebook).rstrip("\n") + "\n"
