"""What lies on the marker's desk: the tasks with their rubrics, the students, their work, and the marks so far."""

import contextlib
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pgcourse.errors import InvalidInput
from pgcourse.grading.marking import sheet
from pgcourse.grading.marking.prose import Node, tree
from pgcourse.grading.marking.written import code, written
from pgcourse.grading.quarantine.reading import fingerprint
from pgcourse.grading.release import manifest
from pgcourse.grading.release.manifest import RubricItem
from pgcourse.grading.tables import rows

EXPERIMENT, EXERCISE = "experiment", "exercise"
CHANGED = "The answer has changed since it was marked: give its lines their points again."


@dataclass(frozen=True)
class Task:
    """Something to mark. Fields: expected: of the key. students: the ids of those for whom it waits, or waited."""

    id: str
    kind: str
    assignment: str
    title: str
    items: tuple[RubricItem, ...]
    expected: tuple[Node, ...] = ()
    students: tuple[str, ...] = ()


@dataclass(frozen=True)
class Person:
    """A student. Fields: id: what the page calls them, so that no name stands in an address. number: without the name."""

    id: str
    name: str
    number: int


@dataclass(frozen=True)
class Graded:
    """What the grader said of a student. Fields: rows: by exercise or cell. handed_in: notebooks."""

    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    handed_in: frozenset[str] = frozenset()


