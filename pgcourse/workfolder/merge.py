"""A notebook of a new version, with everything in it that the learner wrote into the old one.

Each cell of the course is known by its key (`handed_out.cell_key`). What differs from the cell as it was handed out is the
learner's:

- An answer stays in its cell. Where the stub has changed since, a note above it shows the new one.
- A cell that the learner added stays behind the cell that it followed.
- An edited cell of the text stays as it is where the course has not changed it. Where it has, the new cell comes, and the
  learner's stands below it as text that is not run.
"""

import copy
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_raw_cell

from .handed_out import cell_digest, cell_key, is_answer

START = ""  # the key of what stands before the first cell of the course


@dataclass(frozen=True)
class Merged:
    """The notebook, and one line for each place where the learner's text and the course's have both changed."""

    notebook: NotebookNode
    conflicts: list[str]


def merge(mine: NotebookNode, base: Mapping[str, str], new: NotebookNode, *, version: str) -> Merged:
    """Bring `mine` to the version of `new`.

    Args: mine: the learner's notebook. base: key -> digest of each cell as it was handed out, in order; empty where that is
    not known. version: of the course, for the notes.
    """
    arrived = {str(cell_key(cell)): cell for cell in new.cells}
    places = _places(base, arrived)
    official, added = _sort_out(mine, {*base, *arrived}, base)
    before: dict[str, list[NotebookNode]] = {}
    after: dict[str, list[NotebookNode]] = {START: added.pop(START, [])}
    taken: dict[str, NotebookNode] = {}
    conflicts = []
    notes = {cell.get("id") for cells in (*added.values(), *after.values()) for cell in cells}

    for key, old in official.items():
        kept: list[NotebookNode] = []
        handed_out, here, now = base.get(key) or None, cell_digest(old), arrived.get(key)
        if now is None:
            if here != handed_out:  # a text that the new version no longer has in this form
                kept = _set_aside(key, old, version)
                conflicts.append(
                    f"the cell that begins {_first_words(old)} has changed; yours stands below the new one"
                )
        elif here == cell_digest(now):
            taken[key] = _with_outputs(now, old)
        elif here == handed_out:
            taken[key] = now
        elif is_answer(now):
            taken[key] = _answered(now, old)
            if handed_out is not None and handed_out != cell_digest(now):
                note = _new_stub(key, now, version)
                if note.id not in notes:
                    before[key] = [note]
                conflicts.append(f"{key}: its task has changed; a note above your answer shows how")
        elif handed_out == cell_digest(now):
            taken[key] = copy.deepcopy(old)
        else:
            kept = _set_aside(key, old, version)
            conflicts.append(f"the cell that begins {_first_words(old)} has changed; yours stands below the new one")
        place = key if key in arrived else places.get(key, START)
        after.setdefault(place, []).extend([*kept, *added.get(key, [])])

    cells = [*after[START]]
    course: dict[int, str] = {}  # index of a cell of the course -> its id
    for key, now in arrived.items():
        cells += before.get(key, [])
        course[len(cells)] = now.id
        cells += [taken.get(key, now), *after.get(key, [])]
    notebook = copy.deepcopy(new)
    notebook.cells = [copy.deepcopy(cell) for cell in cells]
    notebook.metadata = {**mine.metadata, **new.metadata}
    if "kernelspec" in mine.metadata:
        notebook.metadata["kernelspec"] = mine.metadata["kernelspec"]
    _give_ids(notebook, course, base)
    return Merged(notebook, conflicts)


def _sort_out(
    mine: NotebookNode, known: set[str], base: Mapping[str, str]
) -> tuple[dict[str, NotebookNode], dict[str, list[NotebookNode]]]:
    """The course's cells in the learner's notebook by key, and the learner's own by the key of the one that they follow.

    A copy of a cell has the same grade_id: the one with the cell's id is the course's, or else the first. A cell without
    a key of the course (cut and pasted, or from an editor that drops ids) is the course's where it reads the same.
    """
    owner: dict[str, int] = {}
    for index, cell in enumerate(mine.cells):
        if (id := cell.get("id")) in known:
            owner.setdefault(str(id), index)
    for index, cell in enumerate(mine.cells):
        key = cell_key(cell)
        if key in known and index not in owner.values():
            owner.setdefault(str(key), index)
    by_digest: dict[str, list[str]] = {}
    for key, value in base.items():
        if key not in owner:
            by_digest.setdefault(value, []).append(key)
    for index, cell in enumerate(mine.cells):
        if index not in owner.values() and (keys := by_digest.get(cell_digest(cell))):
            owner[keys.pop(0)] = index
    names = {index: key for key, index in owner.items()}
    official: dict[str, NotebookNode] = {}
    added: dict[str, list[NotebookNode]] = {}
    last = START
    for index, cell in enumerate(mine.cells):
        if index in names:
            last = names[index]
            official[last] = cell
        else:
            added.setdefault(last, []).append(cell)
    return official, added


