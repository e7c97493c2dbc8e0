"""`pgcourse evaluate`, `gif` and `share`: saved agents play, for a score, for a picture, or live in a page."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ..errors import InvalidInput
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
    from .. import evaluation  # torch is slow to import, so not for --help
    from ..algorithms.by_name import load

    if options.seed < 0:
        raise InvalidInput(f"seed={options.seed} is negative; use an integer of at least 0")
    result = load(options.run)
    scores = evaluation.evaluate(
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
    from ..algorithms.by_name import load  # torch is slow to import, so not for --help
    from ..render import record_gifs

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
class Share:
    """Write one page to send to a friend: the saved agent acts live on it, beside its learning curve.

    Example: pgcourse share runs/r1 --out agent.html
    """

    run: tyro.conf.Positional[str]
    """Folder of the run."""
    out: str = "agent.html"
    """The page: one file, under 200 kB, which asks for nothing."""
    title: str = ""
    """Its heading."""


def share(arguments: list[str]) -> int:
    """Run `pgcourse share`."""
    options = parse(Share, arguments, program="pgcourse share")
    from ..algorithms.by_name import load  # torch is slow to import, so not for --help
    from ..show.live.share import share as write

    print(f"wrote {write(load(options.run), options.out, title=options.title)}")
    return 0
