"""Studies of many seeds: the result is that of the runs one by one, however they are spread over processes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from pgcourse import reinforce
from pgcourse.errors import InvalidInput
from pgcourse.study.seeds import Run, returns_by_episode, run_seeds

CONFIGS = {
    "baseline": replace(reinforce.CARTPOLE, num_episodes=8),
    "plain": replace(reinforce.CARTPOLE_NO_BASELINE, num_episodes=4),
}


def content(runs: dict[str, list[Run]]) -> dict[str, list[Any]]:
    """Return what must reproduce: all but the time on the clock."""
    return {
        name: [
            (run.seed, run.episodes["episodic_return"].tolist(), run.metrics["losses/policy_loss"].tolist())
            for run in of
        ]
        for name, of in runs.items()
    }


def no_advantage(returns: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(returns)


def test_the_result_does_not_depend_on_the_number_of_workers() -> None:
    alone = run_seeds(CONFIGS, [3, 1, 2], num_workers=1, progress=False)
    spread = run_seeds(CONFIGS, [3, 1, 2], num_workers=2, progress=False)
    assert content(alone) == content(spread)


def test_each_run_is_that_of_train_with_this_seed_in_the_order_of_the_seeds() -> None:
    runs = run_seeds(CONFIGS, [5, 0], progress=False)
    for name, config in CONFIGS.items():
        assert [run.seed for run in runs[name]] == [5, 0]
        for run in runs[name]:
            expected = reinforce.train(replace(config, seed=run.seed))
            assert run.episodes["length"].tolist() == expected.episodes["length"].tolist()


def test_seams_reach_the_config_that_they_are_for() -> None:
    seams = {"baseline": {"advantage_fn": no_advantage}}
    changed = content(run_seeds(CONFIGS, [0], seams=seams, progress=False))
    usual = content(run_seeds(CONFIGS, [0], progress=False))
    assert changed["plain"] == usual["plain"]
    assert set(changed["baseline"][0][2]) == {0.0} != set(usual["baseline"][0][2])


@pytest.mark.parametrize("seeds", [[], [1, 2, 1]])
def test_seeds_that_repeat_or_are_missing_are_refused(seeds: list[int]) -> None:
    with pytest.raises(InvalidInput, match="empty or repeat; give distinct integers"):
        run_seeds(CONFIGS, seeds, progress=False)


def test_numpys_integers_are_seeds_too() -> None:
    runs = run_seeds({"plain": CONFIGS["plain"]}, np.arange(2), progress=False)
    assert [run.seed for run in runs["plain"]] == [0, 1]


def test_returns_are_cut_to_the_shortest_run() -> None:
    def run(*returns: float) -> Run:
        episodes = np.zeros(len(returns), [("episodic_return", np.float64)])
        episodes["episodic_return"] = returns
        return Run(0, episodes, {})

    assert returns_by_episode([run(1, 2, 3), run(4, 5)]).tolist() == [[1, 2], [4, 5]]
