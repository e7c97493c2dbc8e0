"""One assignment of a hand-out: its exercises with this class's points, its experiment, its three notebooks."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass

from nbformat import NotebookNode, from_dict

from pgcourse.checks.exercise import Exercise, exercises
from pgcourse.grading import assignment_text
from pgcourse.grading.assignment_private import PrivateFile
from pgcourse.grading.assignment_source import find, grade_id, new_notebook, text_of, unit_notebook, without_regions
from pgcourse.grading.assignment_stub import key_version, student_version
from pgcourse.grading.experiments import Experiment
from pgcourse.grading.release import Assignment, GradedExercise, ManualCell, Release

POINTS = re.compile(r"\*(\d+) points?, about ")


@dataclass(frozen=True)
class Part:
    """An assignment, its notebook with solutions (not yet with the box that names points and due time), and records.

    Fields: exercises: all of the notebook, graded or not.
    """

    assignment: Assignment
    source: NotebookNode
    exercises: tuple[Exercise, ...]
    experiment: Experiment | None = None

    @property
    def titles(self) -> dict[str, str]:
        """Id of each exercise -> its title."""
        return {exercise.id: exercise.title for exercise in self.exercises}

    @property
    def graded(self) -> list[Exercise]:
        """The exercises that count."""
        ids = {exercise.id for exercise in self.assignment.exercises}
        return [exercise for exercise in self.exercises if exercise.id in ids]

    def files(self, release: Release, stamp: str) -> dict[str, str]:
        """Path in the release folder -> text of the student's, the key's and nbgrader's notebook."""
        name = self.assignment.name
        box = assignment_text.header_cell(release, self.assignment, self.titles, stamp)
        source = copy.deepcopy(self.source)
        source.cells = [source.cells[0], box, *source.cells[1:]]
        box.id = "assignment"
        source.metadata["pgcourse"] = from_dict({"release": stamp, "assignment": name, "version": release.version})
        cell = self.assignment.manual[0] if self.assignment.manual else None
        notes = assignment_text.key_notes(self.graded, self.experiment, cell)
        return {
            self.assignment.notebook: text_of(student_version(source)),
            f"teacher/key/{name}.ipynb": text_of(key_version(source, notes)),
            f"teacher/source/{name}/{name}.ipynb": text_of(source),
        }


def unit_part(name: str, points: Mapping[str, float], experiment: Experiment | None) -> Part:
    """The exercises of one unit of the course. Args: points: id -> points of this class, where they differ."""
    source = unit_notebook(name)
    ids = {grade_id(cell) for cell in source.cells}
    found = tuple(exercise for exercise in exercises() if exercise.id in ids)
    return _part(name, source, found, points, experiment)


def private_part(file: PrivateFile, points: Mapping[str, float]) -> Part:
    """The exercises of one of a teacher's files."""
    return _part(
        file.name, copy.deepcopy(file.notebook), file.exercises, points, None, f"teacher/exercises/{file.name}.py"
    )


def _part(
    name: str,
    source: NotebookNode,
    found: tuple[Exercise, ...],
    points: Mapping[str, float],
    experiment: Experiment | None,
    file: str | None = None,
) -> Part:
    worth = {exercise.id: points.get(exercise.id, exercise.points) for exercise in found}
    for exercise in found:
        if worth[exercise.id] != exercise.points:
            _set_points(source, exercise.id, worth[exercise.id])
    graded = tuple(GradedExercise(id, value, source=file) for id, value in worth.items() if value > 0)
    manual: tuple[ManualCell, ...] = ()
    if experiment:
        manual = (experiment.cell(),)
        source = new_notebook([*source.cells, *assignment_text.experiment_cells(experiment, experiment.cell())])
    return Part(Assignment(name, f"student/{name}.ipynb", graded, manual), source, found, experiment)


def _set_points(source: NotebookNode, id: str, points: float) -> None:
    """Write other points into the check cell and above the task; without points, the check no longer counts."""
    task, index = find(source, id), find(source, f"check-{id}")
    check = source.cells[index]
    if points > 0:
        check.metadata["nbgrader"]["points"] = points
    else:
        check.source = without_regions(check.source, "HIDDEN TESTS", keep_lines=False)
        check.metadata["nbgrader"]["grade"] = False
        del check.metadata["nbgrader"]["points"]
    words = f"*{assignment_text.number(points)}, about " if points > 0 else "*Practice, no points, about "
    for cell in reversed(source.cells[:task]):
        if cell.cell_type == "markdown" and POINTS.search(cell.source):
            cell.source = POINTS.sub(words, cell.source, count=1)
            return
