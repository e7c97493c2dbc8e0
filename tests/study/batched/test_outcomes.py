"""Whole runs made in a batch end as runs made alone do: two samples of 60 seeds each, compared by their outcomes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ks_2samp, mannwhitneyu

from pgcourse import a2c, ppo, reinforce
from pgcourse.statistics import episodes_to_threshold
from pgcourse.study.seeds import Run, run_seeds

SEEDS = 60
# Budgets at which some seeds have learnt the task and others have not yet: where a difference would show.
SHORT: dict[str, Any] = {
    "ppo": (replace(ppo.CARTPOLE, total_timesteps=20_000), 150),
    "ppo-gaussian": (replace(ppo.PENDULUM, total_timesteps=14_400, num_envs=6, anneal_lr=False), -900),
    "a2c": (replace(a2c.CARTPOLE, num_episodes=200), 35),
    "reinforce": (replace(reinforce.CARTPOLE, num_episodes=60), 40),
}


def outcomes(runs: list[Run], threshold: float) -> dict[str, NDArray[np.float64]]:
    """Numbers of each run, [R]; infinite where the threshold was not reached."""
    window = 20
    returns = [run.episodes["episodic_return"] for run in runs]
    reached = [episodes_to_threshold(of, threshold=threshold, window=window) for of in returns]
    steps = [np.inf if n is None else run.episodes["env_step"][n - 1] for n, run in zip(reached, runs, strict=True)]
    return {
        "end": np.array([of[-window:].mean() for of in returns]),
        "held-out return": np.array([run.evaluation.mean() for run in runs]),
        "steps to the threshold": np.array(steps, dtype=np.float64),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", SHORT)
def test_the_outcomes_of_batched_and_single_runs_are_drawn_from_one_distribution(name: str) -> None:
    config, threshold = SHORT[name]
    # Different seeds on the two sides, as the test asks for independent samples.
    batched = run_seeds({"run": config}, range(SEEDS), progress=False, batched=True)["run"]
    single = run_seeds({"run": config}, range(1000, 1000 + SEEDS), num_workers=2, progress=False, batched=False)["run"]
    assert all(run.batched for run in batched) and not any(run.batched for run in single)
    ours, theirs = outcomes(batched, threshold), outcomes(single, threshold)
    for what, values in ours.items():
        finite = np.isfinite(values).sum(), np.isfinite(theirs[what]).sum()
        # Runs that never arrive are ties, worse than all others.
        rank = mannwhitneyu(*(np.nan_to_num(x, posinf=1e12) for x in (values, theirs[what]))).pvalue
        shape = ks_2samp(*(np.nan_to_num(x, posinf=1e12) for x in (values, theirs[what]))).pvalue
        print(
            f"{name}, {what}: {np.median(values):.1f} and {np.median(theirs[what]):.1f}, {finite}, {rank=:.3f} {shape=:.3f}"
        )
        assert min(rank, shape) > 0.001, what
    assert np.isfinite(ours["steps to the threshold"]).sum() > 5, "no outcome to be compared"
