"""Jobs of a study: one run, or runs that are trained as one batch; each is made by one worker and kept when it ends."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..algorithms.by_name import TRAIN, made_fresh
from ..config import Config
from ..errors import InvalidInput
from ..evaluation import evaluate
from ..runs import Result
from ..training import TrainingDiverged
from .batched import evaluate_batch, structure, train_batch
from .keep import Run, code_digest, read_run, write_run

OnProgress = Callable[["Job", float], None]  # the job, and the share of it that is done
EVALUATED = 100  # held-out episodes of each final policy
MAX_ROWS = 50  # runs of a batch; more gain little, and an interrupt or a killed worker costs the batch
MIN_ROWS = 5  # below which a batch is not divided among workers: it would cost more than it spreads
DASK_ROWS = 10  # on a cluster, whose workers are many


@dataclass(frozen=True)
class Planned:
    """One run to be made."""

    name: str
    config: Config
    seams: Mapping[str, Any]
    path: Path | None  # where it is kept

    def __str__(self) -> str:
        return f"{self.name}, seed {self.config.seed}"


@dataclass(frozen=True)
class Job:
    """Runs to be made together: one, or a batch."""

    runs: tuple[Planned, ...]
    batched: bool
    code: str  # digest of the code that has to make them

    def __str__(self) -> str:
        more = f" and {len(self.runs) - 1} more" if len(self.runs) > 1 else ""
        return f"{self.runs[0]}{more}"


def divide(missing: Sequence[Planned], together: Mapping[str, bool], num_workers: int, max_rows: int) -> list[Job]:
    """Batches of runs that have their structure and their functions in common; the others one by one."""
    groups: dict[tuple[Any, ...], list[Planned]] = {}
    for each in missing:
        common = (structure(each.config), *sorted((name, id(seam)) for name, seam in each.seams.items()))
        groups.setdefault(common if together[each.name] else (id(each),), []).append(each)
    rows = max(min(max_rows, -(-len(missing) // num_workers)), MIN_ROWS)
    jobs = []
    for group in groups.values():
        parts = -(-len(group) // rows)
        for part in range(parts):
            own = tuple(group[part * len(group) // parts : (part + 1) * len(group) // parts])
            jobs.append(Job(own, together[own[0].name], code_digest(own[0].config.algorithm)))
    return jobs


def make_runs(job: Job, on_progress: OnProgress | None = None) -> list[Run]:
    """Train the runs of a job, and keep them.

    Raises: InvalidInput where one diverges, after the others have been kept, or where this process has other code.
    """
    if code_digest(job.runs[0].config.algorithm) != job.code:
        raise InvalidInput(f"{job}: this worker has another version of pgcourse; install the same on every machine")
    diverged: InvalidInput | None = None
    # Runs draw from torch's global stream: a worker with several threads takes them one after the other.
    with ONE_AT_A_TIME:
        # A cluster gives a job to a second worker where the first died between its last two lines.
        runs = [read_run(each.path, each.config.seed) if each.path is not None else None for each in job.runs]
        missing = [index for index, run in enumerate(runs) if run is None]
        waiting = [job.runs[index] for index in missing]
        if job.batched:
            made = _train_together(waiting, partial(on_progress, job) if on_progress is not None else None)
        else:
            made = [_train_alone(each) for each in waiting]
        for index, each, run in zip(missing, waiting, made, strict=True):
            if isinstance(run, TrainingDiverged):  # holds networks, which cannot travel between processes
                diverged = diverged or InvalidInput(f"{each}: {run}")
                continue
            runs[index] = run
            if each.path is not None:
                write_run(each.path, run)
    if diverged is not None:
        raise diverged
    return [run for run in runs if run is not None]


ONE_AT_A_TIME = threading.Lock()


def _train_alone(run: Planned) -> Run | TrainingDiverged:
    """One run, scored in the environments that it was trained in, or in those that their attribute `scored_on` names."""
    config = run.config
    made = made_fresh(config, run.seams)
    try:
        result = TRAIN[config.algorithm](config, device="cpu", **made)
    except TrainingDiverged as error:
        return error
    if result.interrupted:  # `train` gives what it has; half a run is no run of a study
        raise KeyboardInterrupt
    env = made.get("envs", config.env_id)
    evaluation = evaluate(result.policy, getattr(env, "scored_on", env), num_episodes=EVALUATED, seed=config.seed)
    return _kept(result, evaluation.returns, batched=False)


def _train_together(
    runs: Sequence[Planned], on_progress: Callable[[float], None] | None
) -> list[Run | TrainingDiverged]:
    if not runs:
        return []
    outcomes = train_batch([run.config for run in runs], seams=runs[0].seams, on_progress=on_progress)
    results = [outcome for outcome in outcomes if isinstance(outcome, Result)]
    seeds, env_id = [result.config.seed for result in results], runs[0].config.env_id
    returns = evaluate_batch([result.policy for result in results], env_id, seeds, num_episodes=EVALUATED)
    kept = iter([_kept(result, own, batched=True) for result, own in zip(results, returns, strict=True)])
    return [next(kept) if isinstance(outcome, Result) else outcome for outcome in outcomes]


def _kept(result: Result, returns: NDArray[np.float64], *, batched: bool) -> Run:
    weights = {name: tensor.numpy(force=True) for name, tensor in result.policy.state_dict().items()}
    return Run(result.config.seed, result.episodes, result.metrics, returns, weights, batched)
