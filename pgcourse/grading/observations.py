"""What the notebooks of a class did on the hidden inputs, kept in a folder, one file a notebook."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import to_json
from pgcourse.errors import InvalidInput
from pgcourse.grading import stripped
from pgcourse.grading.cells import Cell, Plan, code_cells, plan
from pgcourse.grading.client import Limits
from pgcourse.grading.collect import Collected, Job, collect
from pgcourse.grading.hidden import Inputs, inputs
from pgcourse.grading.release.manifest import Assignment
from pgcourse.grading.submissions import Submission
from pgcourse.storage import write_json
from pgcourse.study.workers import run_jobs


@dataclass(frozen=True)
class Prepared:
    """One notebook of the release, ready for all submissions of it."""

    assignment: Assignment
    exercises: dict[str, Exercise]
    inputs: dict[str, Inputs]
    released: tuple[Cell, ...]
    sources: dict[str, str]

    def job(self, submission: Submission, planned: Plan, limits: Limits) -> Job:
        return Job(
            student=submission.student,
            assignment=self.assignment.name,
            cells=planned.cells,
            sources=self.sources,
            exercises={id: to_json(exercise.observe) for id, exercise in self.exercises.items()},
            inputs={id: given.encoded() for id, given in self.inputs.items()},
            limits=limits,
        )


def prepare(assignment: Assignment, folder: Path, exercises: dict[str, Exercise], seed: int) -> Prepared:
    """Read a notebook of the release and draw its hidden inputs. Raises: InvalidInput where it cannot be read."""
    path = folder / assignment.notebook
    try:
        released = tuple(code_cells(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"cannot read {path} ({error}); make the release again") from None
    own = {each.id: exercises[each.id] for each in assignment.exercises}
    for id, exercise in own.items():
        if not (module := type(exercise.observe).__module__).startswith("pgcourse.checks.observe"):
            raise InvalidInput(
                f"{id}: its observer is from {module}, which no child has; use one of pgcourse.checks.observe*"
            )
    plain = [cell.source for cell in released if not cell.grade_id]
    return Prepared(
        assignment, own, {id: inputs(exercise, seed) for id, exercise in own.items()}, released, stripped.sources(plain)
    )


def planned_cells(submission: Submission, prepared: Prepared) -> Plan:
    """What of a submission runs; nothing of one that cannot be read."""
    return Plan(()) if submission.problem else plan(prepared.released, submission.cells, list(prepared.exercises))


def observe_all(
    folder: Path,
    limits: Limits,
    found: list[Submission],
    prepared: dict[str, Prepared],
    plans: dict[tuple[str, str], Plan],
    *,
    jobs: int,
    dask: str | None,
    on_progress: Callable[[int, int], None] | None,
) -> tuple[dict[tuple[str, str], Collected], int]:
    """What every notebook did, and how many were run: from `folder` where nothing has changed, else from a child."""
    observed: dict[tuple[str, str], Collected] = {}
    missing: list[tuple[Path, str, Job]] = []
    for submission in found:
        key = submission.student, submission.assignment
        if not plans[key].cells or not any(plans[key].solutions.values()):
            observed[key] = Collected()
            continue
        job = prepared[submission.assignment].job(submission, plans[key], limits)
        path, digest = folder / key[0] / f"{key[1]}.json", _digest(job)
        if (kept := _kept(path, digest)) is not None:
            observed[key] = kept
        else:
            missing.append((path, digest, job))
    finished = run_jobs(collect, [job for _, _, job in missing], num_workers=jobs, dask=dask)
    for count, (index, collected) in enumerate(finished, 1):
        path, digest, job = missing[index]
        write_json(path, {"digest": digest, **asdict(collected)})
        observed[job.student, job.assignment] = collected
        if on_progress:
            on_progress(count, len(missing))
    return observed, len(missing)


def _digest(job: Job) -> str:
    """Of all that decides what a child does: another value means that the notebook must run again."""
    content = {**asdict(job), "student": ""}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _kept(path: Path, digest: str) -> Collected | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Collected(**data) if data.pop("digest") == digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
