"""`pgcourse grade`: submissions in, marks out."""

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from .parsing import parse


@dataclass
class Grade:
    """Grade a class: run every notebook apart from the rest of the machine, then work out the marks.

    Example: pgcourse grade submissions/ --release class/ --out grades/ --jobs 2
    """

    submissions: tyro.conf.Positional[str]
    """A notebook, or a folder with one folder for each student: submissions/ANNA/01_reinforce.ipynb."""
    release: str
    """The folder that `pgcourse assignment make` wrote."""
    out: str
    """Where marks, feedback and tables go. A second run into it grades only what has changed."""
    hidden_seed: int | None = None
    """Of the hidden inputs. Without it the first run draws one and keeps it in OUT/grading.json."""
    timeout: float = 10.0
    """Seconds on the processor for each cell, and for all inputs of an exercise."""
    memory: int = 1024
    """MB for a notebook, beyond what Python with torch takes."""
    jobs: int = 1
    """Notebooks at the same time; each takes a core."""
    dask: str | None = None
    """Address of a Dask scheduler, in place of --jobs."""
    times: str | None = None
    """CSV with the columns student,handed_in (2026-12-01T23:59:00+01:00); without it nothing is late."""


def grade(arguments: list[str]) -> int:
    """Run `pgcourse grade`."""
    options = parse(Grade, arguments, program="pgcourse grade")
    from ..grading.grader import Settings
    from ..grading.grader import grade as grade_class

    settings = Settings(
        submissions=Path(options.submissions),
        release=Path(options.release),
        out=Path(options.out),
        hidden_seed=options.hidden_seed,
        timeout=options.timeout,
        memory=options.memory,
        jobs=options.jobs,
        dask=options.dask,
        times=None if options.times is None else Path(options.times),
    )

    def show(done: int, total: int) -> None:
        print(f"\r{done} of {total} notebooks", end="" if done < total else "\n", file=sys.stderr, flush=True)

    result = grade_class(settings, on_progress=show if sys.stderr.isatty() else None)
    for remark in result.remarks:
        print(remark)
    for student in result.students:
        late = f"  (late: {student.late:.0%} lost)" if student.late else ""
        print(f"{student.name:30} {student.score:7g} of {student.max_score:g}{late}")
    waiting = sum(
        row.status in ("withheld", "not marked yet") and not row.given for s in result.students for row in s.rows
    )
    print(f"{len(result.students)} students; {result.ran} notebooks run; tables and feedback are in {settings.out}")
    if waiting:
        print(f"{waiting} marks wait for a person: the column `open` of class.csv, and look_at.csv, say which")
    return 0
