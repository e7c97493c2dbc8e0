"""Studies of many seeds: the result is that of the runs one by one, however they are spread over processes."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pgcourse import reinforce
from pgcourse.errors import InvalidInput
from pgcourse.losses import reinforce_loss
from pgcourse.study import seeds as study_seeds
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


def killed_once(log_prob: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """`reinforce_loss`, but the first process to use it is killed in the middle of its run."""
    marker = Path(os.environ["KILLED_ONCE"])
    if not marker.exists():
        marker.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return reinforce_loss(log_prob, weight)


def diverging(log_prob: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (log_prob * torch.nan).sum()


def no_advantage(returns: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(returns)


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


def refuse(*arguments: Any) -> Any:
    raise AssertionError("a kept run was trained again")


def test_finished_runs_are_read_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_seeds(CONFIGS, [0, 1], folder=tmp_path, progress=False)
    assert len(list(tmp_path.glob("*.npz"))) == 4
    made: list[tuple[str, int]] = []
    again = run_seeds(
        CONFIGS, [1, 2], folder=tmp_path, progress=False, on_run=lambda name, run: made.append((name, run.seed))
    )
    assert made == [("baseline", 2), ("plain", 2)], "more seeds add the missing ones"
    monkeypatch.setattr(study_seeds, "_train", refuse)
    assert content(run_seeds(CONFIGS, [0, 1], folder=tmp_path, progress=False)) == content(first)
    for name in CONFIGS:
        kept, fresh = again[name][0], first[name][1]
        np.testing.assert_array_equal(kept.episodes, fresh.episodes)  # its time on the clock too
        np.testing.assert_array_equal(kept.evaluation, fresh.evaluation)
        assert kept.policy.keys() == fresh.policy.keys() and len(fresh.policy) == 6


def test_a_run_of_other_settings_or_other_functions_is_not_taken_for_this_one(tmp_path: Path) -> None:
    config = CONFIGS["plain"]
    run_seeds({"plain": config}, [0], folder=tmp_path, progress=False)
    run_seeds({"plain": replace(config, gamma=0.5)}, [0], folder=tmp_path, progress=False)
    run_seeds(
        {"plain": config}, [0], folder=tmp_path, seams={"plain": {"policy_loss_fn": reinforce_loss}}, progress=False
    )
    assert len(list(tmp_path.glob("*.npz"))) == 3


def test_an_interrupted_run_is_not_kept_as_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`train` answers an interrupt with what it has so far: half a run, which must not count as a run of the study."""

    def interrupting(log_prob: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        signal.raise_signal(signal.SIGINT)
        return reinforce_loss(log_prob, weight)

    with pytest.raises(KeyboardInterrupt):
        run_seeds(
            {"plain": CONFIGS["plain"], "interrupted": replace(CONFIGS["plain"], num_episodes=40)},
            [0],
            folder=tmp_path,
            seams={"interrupted": {"policy_loss_fn": interrupting}},
            progress=False,
        )
    assert [path.name.split("-")[0] for path in tmp_path.iterdir()] == ["plain"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process")
def test_neither_more_workers_nor_the_death_of_one_changes_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILLED_ONCE", str(tmp_path / "marker"))
    seams = {"plain": {"policy_loss_fn": killed_once}}
    survived = run_seeds(CONFIGS, [0, 1], seams=seams, num_workers=2, folder=tmp_path / "runs", progress=False)
    assert int((tmp_path / "marker").read_text()) != os.getpid()
    assert content(survived) == content(run_seeds(CONFIGS, [0, 1], progress=False))
    assert len(list((tmp_path / "runs").iterdir())) == 4, "each run once, and nothing half-written"


def test_divergence_names_the_run_in_whatever_process_it_happens() -> None:
    for num_workers in (1, 2):
        with pytest.raises(InvalidInput, match=r"^plain, seed 3: losses/policy_\w+ is nan in iteration 1"):
            run_seeds(
                {"plain": CONFIGS["plain"]},
                [3],
                seams={"plain": {"policy_loss_fn": diverging}},
                num_workers=num_workers,
                progress=False,
            )


def test_a_worker_with_other_code_is_refused() -> None:
    job = study_seeds.Job("plain", CONFIGS["plain"], {}, None, "the digest of some other code")
    with pytest.raises(InvalidInput, match="plain, seed 0: this worker has another version of pgcourse"):
        study_seeds.make_run(job)


@pytest.mark.parametrize("num_workers", [0, -1])
def test_a_number_of_workers_below_one_is_refused(num_workers: int) -> None:
    with pytest.raises(InvalidInput, match=f"num_workers={num_workers} is not positive"):
        run_seeds(CONFIGS, [0], num_workers=num_workers, progress=False)
