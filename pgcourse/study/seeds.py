"""Train configs over many seeds, as batches, in processes or on a cluster; finished runs can be kept."""

import contextlib
import operator
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from ..config import Config
from ..errors import InvalidInput
from .batched import batchable
from .jobs import DASK_ROWS, MAX_ROWS, Job, Planned, divide, make_runs
from .keep import Run, read_run, run_path, source_key, write_run
from .workers import run_jobs

__all__ = ["Run", "returns_by_episode", "run_seeds"]


def run_seeds(
    configs: Mapping[str, Config],
    seeds: Iterable[int],
    *,
    num_workers: int = 1,
    seams: Mapping[str, Mapping[str, Any]] | None = None,
    progress: bool = True,
    folder: str | os.PathLike[str] | None = None,
    dask: str | None = None,
    on_run: Callable[[str, Run], None] | None = None,
    batched: bool | None = None,
) -> dict[str, list[Run]]:
    """Train every config with every seed. The result does not depend on where, or in how many processes.

    Runs whose configs differ in the seed and in numbers alone are trained as one batch, several times faster than one
    after the other, where all their parts are stock: REINFORCE, A2C or PPO in tensor environments, nothing replaced. The
    others run one by one; `Run.batched` says which way a run was made.

    Args: configs: name -> config. seeds: distinct integers. num_workers: processes, one thread each. seams: name ->
    keyword arguments of `train` for that config (functions that can be pickled). A function without arguments in place
    of `policy` or `critic`, or one of the seed in place of `envs`, makes a fresh one for each run.
    folder: each run is written there when it ends, and read from there next time, so that an interrupted call goes on
    where it stopped. dask: address of a Dask scheduler, whose workers take the place of processes; they have this very
    package, and write to `folder` too where they see it. on_run: called with the name and the run after each
    that is made. batched: None makes batches where that is possible, False makes none, True refuses what cannot be in one.
    Returns: name -> runs in the order of the seeds. Raises: InvalidInput for repeated or missing seeds, a cluster that
    cannot be used, a process that keeps dying, or training that diverges.
    """
    seeds = [operator.index(seed) for seed in seeds]  # np.arange gives NumPy's integers, which no config takes
    if not seeds or len(set(seeds)) != len(seeds):
        raise InvalidInput(f"seeds={seeds} are empty or repeat; give distinct integers, such as range(10)")
    if num_workers < 1:
        raise InvalidInput(f"num_workers={num_workers} is not positive; use at least 1")
    given = {name: dict((seams or {}).get(name, {})) for name in configs}
    together = {name: _together(name, config, given[name], batched) for name, config in configs.items()}
    keys: dict[str, str] = {}
    if folder is not None:
        keys = {name: source_key(name, config, given[name], batched=together[name]) for name, config in configs.items()}

    def plan(name: str, seed: int) -> Planned:
        # Absolute, since a cluster's worker stands in a folder of its own.
        path = run_path(Path(folder).absolute(), name, seed, keys[name]) if folder is not None else None
        return Planned(name, replace(configs[name], seed=seed), given[name], path)

    # One seed of every config after the other, so that an early end leaves a study that can be looked at.
    planned = [plan(name, seed) for seed in seeds for name in configs]
    runs = {
        id(each): run for each in planned if each.path is not None and (run := read_run(each.path, each.config.seed))
    }
    missing = [each for each in planned if id(each) not in runs]
    jobs = divide(missing, together, num_workers, DASK_ROWS if dask is not None else MAX_ROWS)

    def tell(job: Job, share: float) -> None:
        bar.set_postfix_str(f"{job}: {share:.0%}" if share < 1 else "")

    here = num_workers == 1 and dask is None
    function = partial(make_runs, on_progress=tell) if here and progress else make_runs
    with (
        contextlib.closing(run_jobs(function, jobs, num_workers=num_workers, dask=dask)) as finished,
        tqdm(total=len(planned), initial=len(planned) - len(missing), unit="run", disable=not progress) as bar,
    ):
        for position, made in finished:
            for each, run in zip(jobs[position].runs, made, strict=True):
                if each.path is not None and not each.path.exists():  # made by a worker that does not see this folder
                    write_run(each.path, run)
                runs[id(each)] = run
                bar.update()
                if on_run is not None:
                    on_run(each.name, run)
    of: dict[str, list[Run]] = {name: [] for name in configs}
    for each in planned:
        of[each.name].append(runs[id(each)])
    return of


def _together(name: str, config: Config, seams: Mapping[str, Any], batched: bool | None) -> bool:
    """Whether a config's runs are made in batches. Raises: InvalidInput where they have to be and cannot."""
    possible = batched is not False and batchable(config, seams)
    if batched and not possible:
        raise InvalidInput(
            f"{name} cannot be trained in a batch: that takes REINFORCE, A2C or PPO in a tensor environment, with nothing "
            "replaced; leave out batched=True"
        )
    return possible


def returns_by_episode(runs: list[Run]) -> NDArray[np.float64]:
    """Episodic returns [R, E] of R runs, cut to the shortest run."""
    shortest = min(len(run.episodes) for run in runs)
    return np.stack([run.episodes["episodic_return"][:shortest] for run in runs])
