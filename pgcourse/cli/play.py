"""The other commands: each parses its options, calls the package, and prints."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ..doctor import examine
from ..errors import InvalidInput
from ..evaluation import evaluate as evaluate_policy
from ..render import record_gifs
from ..runs import load
from .parsing import parse


@dataclass
class Evaluate:
    """Play a saved agent from held-out start states, one episode each.

    Example: pgcourse evaluate runs/r1 --seed 900 --num-episodes 100
    """

    run: tyro.conf.Positional[str]
    """Folder of the run."""
    seed: int = 0
    """Picks the start states; no training run uses them."""
    num_episodes: int = 100
    env_id: str | None = None
    """Another environment than the one it was trained on."""
    deterministic: bool = True
    """The most probable action; otherwise a sample."""


def evaluate(arguments: list[str]) -> int:
    """Run `pgcourse evaluate`."""
    options = parse(Evaluate, arguments, program="pgcourse evaluate")
    if options.seed < 0:
        raise InvalidInput(f"seed={options.seed} is negative; use an integer of at least 0")
    result = load(options.run)
    scores = evaluate_policy(
        result.policy,
        options.env_id or result.config.env_id,
        num_episodes=options.num_episodes,
        seed=options.seed,
        deterministic=options.deterministic,
    )
    error = f" (standard error {scores.standard_error:.1f})" if options.num_episodes > 1 else ""
    print(
        f"mean return {scores.mean:.1f}{error} over {len(scores.returns)} episodes; "
        f"lowest {scores.returns.min():.1f}, highest {scores.returns.max():.1f}; mean length {scores.lengths.mean():.1f}"
    )
    return 0


@dataclass
class Gif:
    """Write a GIF of one saved agent, or of several side by side from the same start state.

    Example: pgcourse gif runs/r1 agent.gif
    """

    paths: Annotated[tuple[str, ...], tyro.conf.Positional]
    """One or more folders of runs, then the file to write."""
    seed: int = 0
    """Picks the start state; no training run uses it."""
    max_steps: int = 500
    random: bool = False
    """Put a random agent first."""


def gif(arguments: list[str]) -> int:
    """Run `pgcourse gif`."""
    options = parse(Gif, arguments, program="pgcourse gif")
    if len(options.paths) < 2 or not options.paths[-1].lower().endswith(".gif"):
        raise InvalidInput(
            f"given {' '.join(options.paths) or 'nothing'}; give one or more run folders, then a file that ends in .gif: "
            "pgcourse gif runs/r1 agent.gif"
        )
    if options.seed < 0 or options.max_steps < 1:
        raise InvalidInput(f"seed={options.seed}, max_steps={options.max_steps}; use a seed >= 0 and max_steps >= 1")
    *folders, target = options.paths
    results = {Path(folder).name: load(folder) for folder in folders}
    if len(results) < len(folders):
        results = {folder: load(folder) for folder in folders}
    tasks = {result.config.env_id for result in results.values()}
    if len(tasks) > 1:
        raise InvalidInput(f"the runs are of different environments ({', '.join(sorted(tasks))}); give runs of one")
    policies = {name if len(results) > 1 else "trained": result.policy for name, result in results.items()}
    agents = ({"random": None} if options.random else {}) | policies
    print(f"wrote {record_gifs(agents, tasks.pop(), target, seed=options.seed, max_steps=options.max_steps)}")
    return 0


@dataclass
class Check:
    """Run an exercise notebook and print the state of each exercise. Exit status 0 when all are correct, else 1.

    Example: pgcourse check exercises/01_reinforce.ipynb
    """

    notebook: tyro.conf.Positional[str]
    """The notebook; it is run, not changed."""


def check(arguments: list[str]) -> int:
    """Run `pgcourse check`."""
    from ..checks.notebook import check_notebook  # nbclient is slow to import

    options = parse(Check, arguments, program="pgcourse check")
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
    from ..checks import progress_table

    print(progress_table.table())
    return 0


@dataclass
class Doctor:
    """Look over the installation, and say what to do where something is missing. Exit status 1 where something is.

    Example: pgcourse doctor
    """


def doctor(arguments: list[str]) -> int:
    """Look over the installation. Returns: 0 when everything works, else 1."""
    parse(Doctor, arguments, program="pgcourse doctor")
    findings = examine()
    print("\n".join(str(finding) for finding in findings))
    return 0 if all(finding.works for finding in findings) else 1


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