def _places(base: Mapping[str, str], arrived: Mapping[str, object]) -> dict[str, str]:
    """For each key that is gone, the key in the new notebook behind which its remains go.

    Between two cells that are in both, changed text has a new key: the first gone is followed by the first new, and so on;
    what has no counterpart goes to the end of that stretch.
    """
    fresh: dict[str, list[str]] = {START: []}  # key in both -> the keys new since, behind it
    last = START
    for key in arrived:
        if key in base:
            last = key
            fresh[last] = []
        else:
            fresh[last].append(key)
    places, stretch, last = {}, 0, START
    for key in base:
        if key in arrived:
            last, stretch = key, 0
            continue
        candidates = fresh[last]
        places[key] = candidates[min(stretch, len(candidates) - 1)] if candidates else last
        stretch += 1
    return places


def _answered(now: NotebookNode, old: NotebookNode) -> NotebookNode:
    """The learner's cell, with what the new version says about it: points, tags, what is locked."""
    cell = copy.deepcopy(old)
    cell.metadata = {**old.metadata, **now.metadata}
    return cell


def _with_outputs(now: NotebookNode, old: NotebookNode) -> NotebookNode:
    """An unchanged cell: with the outputs of the new version, else with the learner's."""
    cell = copy.deepcopy(now)
    if now.cell_type == "code" and not now.outputs:
        cell.outputs, cell.execution_count = copy.deepcopy(old.outputs), old.execution_count
    return cell


def _set_aside(key: str, old: NotebookNode, version: str) -> list[NotebookNode]:
    """A note, and the learner's cell as text: prose stays prose, code is shown and not run."""
    cell = copy.deepcopy(old)
    note = f"Your version of this text, from before the update to pgcourse {version}."
    if old.cell_type == "code":
        cell = new_raw_cell(source=old.source)
        note = f"Your version of this cell, from before the update to pgcourse {version}. It is not run: Esc, Y makes it code."
    cell.metadata = {}  # no longer a cell of the course: nothing is graded or locked here
    name = _short(old.source)
    cell.id = _id("kept", key, name)
    return [new_markdown_cell(source=f"*{note}*", id=_id("note", key, name)), cell]


def _new_stub(key: str, now: NotebookNode, version: str) -> NotebookNode:
    longest = max((len(run) for run in re.findall(r"`{3,}", now.source)), default=2)
    fence = "`" * (longest + 1)
    text = (
        f"**The task of `{key}` has changed with pgcourse {version}.** Your answer below is as you left it. "
        f"The task now reads:\n\n{fence}python\n{now.source}\n{fence}"
    )
    return new_markdown_cell(source=text, id=_id("task", key, _short(now.source)))


def _first_words(cell: NotebookNode) -> str:
    line = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    return f"“{line[:40]}{'…' * (len(line) > 40)}”"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _id(kind: str, key: str, name: str) -> str:
    return f"{kind}-{name}-{re.sub(r'[^A-Za-z0-9_-]', '', key)}"[:64]


def _give_ids(notebook: NotebookNode, course: Mapping[int, str], base: Mapping[str, str]) -> None:
    """An id for each cell, each once. A cell of the course has its own, whatever a copy of it is called."""
    used = {*course.values(), *base}
    for index, cell in enumerate(notebook.cells):
        if index in course:
            cell.id = course[index]
            continue
        wanted = name = cell.get("id") or f"c-{_short(cell.source)}"
        number = 1
        while name in used:
            number += 1
            name = f"{wanted[:58]}-{number}"
        cell.id = name
        used.add(name)
