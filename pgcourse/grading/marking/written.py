"""What a student wrote and ran for an experiment, from `grades/readings/STUDENT/ASSIGNMENT.json`.

Whatever stands in the file is a student's: kinds and sizes are checked, figures must be PNG, and what does not fit is
left out with a line that says so.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgcourse.grading.marking.png import pixels

MOST_BYTES = 64 * 2**20  # of a file
MOST_TEXT = 50_000  # characters of an answer, of a cell's code, of what it printed
MOST_CELLS = 50
MOST_FIGURES = 30  # of an answer
MOST_PIXELS = 60_000_000  # of an answer's figures together: a browser makes four bytes of each
AGAIN = "grade the class again, or look at the notebook itself"


@dataclass(frozen=True)
class Ran:
    """A cell of the experiment's run. `figures`: PNG in base64."""

    source: str
    printed: str
    figures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """An answer and its run. `remarks`: what is missing or was left out; they name no student, who may be hidden."""

    text: str = ""
    cells: tuple[Ran, ...] = ()
    remarks: tuple[str, ...] = ()


def reading(folder: Path, assignment: str) -> tuple[dict[str, Any], str]:
    """The content of one file, and what is wrong with it; one of the two is empty. Args: folder: of one student."""
    path = folder / f"{assignment}.json"
    if folder.is_symlink() or path.is_symlink() or not path.is_file():
        return {}, f"There is no reading of {assignment}: {AGAIN}."
    try:
        if path.stat().st_size > MOST_BYTES:
            return {}, f"The reading of {assignment} is larger than {MOST_BYTES // 2**20} MB: {AGAIN}."
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return {}, f"The reading of {assignment} cannot be read ({type(error).__name__}): {AGAIN}."
    return (data, "") if isinstance(data, dict) else ({}, f"The reading of {assignment} is damaged: {AGAIN}.")


def written(folder: Path, assignment: str, id: str) -> Written:
    """What one student wrote in the cell `id`. Never raises: what is wrong stands in the remarks."""
    data, wrong = reading(folder, assignment)
    if wrong:
        return Written(remarks=(wrong,))
    entries = data.get("written")
    if not isinstance(entries, list):
        return Written(remarks=(f"The reading of {assignment} holds no answers: {AGAIN}.",))
    found = next((each for each in entries if isinstance(each, dict) and each.get("id") == id), None)
    if found is None:
        return Written(remarks=("The notebook has no such cell: it was deleted or renamed.",))
    remarks: list[str] = []
    text = _text(found.get("text"), "The answer", remarks)
    cells = found.get("cells")
    if not isinstance(cells, list | None):
        remarks.append("The cells of the run are damaged and left out.")
    kept = [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    if len(kept) > MOST_CELLS:
        remarks.append(f"Of {len(kept)} cells the first {MOST_CELLS} are shown.")
    figures, left_out = _figures([cell.get("figures") for cell in kept[:MOST_CELLS]])
    left_out += before if type(before := found.get("left_out")) is int else 0
    if left_out:
        most = f"at most {MOST_FIGURES} of an answer, of {MOST_PIXELS // 10**6} million pixels together"
        remarks.append(f"Figures left out: {left_out}. Shown are PNG, {most}.")
    ran = [_ran(cell, shown, remarks) for cell, shown in zip(kept, figures, strict=False)]
    return Written(text, tuple(ran), tuple(dict.fromkeys(remarks)))


def code(folder: Path, assignment: str, id: str) -> str:
    """The student's code for an exercise: the cells that the reading takes for its solution. Empty where there is none."""
    data = reading(folder, assignment)[0]
    solutions, cells = data.get("solutions"), data.get("cells")
    taken = solutions.get(id) if isinstance(solutions, dict) else None
    if not isinstance(taken, list) or not isinstance(cells, list):
        return ""
    sources = (cell.get("source") for cell in cells if isinstance(cell, dict) and cell.get("id") in taken)
    return _text("\n\n".join(source for source in sources if isinstance(source, str)), "The code", [])


def _ran(cell: dict[str, Any], figures: tuple[str, ...], remarks: list[str]) -> Ran:
    source = _text(cell.get("source"), "The code of a cell", remarks)
    printed = _text(cell.get("printed"), "What a cell printed", remarks)
    return Ran(source, printed, figures)


def _figures(cells: list[Any]) -> tuple[list[tuple[str, ...]], int]:
    """Of each cell those that are shown, and how many are not. Args: cells: of each, its figures as they stand there."""
    shown: list[tuple[str, ...]] = []
    count, room, left_out = 0, MOST_PIXELS, 0
    for figures in cells:
        fitting = []
        for figure in figures if isinstance(figures, list) else ():
            try:
                data = base64.b64decode("".join(figure.split()), validate=True) if isinstance(figure, str) else b""
            except (binascii.Error, ValueError):
                data = b""
            size = pixels(data)
            if 0 < size <= room and count < MOST_FIGURES:
                fitting.append(base64.b64encode(data).decode("ascii"))
                count, room = count + 1, room - size
            else:
                left_out += 1
        shown.append(tuple(fitting))
    return shown, left_out


def _text(value: Any, what: str, remarks: list[str]) -> str:
    if value is not None and not isinstance(value, str):
        remarks.append(f"{what} is no text and left out.")
    text = value if isinstance(value, str) else ""
    if len(text) > MOST_TEXT:
        remarks.append(f"{what} is cut after {MOST_TEXT:,} characters.")
    # A lone surrogate is no text that could be sent.
    return text[:MOST_TEXT].encode("utf-8", "replace").decode("utf-8")
