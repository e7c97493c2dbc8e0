"""Many-seed runs that survive an interruption: finished ones stay in build/claims until code changes."""

import ast
import dataclasses
import hashlib
import inspect
import json
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgcourse.storage import atomic_write
from pgcourse.study.claims import machine
from pgcourse.study.seeds import TRAIN, Run, made_fresh, run_seeds

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
    """`run_seeds`, but a run that is on disk from the same code, settings and versions is read, not repeated.

    The code is the same where today's gives the same first episodes; after a change that shows only later,
    delete the folder. Args: as of `run_seeds`. folder: where finished runs are kept.
    """
    seeds = list(seeds)
    keys = {name: _key(name, config, seeds[0], seams.get(name, {})) for name, config in configs.items()}
    runs: dict[str, list[Run]] = {name: [] for name in configs}
    # One seed of every config at a time, so that an early end leaves a study that can be looked at.
    for seed in seeds:
        paths = {name: folder / f"{name}-{seed}-{keys[name]}.npz" for name in configs}
        missing = [name for name in configs if not paths[name].exists()]
        # In rounds of as many as run side by side: what is finished is on disk when something ends the study.
        for first in range(0, len(missing), num_workers):
            names = missing[first : first + num_workers]
            fresh = run_seeds(
                {name: configs[name] for name in names},
                [seed],
                num_workers=num_workers,
                seams={name: seams[name] for name in names if name in seams},
                progress=False,
            )
            for name in names:
                _write(paths[name], fresh[name][0])
                print(
                    f"{name}, seed {seed}: {fresh[name][0].episodes['episodic_return'][-100:].mean():.0f}",
                    flush=True,
                )
        for name, path in paths.items():
            runs[name].append(_read(path, seed))
    return runs


def first_returns(
    config: Any, seed: int, seams: Mapping[str, Any], num_episodes: int = PREFIX, within_steps: int | None = None
) -> list[float]:
    """The first episodic returns of a run, which takes about a second; `within_steps`: only those ended by then."""
    # Stopped from outside: a smaller budget would be another schedule of learning rates.
    config = dataclasses.replace(config, seed=seed)
    result = TRAIN[config.algorithm](
        config,
        device="cpu",
        on_iteration=lambda progress: len(progress.episodes) >= num_episodes,
        **made_fresh(config, seams),
    )
    episodes = result.episodes[:num_episodes]
    if within_steps is not None:
        episodes = episodes[episodes["env_step"] <= within_steps]
    return plain(episodes["episodic_return"])


def plain(returns: NDArray[np.float64]) -> list[float]:
    """Returns as JSON holds them: whole numbers as integers, others with two decimals."""
    return [int(number) if number == int(number) else round(float(number), 2) for number in returns]


def _key(name: str, config: Any, seed: int, seams: Mapping[str, Any]) -> str:
    identity = [
        name,
        dataclasses.asdict(config),
        machine()["versions"],
        _source(seams),
        first_returns(config, seed, seams),
    ]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]


def _source(seams: Mapping[str, Any]) -> list[str]:
    """Source of the functions, or of the classes of the objects, that a config's run is given, free of layout."""
    texts = []
    for name, seam in sorted(seams.items()):
        function = inspect.isroutine(seam)
        source = textwrap.dedent(inspect.getsource(seam if function else type(seam)))
        texts.append(f"{name}={'' if function else seam!r}: {ast.unparse(ast.parse(source))}")
    return texts


def _write(path: Path, run: Run) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    arrays = {f"metrics:{key}": numbers for key, numbers in run.metrics.items()}
    np.savez_compressed(partial, episodes=run.episodes, evaluation=run.evaluation, **arrays)  # type: ignore[arg-type]
    atomic_write(path, partial.read_bytes())
    partial.unlink()


def _read(path: Path, seed: int) -> Run:
    with np.load(path, allow_pickle=False) as data:
        metrics = {key.removeprefix("metrics:"): data[key] for key in data.files if key.startswith("metrics:")}
        evaluation = data["evaluation"] if "evaluation" in data.files else np.zeros(0)
        return Run(seed, data["episodes"], metrics, evaluation)
