"""`pgcourse compare`: the course's agents over many seeds, as a table, as curves with bands, and as GIFs."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidInput
from ..storage import atomic_write
from .parsing import parse

if TYPE_CHECKING:
    from ..study.keep import Run


@dataclass
class Compare:
    """Train REINFORCE without and with baseline, A2C, PPO and PPO with three traps on CartPole, each over many seeds.

    Prints a table, and writes it, the learning curves (PNG) and a GIF of each agent. Finished runs are kept in
    OUT/runs: after an interrupt the same command goes on, and with more seeds it adds the missing ones.

    Example: pgcourse compare --episodes 1000 --seeds 10 --out comparison
    """

    episodes: int = 1000
    """Episodes of each run; none is stopped early."""
    seeds: int = 10
    """Runs of each agent, with the seeds 0, 1, and so on."""
    out: str = "comparison"
    """Folder for everything."""
    workers: int | None = None
    """Processes side by side, one thread each; without it, one for each core."""
    dask: str | None = None
    """Address of a Dask scheduler, such as tcp://127.0.0.1:8786: train on its workers instead."""
    progress: bool = True
    """Show a progress bar."""


def compare(arguments: list[str]) -> int:
    """Run `pgcourse compare`. Returns: 0."""
    options = parse(Compare, arguments, program="pgcourse compare")
    if options.episodes < 1 or options.seeds < 1:
        raise InvalidInput(f"episodes={options.episodes}, seeds={options.seeds}; use at least 1 of each")
    if options.workers is not None and options.workers < 1:
        raise InvalidInput(f"workers={options.workers} is not positive; use at least 1")
    if options.workers is not None and options.dask is not None:
        raise InvalidInput("given --workers and --dask; a cluster has its own workers, so give one of the two")
    import joblib  # slow to import, and torch more so: not for --help

    from ..render import record_gif
    from ..study import comparison, seeds

    configs = comparison.agents(options.episodes)
    folder = Path(options.out)
    # Written before any training: a folder that cannot be written to should cost no minutes.
    described = f"{options.seeds} seeds, {options.episodes} episodes each"
    atomic_write(folder / "table.txt", f"{described}: not finished yet\n")
    try:
        runs = seeds.run_seeds(
            configs,
            range(options.seeds),
            num_workers=options.workers or joblib.cpu_count(),
            seams=comparison.SEAMS,
            progress=options.progress,
            folder=folder / "runs",
            dask=options.dask,
        )
    except KeyboardInterrupt:
        print("pgcourse: interrupted; finished runs are kept, and the same command goes on from here", file=sys.stderr)
        return 130
    from ..show.page import style  # matplotlib takes a second to import, so only where a figure is drawn

    table = comparison.table_of(comparison.rows_of(runs, options.episodes), style.LABELS, options.episodes)
    print(table)
    atomic_write(folder / "table.txt", f"{described}\n\n{table}\n")
    for path in _draw(runs, folder, options.episodes):
        print(f"wrote {path}")
    for name, group in runs.items():
        policy = comparison.policy_of(comparison.middle_run(group), configs[name])
        path = record_gif(policy, comparison.ENV_ID, folder / f"{name}.gif", seed=0, title=style.LABELS[name])
        print(f"wrote {path}")
    return 0


def _draw(runs: "Mapping[str, Sequence[Run]]", folder: Path, num_episodes: int) -> Iterator[Path]:
    """The learning curves, by episodes and by environment steps."""
    from ..show.figures.curves import learning_curves
    from ..show.page.style import LABELS, png
    from ..study import comparison

    window = max(min(50, num_episodes // 4), 1)
    curves = {LABELS[name]: [run.episodes[:num_episodes] for run in group] for name, group in runs.items()}
    for x, file in (("episode", "curves.png"), ("env_step", "curves_by_steps.png")):
        figure = learning_curves(
            curves,
            x=x,
            window=window,
            threshold=comparison.SOLVED,
            title=f"{comparison.ENV_ID}, {num_episodes:,} episodes",
        )
        yield atomic_write(folder / file, png(figure))
