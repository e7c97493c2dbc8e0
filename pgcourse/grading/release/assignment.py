"""One assignment of a hand-out: its exercises with this class's points, its experiment, its three notebooks."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from pgcourse.checks import catalogue
from pgcourse.checks.exercise import Exercise, get
from pgcourse.grading.release import notebooks
from pgcourse.grading.release.exercises import PrivateFile
from pgcourse.grading.release.experiments import Experiment
from pgcourse.grading.release.manifest import Assignment, GradedExercise, ManualCell, Release
from pgcourse.grading.release.may_use import may_use, said

POINTS = re.compile(r"\*(\d+) points?, about ")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class SolvedAssignment:
    """An assignment and its notebook with solutions, not yet with the box that names points and due time.

    Fields: exercises: all of the notebook, graded or not.
    """

    assignment: Assignment
    source: NotebookNode
    exercises: tuple[Exercise, ...]
    experiment: Experiment | None = None

    @property
    def graded(self) -> list[Exercise]:
        """The exercises that count."""
        ids = {exercise.id for exercise in self.assignment.exercises}
        return [exercise for exercise in self.exercises if exercise.id in ids]

    def files(self, release: Release, stamp: str) -> dict[str, str]:
        """Path in the release folder -> text of the student's, the key's and nbgrader's notebook."""
        name = self.assignment.name
        box = header_cell(release, self, stamp)
        source = copy.deepcopy(self.source)
        source.cells = [source.cells[0], box, *source.cells[1:]]
        box.id = "assignment"
        made = {"release": stamp, "assignment": name, "version": release.version}
        source.metadata["pgcourse"] = nbformat.from_dict(made)
        return {
            self.assignment.notebook: notebooks.text_of(notebooks.student_version(source)),
            f"teacher/key/{name}.ipynb": notebooks.text_of(notebooks.key_version(source, key_notes(self))),
            f"teacher/source/{name}/{name}.ipynb": notebooks.text_of(source),
        }


def of_unit(name: str, points: Mapping[str, float], experiment: Experiment | None) -> SolvedAssignment:
    """The exercises of one unit of the course. Args: points: id -> points of this class, where they differ."""
    source = notebooks.unit_notebook(name)
    ids = {notebooks.grade_id(cell) for cell in source.cells}
    found = tuple(get(id) for id in catalogue.BY_ID if id in ids)
    return _solved(name, source, found, points, experiment)


def of_private_file(file: PrivateFile, points: Mapping[str, float]) -> SolvedAssignment:
    """The exercises of one of a teacher's files."""
    path = f"teacher/exercises/{file.name}.py"
    return _solved(file.name, copy.deepcopy(file.notebook), file.exercises, points, None, path)


def _solved(
    name: str,
    source: NotebookNode,
    found: tuple[Exercise, ...],
    points: Mapping[str, float],
    experiment: Experiment | None,
    file: str | None = None,
) -> SolvedAssignment:
    worth = {exercise.id: points.get(exercise.id, exercise.points) for exercise in found}
    for exercise in found:
        if worth[exercise.id] != exercise.points:
            _set_points(source, exercise.id, worth[exercise.id])
    graded = tuple(GradedExercise(id, value, source=file) for id, value in worth.items() if value > 0)
    manual = (experiment.cell(),) if experiment else ()
    if experiment:
        source = notebooks.new_notebook([*source.cells, *experiment_cells(experiment, *manual)])
    allowed = may_use(source, [*worth])
    assignment = Assignment(name, f"student/{name}.ipynb", graded, manual, allowed)
    return SolvedAssignment(assignment, source, found, experiment)


