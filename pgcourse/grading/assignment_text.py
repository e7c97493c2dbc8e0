"""What an assignment says in words: the box with points and due time, the experiment's cells, the key's notes."""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode

from pgcourse.checks.exercise import Exercise
from pgcourse.grading.assignment_source import nbgrader_cell
from pgcourse.grading.experiment_code import code_of
from pgcourse.grading.experiments import Experiment
from pgcourse.grading.release import Assignment, ManualCell, Release

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


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


def header_cell(release: Release, assignment: Assignment, titles: dict[str, str], stamp: str) -> NotebookNode:
    """The locked box below the title. Args: titles: id of an exercise -> its title."""
    rows = [f"| `{e.id}` | {titles[e.id]} | {e.points:g} |" for e in assignment.exercises]
    rows += [f"| `{cell.id}` | {cell.title} (marked by a person) | {cell.points:g} |" for cell in assignment.manual]
    total = sum(e.points for e in assignment.exercises) + sum(cell.points for cell in assignment.manual)
    lines = [
        f"**Assignment {assignment.name}, {number(total)}.** {due_text(release)}",
        "",
        "| cell | what | points |",
        "|---|---|---|",
        *rows,
        "",
        "Write each answer in its own cell, with the helpers that it needs. Do not copy, split or delete these cells. "
        f"Hand in this notebook under its own name, `{assignment.name}.ipynb`. While it is graded, `pgcourse` holds what "
        "these cells import, and no more of it.",
        "",
        f"*Made with pgcourse {release.version}, release {stamp}. `pgcourse --version` says which one you have.*",
    ]
    return nbgrader_cell("markdown", "\n".join(lines), "assignment")


def experiment_cells(experiment: Experiment, cell: ManualCell) -> list[NotebookNode]:
    """The task with its rubric, a cell for the run, and the cell that a person marks."""
    rubric = [f"- {number(item.points)}: {item.text}" for item in cell.rubric]
    task = "\n".join(
        [
            f"## Your experiment: {experiment.title}",
            "",
            f"*{number(cell.points)}, marked by a person.* {experiment.task}",
            "",
            f"{experiment.seeds} Write the prediction first, then run.",
            "",
            "What earns the points:",
            "",
            *rubric,
            "",
            "Answer in your own words in the last cell; ten to fifteen sentences are enough.",
        ]
    )
    run = nbformat.v4.new_code_cell(code_of(experiment.unit))
    answer = nbgrader_cell("markdown", experiment.expected, cell.id, points=cell.points, solution=True, locked=False)
    return [nbgrader_cell("markdown", task, f"{cell.id}-task"), run, answer]


def key_notes(exercises: list[Exercise], experiment: Experiment | None, cell: ManualCell | None) -> dict[str, str]:
    """Notes for the key, below the cells that they are about: wrong answers that get a name, and what to mark."""
    notes = {}
    for exercise in exercises:
        lines = [f"- **{each.id}**: {each.explanation}" for each in exercise.misconceptions]
        if lines:
            notes[f"check-{exercise.id}"] = "\n".join(["*The check names these misconceptions:*", "", *lines])
    if experiment is not None and cell is not None:
        lesson = (
            f"The lesson of unit {experiment.unit:02} has a model answer for its own version, below *Your experiment*."
        )
        notes[cell.id] = f"*For the marker only.* The cell above says what a full answer holds. {lesson}"
    return notes


def readme(release: Release, *, private: bool) -> str:
    """The README of the release folder."""
    rows = []
    for assignment in release.assignments:
        ids = ", ".join([*(f"`{e.id}` {e.points:g}" for e in assignment.exercises)])
        manual = ", ".join(f"`{cell.id}` {cell.points:g}" for cell in assignment.manual) or "none"
        rows.append(f"| `{assignment.name}` | {ids} | {manual} | {assignment.max_score:g} |")
    own = ["| `teacher/exercises/` | your own exercises, with their answers |"] if private else []
    return "\n".join(
        [
            "# Hand-out of pgcourse",
            "",
            due_text(release),
            "",
            "| folder | what |",
            "|---|---|",
            "| `student/` | the notebooks to hand out, and nothing else |",
            "| `teacher/key/` | solutions, misconceptions, what to look for in the experiments |",
            "| `teacher/source/` | nbgrader's source version; `teacher/` is a course folder of nbgrader |",
            *own,
            "| `release.json` | version, points and times; `pgcourse grade` reads it |",
            "",
            "Never hand out `teacher/`.",
            "",
            "| assignment | exercises and points | marked by a person | sum |",
            "|---|---|---|---|",
            *rows,
            "",
            "Hand in: each student gives back the notebook under its own name. Put them into folders named by student: "
            "`submissions/STUDENT/NOTEBOOK.ipynb`.",
            "",
            "Grade:",
            "",
            "```sh",
            "pgcourse grade submissions/ --release . --out grades/",
            "```",
            "",
            "Or hand out and collect with nbgrader:",
            "",
            "```sh",
            "cd teacher",
            *(f"nbgrader generate_assignment {assignment.name}" for assignment in release.assignments),
            "```",
            "",
        ]
    )


NBGRADER_CONFIG = """c = get_config()

c.CourseDirectory.course_id = "pgcourse"
# The words in cleared cells are those of student/.
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("write your code here, then run the check below")'}
c.ClearSolutions.text_stub = "*Write your answer here: double-click this cell.*"
# A cell of a submission may take this long, in seconds: an experiment trains nine agents.
c.Execute.timeout = 300
"""
