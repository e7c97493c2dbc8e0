"""`pgcourse doctor`, `check` and `progress`: the installation, a notebook's checks and what is solved."""

from dataclasses import dataclass

import tyro

from .parsing import parse


@dataclass
class Check:
    """Run an exercise notebook and print the state of each exercise. Exit status 0 when all are correct, else 1.

    Example: pgcourse check pgcourse-work/exercises/01_reinforce.ipynb
    """

    notebook: tyro.conf.Positional[str]
    """The notebook; it is run, not changed."""


def check(arguments: list[str]) -> int:
    """Run `pgcourse check`."""
    options = parse(Check, arguments, program="pgcourse check")
    from ..checks.notebook import check_notebook  # nbclient is slow to import

    report = check_notebook(options.notebook)
    print(report.text())
    return 0 if not report.problems and all(result.status == "correct" for _, result in report) else 1


@dataclass
class Progress:
    """Show which exercises are solved, and what is left.

    Example: pgcourse progress
    """


def progress(arguments: list[str]) -> int:
    """Show which exercises are solved, and what is left."""
    parse(Progress, arguments, program="pgcourse progress")
    from ..checks import progress

    print(progress.table())
    return 0


@dataclass
class Doctor:
    """Look over the installation, and say what to do where something is missing. Exit status 1 where something is.

    Example: pgcourse doctor
    """


def doctor(arguments: list[str]) -> int:
    """Look over the installation. Returns: 0 when everything works, else 1."""
    parse(Doctor, arguments, program="pgcourse doctor")
    from ..doctor import examine

    healthy = True
    for finding in examine():
        print(finding, flush=True)  # one by one: some take seconds
        healthy = healthy and finding.works
    return 0 if healthy else 1