def _set_points(source: NotebookNode, id: str, points: float) -> None:
    """Write other points into the check cell and above the task; without points, the check no longer counts."""
    task, index = notebooks.find(source, id), notebooks.find(source, f"check-{id}")
    check = source.cells[index]
    if points > 0:
        check.metadata["nbgrader"]["points"] = points
    else:
        check.source = notebooks.without_regions(check.source, "HIDDEN TESTS", keep_lines=False)
        check.metadata["nbgrader"]["grade"] = False
        del check.metadata["nbgrader"]["points"]
    words = f"*{number(points)}, about " if points > 0 else "*Practice, no points, about "
    for cell in reversed(source.cells[:task]):
        if cell.cell_type == "markdown" and POINTS.search(cell.source):
            cell.source = POINTS.sub(words, cell.source, count=1)
            return


def due_text(release: Release) -> str:
    """Due time and late policy in two sentences at most."""
    due = release.due_time
    if due is None:
        return "No due time is set."
    offset = due.strftime("%z")
    when = f"{WEEKDAYS[due.weekday()]}, {due.day} {MONTHS[due.month - 1]} {due.year}, {due:%H:%M} (UTC{offset[:3]}:{offset[3:5]})"
    late = release.late
    if late.per_day == 0:
        return f"Due: **{when}**. Later is not penalised."
    grace = f" after {late.grace_minutes} minutes of grace" if late.grace_minutes else ""
    most = f", {late.at_most * 100:g} % at most" if late.at_most < 1 else ""
    return f"Due: **{when}**. Each started day late{grace} costs {late.per_day * 100:g} % of the score{most}."


def number(points: float, what: str = "point") -> str:
    """`1 point`, `2.5 points`."""
    return f"{points:g} {what}{'s' * (points != 1)}"


def header_cell(release: Release, solved: SolvedAssignment, stamp: str) -> NotebookNode:
    """The locked box below the title."""
    assignment, titles = solved.assignment, {exercise.id: exercise.title for exercise in solved.exercises}
    rows = [f"| `{e.id}` | {titles[e.id]} | {e.points:g} |" for e in assignment.exercises]
    rows += [f"| `{cell.id}` | {cell.title} (marked by a person) | {cell.points:g} |" for cell in assignment.manual]
    table = "\n".join(["| cell | what | points |", "|---|---|---|", *rows])
    text = f"""**Assignment {assignment.name}, {number(assignment.max_score)}.** {due_text(release)}

{table}

Write each answer in its own cell, with the helpers that it needs. Do not copy, split or delete these cells. \
Hand in this notebook under its own name, `{assignment.name}.ipynb`. {said(release.libraries, assignment.may_use)}

*Made with pgcourse {release.version}, release {stamp}. `pgcourse --version` says which one you have.*"""
    return notebooks.nbgrader_cell("markdown", text, "assignment")


def experiment_cells(experiment: Experiment, cell: ManualCell) -> list[NotebookNode]:
    """The task with its rubric, a cell for the run, and the cell that a person marks."""
    rubric = "\n".join(f"- {number(item.points)}: {item.text}" for item in cell.rubric)
    task = f"""## Your experiment: {experiment.title}

*{number(cell.points)}, marked by a person.* {experiment.task}

{experiment.seeds} Write the prediction first, then run.

What earns the points:

{rubric}

Answer in your own words in the last cell; ten to fifteen sentences are enough."""
    run = nbformat.v4.new_code_cell(experiment.code())
    answer = notebooks.nbgrader_cell(
        "markdown", experiment.expected, cell.id, points=cell.points, solution=True, locked=False
    )
    return [notebooks.nbgrader_cell("markdown", task, f"{cell.id}-task"), run, answer]


def key_notes(solved: SolvedAssignment) -> dict[str, str]:
    """Notes for the key, below the cells that they are about: wrong answers that get a name, and what to mark."""
    notes = {}
    for exercise in solved.graded:
        lines = [f"- **{each.id}**: {each.explanation}" for each in exercise.misconceptions]
        if lines:
            notes[f"check-{exercise.id}"] = "\n".join(["*The check names these misconceptions:*", "", *lines])
    if solved.experiment:
        notes[solved.experiment.cell().id] = (
            "*For the marker only.* The cell above says what a full answer holds. The lesson of unit "
            f"{solved.experiment.unit:02} has a model answer for its own version, below *Your experiment*."
        )
    return notes
