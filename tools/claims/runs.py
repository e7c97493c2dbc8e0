"""Training runs of the studies, kept in build/claims under a key of all that they follow from."""

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pgcourse.algorithms.by_name import TRAIN, made_fresh
from pgcourse.config import Config
from pgcourse.study.seeds import Run, run_seeds

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "claims"
PREFIX = 40  # episodes of a claims file's "prefixes"
ONE_BY_ONE, BATCHED = "one by one", "batched"  # how a study's runs were made: the last bits differ
_how: ContextVar[str] = ContextVar("how", default=ONE_BY_ONE)


@contextlib.contextmanager
def made(how: str) -> Iterator[None]:
    """Within it, `kept_runs` makes runs in this way."""
    token = _how.set(how)
    try:
        yield
    finally:
        _how.reset(token)


def kept_runs(
    configs: Mapping[str, Any],
    seeds: Iterable[int],
    *,
    seams: Mapping[str, Mapping[str, Any]],
    num_workers: int = 1,
    folder: Path = KEPT,
) -> dict[str, list[Run]]:
    """`run_seeds` with a folder of its own for each way to make runs. Args: as of `run_seeds`."""
    return run_seeds(
        configs,
        seeds,
        num_workers=num_workers,
        seams=seams,
        progress=False,
        folder=folder / _how.get().replace(" ", "-"),
        batched=None if _how.get() == BATCHED else False,
        on_run=_tell,
    )


def _tell(name: str, run: Run) -> None:
    print(f"{name}, seed {run.seed}: {run.episodes['episodic_return'][-100:].mean():.0f}", flush=True)


def first_returns(
    config: Config, seed: int, seams: Mapping[str, Any], num_episodes: int = PREFIX, within_steps: int | None = None
) -> list[float]:
    """The first episodic returns of a run, which takes about a second; `within_steps`: only those ended by then."""
    # Stopped from outside: a smaller budget would be another schedule of learning rates.
    config = dataclasses.replace(config, seed=seed)
    seams = {**seams, "on_iteration": lambda progress: len(progress.episodes) >= num_episodes}
    result = TRAIN[config.algorithm](config, device="cpu", **made_fresh(config, seams))
    episodes = result.episodes[:num_episodes]
    if within_steps is not None:
        episodes = episodes[episodes["env_step"] <= within_steps]
    return plain(episodes["episodic_return"])


def plain(returns: NDArray[Any]) -> list[float]:
    """Returns as JSON holds them: whole numbers as integers, others with two decimals."""
    return [int(number) if number == int(number) else round(float(number), 2) for number in returns]
