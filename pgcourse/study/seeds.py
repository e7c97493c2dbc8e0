"""One experiment, many seeds: configs times seeds, in processes."""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from torch import nn
from tqdm.auto import tqdm

from .. import optim
from ..algorithms import a2c, ppo, reinforce, trpo
from ..errors import InvalidInput
from ..evaluation import evaluate

TRAIN: dict[str, Callable[..., Any]] = {
    "reinforce": reinforce.train,
    "a2c": a2c.train,
    "ppo": ppo.train,
    "trpo": trpo.train,
}


@dataclass(frozen=True)
class Run:
    """What a study keeps of one training run: numbers only, no networks."""

    seed: int
    episodes: NDArray[Any]  # fields env_step, wall_time [s], episodic_return, length
    metrics: dict[str, NDArray[np.float64]]
    # Returns [100] of the final policy's mode from held-out start states; empty in runs kept before it was measured.
    evaluation: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


def run_seeds(
    configs: Mapping[str, Any],
    seeds: Iterable[int],
    *,
    num_workers: int = 1,
    seams: Mapping[str, Mapping[str, Any]] | None = None,
    progress: bool = True,
) -> dict[str, list[Run]]:
    """Train every config with every seed. The result does not depend on the number of workers.

    Args: configs: name -> config. seeds: distinct integers. num_workers: processes, one thread each. seams: name ->
    keyword arguments of `train` for that config (functions that can be pickled). A function without arguments in place
    of `policy` or `critic`, or one of the seed in place of `envs`, makes a fresh one for each run.
    Returns: name -> runs in the order of the seeds. Raises: InvalidInput for repeated or missing seeds.
    """
    seeds = [operator.index(seed) for seed in seeds]  # np.arange gives NumPy's integers, which no config takes
    if not seeds or len(set(seeds)) != len(seeds):
        raise InvalidInput(f"seeds={seeds} are empty or repeat; give distinct integers, such as range(10)")
    jobs = [
        (name, replace(config, seed=seed), dict((seams or {}).get(name, {})))
        for seed in seeds
        for name, config in configs.items()
    ]
    parallel = Parallel(n_jobs=num_workers, return_as="generator")
    finished = parallel(delayed(_train)(config, keywords) for _, config, keywords in jobs)
    runs: dict[str, list[Run]] = {name: [] for name in configs}
    for (name, _, _), run in zip(jobs, tqdm(finished, total=len(jobs), unit="run", disable=not progress), strict=True):
        runs[name].append(run)
    return runs


def made_fresh(config: Any, seams: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `train` for one run: what is a function in place of networks or environments is called."""
    made = dict(seams)
    with optim.seeded(config.seed):
        for name in ("policy", "critic"):
            if name in made and not isinstance(made[name], nn.Module):
                made[name] = made[name]()
    if callable(made.get("envs")):
        made["envs"] = made["envs"](config.seed)
    return made


def _train(config: Any, seams: Mapping[str, Any]) -> Run:
    result = TRAIN[config.algorithm](config, device="cpu", **made_fresh(config, seams))
    evaluation = evaluate(result.policy, config.env_id, num_episodes=100, seed=config.seed)
    return Run(config.seed, result.episodes, result.metrics, evaluation.returns)


def returns_by_episode(runs: list[Run]) -> NDArray[np.float64]:
    """Episodic returns [R, E] of R runs, cut to the shortest run."""
    shortest = min(len(run.episodes) for run in runs)
    return np.stack([run.episodes["episodic_return"][:shortest] for run in runs])
