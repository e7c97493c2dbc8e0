"""The settings of a grading run: where everything is, and what a child may use. They are the options of `pgcourse grade`."""

from dataclasses import dataclass
from pathlib import Path

from pgcourse.errors import require_integers, require_numbers
from pgcourse.grading.folders import require_apart


@dataclass(frozen=True)
class Settings:
    """What `grader.grade` is told. The texts below the fields are the help of the command."""

    submissions: Path
    """A notebook, or a folder with one folder for each student: submissions/ANNA/01_reinforce.ipynb."""
    release: Path
    """The folder that `pgcourse assignment make` wrote."""
    out: Path
    """Where marks, feedback and tables go, a folder of its own. A second run into it grades only what has changed."""
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
    times: Path | None = None
    """CSV with the columns student,handed_in (2026-12-01T23:59:00+01:00); without it nothing is late."""
    roster: Path | None = None
    """CSV of the class: student, and optionally name, id, email, login, canvas, section, aliases; see docs/grading.md."""
    only: tuple[str, ...] = ()
    """Run this student's notebooks again, and leave everybody else's marks as they are. May be given several times."""
    namespaces: bool = True
    """False leaves the strongest walls out, for tests and for systems where they misbehave."""

    def __post_init__(self) -> None:
        require_integers(self, "jobs")
        require_integers(self, "memory", at_least=64)
        require_integers(self, "hidden_seed", at_least=0, optional=True)
        require_numbers(self, "timeout", above=True)
        require_apart(self.submissions, self.release, self.out)
