"""A notebook as it stands in its file: its code cells, and what there is for a person to read and to mark."""

import json
from typing import Any

from pgcourse.grading.quarantine.reader.cells import Cell
from pgcourse.grading.quarantine.sandbox.wire import plain_text

MAX_TEXT = 50_000  # characters of a written answer, of a cell beside it, and of what that printed
MAX_FIGURES = 30  # of one answer
MAX_FIGURE = 1_500_000  # characters of a figure in base64
MAX_WRITTEN = 12_000_000  # characters of all figures together
MAX_RAN = 20  # cells beside an answer
PNG = "iVBORw0KGgo"  # how every PNG begins in base64


class NoNotebook(Exception):
    """The text says why, as a student is told."""


def parse(data: bytes) -> dict[str, Any]:
    """The notebook. Raises: NoNotebook."""
    if not data.strip():
        raise NoNotebook("The file is empty.")
    try:
        notebook: Any = json.loads(data)
    except (ValueError, RecursionError):
        said = "The file is no Jupyter notebook: it is not JSON. Save it in JupyterLab and hand in that file."
        raise NoNotebook(said) from None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        said = "The file is JSON but no Jupyter notebook of format 4. Save it in JupyterLab and hand in that file."
        raise NoNotebook(said)
    return notebook


def text_of(source: Any) -> str | None:
    """A source or an output's text, which may be a list of lines; None for anything else."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else None


def grade_id(cell: dict[str, Any]) -> str:
    """The cell's name, or an empty string."""
    metadata = cell.get("metadata")
    graded = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    found = graded.get("grade_id") if isinstance(graded, dict) else None
    return found if isinstance(found, str) else ""


def code_cells(notebook: dict[str, Any]) -> list[Cell]:
    """The code cells. Whatever has another form than it should is left out."""
    cells = []
    for number, cell in enumerate(notebook["cells"], 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        if (source := text_of(cell.get("source", ""))) is not None:
            id = cell.get("id")
            cells.append(Cell(id if isinstance(id, str) else "", grade_id(cell), source, number))
    return cells


def stamp(notebook: dict[str, Any]) -> list[str]:
    """[release, assignment] for which the notebook was made, as its metadata say; empty where they do not."""
    metadata = notebook.get("metadata")
    made = metadata.get("pgcourse") if isinstance(metadata, dict) else None
    found = [made.get(name) for name in ("release", "assignment")] if isinstance(made, dict) else []
    return [plain_text(each, 100) for each in found if isinstance(each, str)] if len(found) == 2 else []


def notes(notebook: dict[str, Any], size: int) -> list[str]:
    """What there is to say about the file. Args: size: in bytes."""
    found = []
    metadata = notebook.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = kernel.get("language", "python") if isinstance(kernel, dict) else "python"
    if language != "python":
        named = plain_text(language, 40) if isinstance(language, str) else "another language"
        found.append(f"The notebook names a kernel for {named}; its cells were run as Python.")
    if size > 20 * 2**20:
        found.append(f"The file has {size // 2**20} MB; clear the outputs before you hand in.")
    return found


def written(notebook: dict[str, Any], ids: list[str], handed_out: list[list[str]]) -> list[dict[str, Any]]:
    """What a person marks: for each of these cells its text, and the code cells between its task and it, as they ran.

    So are cells of the student's own there and behind it, up to the next that was handed out: many write their answer beside
    the cell that waits for it. Each is {"id", "text", "cells": [{"source", "printed", "figures": [PNG in base64]}],
    "left_out"}; an answer that was handed in as it was handed out is here too. What is longer than the limits of this file
    is cut, and figures beyond them are left out: so many. Args: handed_out: [id, text] of all cells of the release.
    """
    cells = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    names, texts = [grade_id(cell) for cell in cells], [text_of(cell.get("source")) or "" for cell in cells]
    before, known = dict(handed_out), {text.strip() for _, text in handed_out}
    own = [
        not name and (not text.strip() or (str(cell.get("id")) not in before and text.strip() not in known))
        for cell, name, text in zip(cells, names, texts, strict=True)
    ]
    found, left = [], MAX_WRITTEN
    for id in ids:
        if id not in names:
            continue
        place = names.index(id)
        start = names.index(f"{id}-task") if f"{id}-task" in names[:place] else place
        end = next((at for at in range(place + 1, len(cells)) if not own[at]), len(cells))
        shown, count, left_out = [], 0, 0
        for cell in [each for each in cells[start:end] if each.get("cell_type") == "code"][:MAX_RAN]:
            printed, figures = _outputs(cell)
            fitting = []
            for figure in figures:
                if figure.startswith(PNG) and len(figure) <= min(MAX_FIGURE, left) and count < MAX_FIGURES:
                    fitting.append(figure)
                    left, count = left - len(figure), count + 1
            left_out += len(figures) - len(fitting)
            source = plain_text(text_of(cell.get("source")) or "", MAX_TEXT, lines=True)
            shown.append({"source": source, "printed": printed, "figures": fitting})
        answers = [text for text, name in zip(texts, names, strict=True) if name == id]
        beside = [texts[at] for at in range(start, end) if own[at] and cells[at].get("cell_type") != "code"]
        if beside := [text for text in beside if text.strip()]:
            answers = [text for text in answers if text.strip() != before.get(id, "").strip()] + beside
        text = plain_text("\n\n".join(answers), MAX_TEXT, lines=True)
        found.append({"id": id, "text": text, "cells": shown, "left_out": left_out})
    return found


def _outputs(cell: dict[str, Any]) -> tuple[str, list[str]]:
    """What the cell printed, and its figures: what it calls PNG, and nothing for one that is none."""
    printed: list[str] = []
    figures: list[str] = []
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        data = output.get("data")
        if output.get("output_type") == "stream":
            printed.append(text_of(output.get("text")) or "")
        elif isinstance(data, dict):
            figure = (text_of(data.get("image/png")) or "").replace("\n", "")
            if figure or any(kind.startswith("image/") for kind in data):
                figures.append(figure)
            if not figure:
                printed.append(text_of(data.get("text/plain")) or "")
        elif output.get("output_type") == "error":
            printed.append(f"{text_of(output.get('ename')) or ''}: {text_of(output.get('evalue')) or ''}")
    return plain_text("\n".join(printed), MAX_TEXT, lines=True), figures
