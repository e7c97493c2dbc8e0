"""`pgcourse lab`, `doctor`, `check` and `progress`: the course itself, its notebooks and what is solved of them."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from ..errors import InvalidInput
from .parsing import parse


@dataclass
class Check:
    """Run an exercise notebook and print the state of each exercise. Exit status 0 when all are correct, else 1.

    Example: pgcourse check exercises/01_reinforce.ipynb
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


def lab(arguments: list[str]) -> int:
    """Open the course in JupyterLab, on this machine only; further arguments go to JupyterLab."""
    if {"-h", "--help"} & set(arguments):
        print(
            "usage: pgcourse lab [OPTIONS OF JUPYTERLAB]\n\nOpen the course in JupyterLab, on this machine only.\n\n"
            "Example: pgcourse lab --no-browser --port=8899"
        )
        return 0
    root = Path(__file__).resolve().parents[2]
    lesson = Path("notebooks") / "00_welcome.ipynb"
    if not (root / lesson).exists():
        raise InvalidInput(f"{lesson} is not beside the package; install it from a checkout: pip install -e .")
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--LabApp.default_url=/lab/tree/{lesson}",
    ]
    return subprocess.call([*command, f"--ServerApp.root_dir={root}", *arguments])
