"""`pgcourse grade`: first every child of the class runs, then, when all are dead, the marks are worked out.

Between the two, what the attempts did lies in `OUT/observations`, one file a notebook: a run that was interrupted, or a
later one, runs only what is missing or has changed. No right answer is in these files.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pgcourse.errors import InvalidInput, require_integers, require_numbers
from pgcourse.grading import report, similarity, tables
from pgcourse.grading.cells import Plan, code_cells
from pgcourse.grading.client import Limits
from pgcourse.grading.collect import Collected
from pgcourse.grading.judge import Answers, Judgement
from pgcourse.grading.marks import Student, student
from pgcourse.grading.observations import Prepared, observe_all, planned_cells, prepare
from pgcourse.grading.release import manifest
from pgcourse.grading.release.exercises import checks_digest, exercises_of
from pgcourse.grading.release.manifest import Release
from pgcourse.grading.submissions import Submission, find
from pgcourse.grading.verdicts import cell_name, judge_exercise, remarks_on, with_cause
from pgcourse.storage import write_json


@dataclass(frozen=True)
class Settings:
    """Where everything is, and what a child may use.

    Fields: hidden_seed: of the hidden inputs; None keeps that of the last run, and draws one at the first. timeout:
    seconds for a cell and for an exercise. memory: MB beyond what the interpreter takes. jobs: notebooks side by side.
    dask: address of a scheduler, in place of jobs. times: CSV with the times of handing in.
    """

    submissions: Path
    release: Path
    out: Path
    hidden_seed: int | None = None
    timeout: float = 10.0
    memory: int = 1024
    jobs: int = 1
    dask: str | None = None
    times: Path | None = None
    namespaces: bool = True

    def __post_init__(self) -> None:
        require_integers(self, "jobs")
        require_integers(self, "memory", at_least=64)
        require_integers(self, "hidden_seed", at_least=0, optional=True)
        require_numbers(self, "timeout", above=True)

    @property
    def limits(self) -> Limits:
        """What a child may use."""
        return Limits(seconds=self.timeout, memory=self.memory * 2**20, namespaces=self.namespaces)


@dataclass
class ClassResult:
    """All marks, and what there is to say about the run. `ran`: notebooks that were run, not taken from an earlier run."""

    students: list[Student]
    remarks: list[str]
    ran: int
    similar: list[similarity.Pair] = field(default_factory=list)


def grade(settings: Settings, *, on_progress: Callable[[int, int], None] | None = None) -> ClassResult:
    """Grade a class and write everything into `settings.out`. Raises: InvalidInput for what the teacher gave wrongly."""
    handed_out = manifest.read(settings.release)
    exercises = exercises_of(handed_out, settings.release)
    found, remarks = find(settings.submissions, [assignment.name for assignment in handed_out.assignments])
    if checks_digest(exercises.values()) != handed_out.checks:
        remarks.append(f"The checks have changed since pgcourse {handed_out.version} made the release: tell the class.")
    settings.out.mkdir(parents=True, exist_ok=True)
    seed = _seed(settings.out / "grading.json", settings.hidden_seed)
    prepared = {a.name: prepare(a, settings.release, exercises, seed) for a in handed_out.assignments}
    plans = {(s.student, s.assignment): planned_cells(s, prepared[s.assignment]) for s in found}
    observed, ran = observe_all(
        settings.out / "observations", settings.limits, found, prepared, plans,
        jobs=settings.jobs, dask=settings.dask, on_progress=on_progress,
    )  # fmt: skip
    if why := {each.why_not_walled for each in observed.values()} - {""}:
        remarks.append(
            f"Weaker isolation: {'; '.join(sorted(why))}. The network is not cut, and a child may read what its user may "
            "read: see docs/grading.md, and prefer a container."
        )
    students = _marks(settings, handed_out, found, prepared, plans, observed)
    names = [each.name for each in students]
    remarks += tables.unknown_students(settings.out, names)
    remarks += tables.without_time(settings.times, handed_out, names)
    pairs = _similar(settings.release, handed_out, found, prepared, plans)
    for each in students:
        report.write_student(settings.out / "students", each)
    report.write_class(settings.out, students, pairs)
    return ClassResult(students, remarks, ran, pairs)


def _seed(path: Path, given: int | None) -> int:
    """The hidden seed, kept in the output folder so that a second run gives the same marks."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))["hidden_seed"] if path.exists() else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"cannot read {path} ({error}); give --hidden-seed, and remove the file") from None
    seed = given if given is not None else kept if kept is not None else secrets.randbits(48)
    if seed != kept:
        write_json(path, {"hidden_seed": seed})
    return int(seed)


def _marks(
    settings: Settings,
    handed_out: Release,
    found: list[Submission],
    prepared: dict[str, Prepared],
    plans: dict[tuple[str, str], Plan],
    observed: dict[tuple[str, str], Collected],
) -> list[Student]:
    answers = {id: Answers(e, p.inputs[id]) for p in prepared.values() for id, e in p.exercises.items()}
    names = sorted({submission.student for submission in found})
    judged: dict[str, dict[str, dict[str, Judgement]]] = {name: {} for name in names}
    notes: dict[str, dict[str, list[str]]] = {name: {} for name in names}
    look_at: dict[str, dict[str, list[str]]] = {name: {} for name in names}
    for submission in found:
        key = submission.student, submission.assignment
        planned, collected = plans[key], observed[key]
        strange = [f"cell {c.number}, line {n}: {what}" for c in planned.cells for n, what in remarks_on(c)]
        mine = judged[key[0]][key[1]] = {
            id: judge_exercise(answers[id], id, planned, collected, strange, submission.problem)
            for id in prepared[submission.assignment].exercises
        }
        judged[key[0]][key[1]] = {id: with_cause(id, mine, planned) for id in mine}
        cells = [f"Cell {cell_name(id)} {said}" for id, said in collected.cell_errors.items()]
        notes[key[0]][key[1]] = [*filter(None, [submission.problem]), *submission.notes, *planned.notes, *cells]
        look_at[key[0]][key[1]] = strange
    overrides = tables.overrides(settings.out / "overrides.csv", handed_out)
    manual = tables.manual(settings.out / "manual.csv", handed_out, names)
    late = tables.late_shares(settings.times, handed_out)
    return [
        student(name, handed_out, judged[name], notes[name], look_at[name], overrides, manual, late.get(name, 0.0))
        for name in names
    ]


def _similar(
    folder: Path,
    handed_out: Release,
    found: list[Submission],
    prepared: dict[str, Prepared],
    plans: dict[tuple[str, str], Plan],
) -> list[similarity.Pair]:
    pairs: list[similarity.Pair] = []
    for assignment in handed_out.assignments:
        ready = prepared[assignment.name]
        key = folder / "teacher" / "key" / f"{assignment.name}.ipynb"
        solved = code_cells(json.loads(key.read_text(encoding="utf-8"))) if key.is_file() else []
        for id in ready.exercises:
            solutions = {}
            for published in (cell.source for cell in solved if cell.grade_id == id):
                solutions[similarity.PUBLISHED] = published
            for submission in found:
                if submission.assignment == assignment.name:
                    planned = plans[submission.student, submission.assignment]
                    own = [cell.source for cell in planned.cells if cell.id in planned.solutions.get(id, ())]
                    solutions[submission.student] = "\n".join(own)
            stub = next((cell.source for cell in ready.released if cell.grade_id == id), "")
            pairs += similarity.pairs(id, solutions, stub)
    return pairs
