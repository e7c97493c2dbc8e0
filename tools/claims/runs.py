"""Training runs of the studies, kept in build/claims as long as today's code begins them in the same way."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pgcourse.algorithms.by_name import TRAIN, made_fresh
from pgcourse.config import Config
from pgcourse.study.claims import machine
from pgcourse.study.keep import seam_source
from pgcourse.study.seeds import Run, run_seeds

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "claims"
PREFIX = 40  # episodes by which today's code is recognised


def kept_runs(
    configs: Mapping[str, Any],
    seeds: Iterable[int],
    *,
    seams: Mapping[str, Mapping[str, Any]],
    num_workers: int = 1,
    folder: Path = KEPT,
) -> dict[str, list[Run]]:
    """`run_seeds` with a folder, where the code counts as the same as long as it gives the same first episodes.

    So hours of runs outlive a change that moves no number. After a change that shows only later (of PPO's update, say:
    its first rollout is longer than these episodes), delete the folder. Args: as of `run_seeds`.
    """
    seeds = list(seeds)
    keys = {name: _key(name, config, seeds[0], seams.get(name, {})) for name, config in configs.items()}
    return run_seeds(
        configs, seeds, num_workers=num_workers, seams=seams, progress=False, folder=folder, keys=keys, on_run=_tell
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


def _key(name: str, config: Config, seed: int, seams: Mapping[str, Any]) -> str:
    identity = [
        name,
        dataclasses.asdict(config),
        machine()["versions"],
        seam_source(seams),
        first_returns(config, seed, seams),
    ]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]