class Desk:
    """A graded class, ready to be marked. Names are those of `class.csv` that the folder's own listing has, never a request's."""

    def __init__(self, grades: Path, release: Path, secret: str) -> None:
        """Args: secret: decides ids and numbers of the students. Raises: InvalidInput where there is nothing to mark."""
        self.grades, self.folder, self.secret = grades, release, secret
        self.release = manifest.read(release)
        self.cells = {cell.id: cell for a in self.release.assignments for cell in a.manual}
        self.most = {e.id: e.points * e.weight for a in self.release.assignments for e in a.exercises}
        self._marks: tuple[str, dict[str, Any]] = ("", {})
        self._shown: dict[tuple[str, str], str] = {}  # fingerprint of what a page was told last
        self.renew()
        if not self.people:
            raise InvalidInput(
                f"{grades} holds no graded class; grade first: pgcourse grade submissions/ --release {release} --out {grades}"
            )
        if not self.tasks:
            raise InvalidInput(
                f"nothing waits for a person: in {grades}, nobody has handed in an experiment, and no exercise is withheld"
            )

    def renew(self) -> None:
        """Look again who is there and what waits: the class may have been graded again."""
        names = set(_names(self.grades / "students", "*.json")) & _of_class(self.grades / "class.csv")
        coded = sorted((self._id(name), name) for name in names)
        self.people = {id: Person(id, name, number) for number, (id, name) in enumerate(coded, 1)}
        self.graded = {id: _graded(self.grades / "students" / f"{each.name}.json") for id, each in self.people.items()}
        self.tasks = {task.id: task for task in self._tasks()}

    def _id(self, name: str) -> str:
        return hmac.new(self.secret.encode(), name.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:16]

    def _tasks(self) -> list[Task]:
        found = []
        for each in self.release.assignments:
            key = _sources(self.folder / "teacher" / "key" / f"{each.name}.ipynb")
            for cell in each.manual:
                if who := self._waiting(cell.id, ("not marked yet", "marked by hand"), each.name):
                    expected = tuple(tree(key.get(cell.id, "")))
                    found.append(Task(cell.id, EXPERIMENT, each.name, cell.title, cell.rubric, expected, who))
            for exercise in each.exercises:
                id, most = exercise.id, self.most[exercise.id]
                if who := self._waiting(id, ("withheld",), each.name):
                    solution: tuple[Node, ...] = (["pre", key[id]],) if key.get(id) else ()
                    line = (RubricItem(most, "What the code is worth."),)
                    found.append(Task(id, EXERCISE, each.name, "withheld by the grader", line, solution, who))
        return found

    def _waiting(self, id: str, states: Sequence[str], assignment: str) -> tuple[str, ...]:
        """Whose work `pgcourse grade` has left to a person, marked since or not; without a notebook, there is no work."""
        return tuple(
            who
            for who, graded in self.graded.items()
            if graded.rows.get(id, {}).get("status") in states and assignment in graded.handed_in
        )

    def as_json(self) -> dict[str, Any]:
        """What the page needs once: the tasks and the students."""
        people = [asdict(person) for person in self.people.values()]
        return {"tasks": [asdict(task) for task in self.tasks.values()], "students": people, "grades": self.grades.name}

    def work(self, student: str, task: str) -> dict[str, Any]:
        """What one student did for one task. Raises: NotAllowed for whom or what is not there."""
        person, wanted = self._found(student, task)
        folder = self.grades / "readings" / person.name
        if wanted.kind == EXPERIMENT:
            own = written(folder, wanted.assignment, wanted.id)
            self._shown[student, task] = answer = fingerprint(own.text, (cell.source for cell in own.cells))
            marked = self._marked(f"{student} {task}")
            if own.text.strip() == self._released(wanted).strip() and not own.remarks:
                own = replace(own, text="", remarks=("Nothing was written.",))
            if marked not in ("", answer):
                own = replace(own, remarks=(*own.remarks, CHANGED))
            data = asdict(own) | {"prose": tree(own.text)}
        else:
            said = str(self.graded[student].rows.get(task, {}).get("message", ""))
            source = code(folder, wanted.assignment, wanted.id)
            remarks = [] if source else ["The code is not kept here: open the student's notebook."]
            cells = [{"source": source, "printed": "", "figures": []}] if source else []
            data = {"text": said, "prose": [["pre", said]], "cells": cells, "remarks": remarks}
        return data

    def _marked(self, pair: str) -> str:
        """The fingerprint of what was marked; "" where nothing was, or the table cannot be read."""
        with contextlib.suppress(InvalidInput):
            mark = self.marks()[1].get(pair)
            return str(mark["answer"]) if mark and mark["points"] is not None else ""
        return ""

    def _released(self, task: Task) -> str:
        """The text of the cell as it was handed out."""
        notebook = next(each.notebook for each in self.release.assignments if each.name == task.assignment)
        return _sources(self.folder / notebook).get(task.id, "")

    def marks(self) -> tuple[str, dict[str, Any]]:
        """(version, "student task" -> mark), read anew where a file has changed. Raises: InvalidInput for a broken file."""
        files = [self.grades / "manual.csv", self.grades / "overrides.csv"]
        version = hashlib.sha256(repr([_stamp(file) for file in files]).encode()).hexdigest()[:16]
        if version != self._marks[0]:
            found = sheet.experiments(files[0], self.cells) | sheet.overrides(files[1], self.most)
            ids = {person.name: id for id, person in self.people.items()}
            known = {f"{ids[name]} {task}": asdict(mark) for (name, task), mark in found.items() if name in ids}
            self._marks = version, known
        return self._marks

    def change(self, student: str, task: str, change: sheet.Change) -> dict[str, Any]:
        """Make one change. Returns: the mark as it now stands. Raises: as those of `sheet` do."""
        person, wanted = self._found(student, task)
        if wanted.kind == EXPERIMENT:
            path, answer = self.grades / "manual.csv", self._shown.get((student, task), "")
            mark = sheet.change_experiment(path, self.cells[task], person.name, change, answer)
        else:
            path = self.grades / "overrides.csv"
            mark = sheet.change_override(path, task, self.most[task], person.name, change)
        return asdict(mark)

    def progress(self) -> tuple[int, int]:
        """(marks given, marks to give)."""
        pairs = [f"{who} {task.id}" for task in self.tasks.values() for who in task.students]
        marks = self.marks()[1]
        return sum(marks.get(pair, {}).get("points") is not None for pair in pairs), len(pairs)

    def _found(self, student: str, task: str) -> tuple[Person, Task]:
        if student not in self.people or task not in self.tasks or student not in self.tasks[task].students:
            raise sheet.NotAllowed("this class has no such student or task any more; load the page again")
        return self.people[student], self.tasks[task]


def _names(folder: Path, pattern: str) -> list[str]:
    """Students by the names of files or folders that are no links."""
    found = [path for path in folder.glob(pattern) if not path.is_symlink() and not path.name.startswith(".")]
    return [path.name.removesuffix(".json") if path.is_file() else path.name for path in found]


def _of_class(path: Path) -> set[str]:
    """Who is in the class; nobody where it was not graded yet. Raises: InvalidInput for a broken table."""
    return {row["student"] for row in rows(path, ("student",))} if path.is_file() else set()


def _graded(path: Path) -> Graded:
    """What the grader said of a student; nothing where the file is missing or damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        found = {id: row for id, row in data["exercises"].items() if isinstance(row, dict)}
        return Graded(found, frozenset(name for name, part in data["notebooks"].items() if part["handed_in"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Graded()


def _sources(path: Path) -> Mapping[str, str]:
    """Cell -> its source, in a notebook of the release; nothing where the release has lost it."""
    try:
        cells: Sequence[Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
        return {cell["id"]: "".join(cell["source"]) for cell in cells}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        state = path.stat()
    except OSError:
        return ()
    return state.st_mtime_ns, state.st_size, state.st_ino
