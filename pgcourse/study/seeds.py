"""Train configs over many seeds, in processes or on a cluster; finished runs can be kept."""

import contextlib
import operator
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn
from tqdm.auto import tqdm

from .. import optim
from ..algorithms.by_name import TRAIN
from ..config import Config
from ..errors import InvalidInput
from ..evaluation import evaluate
from ..training import TrainingDiverged
from .keep import Run, code_digest, read_run, run_path, source_key, write_run
from .workers import run_jobs

__all__ = ["TRAIN", "Run", "made_fresh", "returns_by_episode", "run_seeds"]


@dataclass(frozen=True)
class Job:
    """One run to be made."""

    name: str
    config: Config
    seams: Mapping[str, Any]
    path: Path | None  # where it is kept
    code: str  # digest of the code that has to make it

    def __str__(self) -> str:
        return f"{self.name}, seed {self.config.seed}"


def run_seeds(
    configs: Mapping[str, Config],
    seeds: Iterable[int],
    *,
    num_workers: int = 1,
    seams: Mapping[str, Mapping[str, Any]] | None = None,
    progress: bool = True,
    folder: str | os.PathLike[str] | None = None,
    dask: str | None = None,
    keys: Mapping[str, str] | None = None,
    on_run: Callable[[str, Run], None] | None = None,
    batched: bool | None = None,
) -> dict[str, list[Run]]:
    """Train every config with every seed. The result does not depend on where, or in how many processes.

    Args: configs: name -> config. seeds: distinct integers. num_workers: processes, one thread each. seams: name ->
    keyword arguments of `train` for that config (functions that can be pickled). A function without arguments in place
    of `policy` or `critic`, or one of the seed in place of `envs`, makes a fresh one for each run.
    folder: each run is written there when it ends, and read from there next time, so that an interrupted call goes on
    where it stopped. dask: address of a Dask scheduler, whose workers take the place of processes; they have this very
    package, and write to `folder` too where they see it. keys: name -> what tells a config's runs from others in
    `folder`, in place of `source_key`. on_run: called with the name and the run after each that is made.
    batched: False makes one run after the other, as all runs are made today.
    Returns: name -> runs in the order of the seeds. Raises: InvalidInput for repeated or missing seeds, a cluster that
    cannot be used, a process that keeps dying, or training that diverges.
    """
    seeds = [operator.index(seed) for seed in seeds]  # np.arange gives NumPy's integers, which no config takes
    if not seeds or len(set(seeds)) != len(seeds):
        raise InvalidInput(f"seeds={seeds} are empty or repeat; give distinct integers, such as range(10)")
    if num_workers < 1:
        raise InvalidInput(f"num_workers={num_workers} is not positive; use at least 1")
    given = {name: dict((seams or {}).get(name, {})) for name in configs}
    if folder is not None and keys is None:
        keys = {name: source_key(name, config, given[name]) for name, config in configs.items()}

    def job_of(name: str, seed: int) -> Job:
        # Absolute, since a cluster's worker stands in a folder of its own.
        path = run_path(Path(folder).absolute(), name, seed, keys[name]) if folder is not None and keys else None
        config = replace(configs[name], seed=seed)
        return Job(name, config, given[name], path, code_digest(config.algorithm))

    # One seed of every config after the other, so that an early end leaves a study that can be looked at.
    jobs = [job_of(name, seed) for seed in seeds for name in configs]
    runs = [read_run(job.path, job.config.seed) if job.path is not None else None for job in jobs]
    missing = [index for index, run in enumerate(runs) if run is None]
    waiting = [jobs[index] for index in missing]
    with (
        contextlib.closing(run_jobs(make_run, waiting, num_workers=num_workers, dask=dask)) as finished,
        tqdm(total=len(jobs), initial=len(jobs) - len(missing), unit="run", disable=not progress) as bar,
    ):
        for position, run in finished:
            job = waiting[position]
            if job.path is not None and not job.path.exists():  # made by a worker that does not see this folder
                write_run(job.path, run)
            runs[missing[position]] = run
            bar.update()
            if on_run is not None:
                on_run(job.name, run)
    of: dict[str, list[Run]] = {name: [] for name in configs}
    for job, made in zip(jobs, runs, strict=True):
        assert made is not None
        of[job.name].append(made)
    return of


def make_run(job: Job) -> Run:
    """Train one run, and keep it. Raises: InvalidInput where it diverges, or where this process has other code."""
    if code_digest(job.config.algorithm) != job.code:
        raise InvalidInput(f"{job}: this worker has another version of pgcourse; install the same on every machine")
    # Runs draw from torch's global stream: a worker with several threads takes them one after the other.
    with ONE_AT_A_TIME:
        # A cluster gives a job to a second worker where the first died between its last two lines.
        run = read_run(job.path, job.config.seed) if job.path is not None else None
        if run is None:
            try:
                run = _train(job.config, job.seams)
            except TrainingDiverged as error:  # holds networks, which cannot travel between processes
                raise InvalidInput(f"{job}: {error}") from None
            if job.path is not None:
                write_run(job.path, run)
    return run


ONE_AT_A_TIME = threading.Lock()


def made_fresh(config: Config, seams: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `train` for one run: what is a function in place of networks or environments is called."""
    made = dict(seams)
    with optim.seeded(config.seed):
        for name in ("policy", "critic"):
            if name in made and not isinstance(made[name], nn.Module):
                made[name] = made[name]()
    if callable(made.get("envs")):
        made["envs"] = made["envs"](config.seed)
    return made


def _train(config: Config, seams: Mapping[str, Any]) -> Run:
    result = TRAIN[config.algorithm](config, device="cpu", **made_fresh(config, seams))
    if result.interrupted:  # `train` gives what it has; half a run is no run of a study
        raise KeyboardInterrupt
    evaluation = evaluate(result.policy, config.env_id, num_episodes=100, seed=config.seed)
    weights = {name: tensor.numpy(force=True) for name, tensor in result.policy.state_dict().items()}
    return Run(config.seed, result.episodes, result.metrics, evaluation.returns, weights)


def returns_by_episode(runs: list[Run]) -> NDArray[np.float64]:
    """Episodic returns [R, E] of R runs, cut to the shortest run."""
    shortest = min(len(run.episodes) for run in runs)
    return np.stack([run.episodes["episodic_return"][:shortest] for run in runs])
