"""Studies of many seeds: the result is that of the runs one by one, however they are spread over processes."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from pgcourse import reinforce
from pgcourse.errors import InvalidInput
from pgcourse.losses import reinforce_loss
from pgcourse.study import jobs as study_jobs
from pgcourse.study.seeds import Run, returns_by_episode, run_seeds

CONFIGS = {
    "baseline": replace(reinforce.CARTPOLE, num_episodes=8),
    "plain": replace(reinforce.CARTPOLE_NO_BASELINE, num_episodes=4),
}


def content(runs: dict[str, list[Run]]) -> dict[str, list[Any]]:
    """Return what must reproduce: all but the time on the clock."""

    def of_run(run: Run) -> Any:
        return run.seed, run.episodes["episodic_return"].tolist(), run.metrics["losses/policy_loss"].tolist()

    return {name: [of_run(run) for run in of] for name, of in runs.items()}


run_quietly = partial(run_seeds, progress=False)
PLAIN = CONFIGS["plain"]
BASELINE = {"baseline": CONFIGS["baseline"]}


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
    runs = run_quietly(CONFIGS, np.array([5, 0]))  # NumPy's integers are seeds too
    for name, config in CONFIGS.items():
        assert [run.seed for run in runs[name]] == [5, 0]
        for run in runs[name]:
            expected = reinforce.train(replace(config, seed=run.seed))
            assert run.episodes["length"].tolist() == expected.episodes["length"].tolist()


def test_seams_reach_the_config_that_they_are_for() -> None:
    seams = {"baseline": {"advantage_fn": no_advantage}}
    changed = content(run_quietly(CONFIGS, [0], seams=seams))
    usual = content(run_quietly(CONFIGS, [0]))
    assert changed["plain"] == usual["plain"]
    assert set(changed["baseline"][0][2]) == {0.0} != set(usual["baseline"][0][2])


def test_returns_are_cut_to_the_shortest_run() -> None:
    def run(*returns: float) -> Run:
        episodes = np.zeros(len(returns), [("episodic_return", np.float64)])
        episodes["episodic_return"] = returns
        return Run(0, episodes, {})

    assert returns_by_episode([run(1, 2, 3), run(4, 5)]).tolist() == [[1, 2], [4, 5]]


def test_finished_runs_are_read_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run_quietly(CONFIGS, [0, 1], folder=tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 4
    made: list[tuple[str, int]] = []
    again = run_quietly(CONFIGS, [1, 2], folder=tmp_path, on_run=lambda name, run: made.append((name, run.seed)))
    assert made == [("baseline", 2), ("plain", 2)], "more seeds add the missing ones"
    monkeypatch.delattr(study_jobs, "train_batch")  # a kept run is not trained again
    assert content(run_quietly(CONFIGS, [0, 1], folder=tmp_path)) == content(first)
    for name in CONFIGS:
        kept, fresh = again[name][0], first[name][1]
        np.testing.assert_array_equal(kept.episodes, fresh.episodes)  # its time on the clock too
        np.testing.assert_array_equal(kept.evaluation, fresh.evaluation)
        assert kept.policy.keys() == fresh.policy.keys() and len(fresh.policy) == 6


def test_a_run_of_other_settings_or_other_functions_is_not_taken_for_this_one(tmp_path: Path) -> None:
    for config, seams in ((PLAIN, {}), (replace(PLAIN, gamma=0.5), {}), (PLAIN, {"policy_loss_fn": reinforce_loss})):
        run_quietly({"plain": config}, [0], folder=tmp_path, seams={"plain": seams} if seams else {})
    assert len(list(tmp_path.glob("*.npz"))) == 3


def test_an_interrupted_run_is_not_kept_as_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`train` answers an interrupt with what it has so far: half a run, which must not count as a run of the study."""

    def interrupting(log_prob: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        signal.raise_signal(signal.SIGINT)
        return reinforce_loss(log_prob, weight)

    configs = {"plain": PLAIN, "interrupted": replace(PLAIN, num_episodes=40)}
    with pytest.raises(KeyboardInterrupt):
        run_quietly(configs, [0], folder=tmp_path, seams={"interrupted": {"policy_loss_fn": interrupting}})
    assert [path.name.split("-")[0] for path in tmp_path.iterdir()] == ["plain"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process")
def test_neither_more_workers_nor_the_death_of_one_changes_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILLED_ONCE", str(tmp_path / "marker"))
    seams = {"plain": {"policy_loss_fn": killed_once}}
    survived = run_quietly(CONFIGS, [0, 1], seams=seams, num_workers=2, folder=tmp_path / "runs")
    assert int((tmp_path / "marker").read_text()) != os.getpid()
    assert content(survived) == content(run_quietly(CONFIGS, [0, 1], batched=False) | run_quietly(BASELINE, [0, 1]))
    assert len(list((tmp_path / "runs").iterdir())) == 4, "each run once, and nothing half-written"


@pytest.mark.parametrize("num_workers", [1, 2])
def test_divergence_names_the_run_in_whatever_process_it_happens(num_workers: int) -> None:
    seams = {"plain": {"policy_loss_fn": diverging}}
    with pytest.raises(InvalidInput, match=r"^plain, seed 3: losses/policy_\w+ is nan in iteration 1"):
        run_quietly({"plain": PLAIN}, [3], seams=seams, num_workers=num_workers)


def test_a_worker_with_other_code_is_refused() -> None:
    run = study_jobs.Planned("plain", PLAIN, {}, None)
    job = study_jobs.Job((run,), False, "the digest of some other code")
    with pytest.raises(InvalidInput, match="plain, seed 0: this worker has another version of pgcourse"):
        study_jobs.make_runs(job)


@pytest.mark.parametrize(
    ("seeds", "num_workers", "message"),
    [
        ([], 1, "empty or repeat; give distinct integers"),
        ([1, 2, 1], 1, "empty or repeat; give distinct integers"),
        ([0], 0, "num_workers=0 is not positive"),
        ([0], -1, "num_workers=-1 is not positive"),
    ],
)
def test_bad_seeds_and_numbers_of_workers_are_refused(seeds: list[int], num_workers: int, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        run_quietly(CONFIGS, seeds, num_workers=num_workers)


def test_runs_say_which_way_they_were_made_and_may_be_kept_apart(tmp_path: Path) -> None:
    for batched in (True, False):
        runs = run_quietly(BASELINE, [0, 1], folder=tmp_path, batched=batched)["baseline"]
        assert [run.batched for run in runs] == [batched, batched]
        again = run_quietly(BASELINE, [0, 1], folder=tmp_path, batched=batched)["baseline"]
        assert [run.batched for run in again] == [batched, batched], "kept with the run"
    assert len(list(tmp_path.iterdir())) == 4
    mixed = run_quietly(CONFIGS, [0], seams={"plain": {"policy_loss_fn": reinforce_loss}})
    assert [mixed[name][0].batched for name in CONFIGS] == [True, False]
    with pytest.raises(InvalidInput, match="plain cannot be trained in a batch"):
        run_quietly(CONFIGS, [0], seams={"plain": {"policy_loss_fn": reinforce_loss}}, batched=True)


def test_configs_that_differ_in_numbers_are_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    train_batch = study_jobs.train_batch

    def counted(configs: Any, **options: Any) -> Any:
        sizes.append(len(configs))
        return train_batch(configs, **options)

    monkeypatch.setattr(study_jobs, "train_batch", counted)
    grid = {str(gamma): replace(PLAIN, gamma=gamma) for gamma in (0.9, 0.95, 0.99)}
    runs = run_quietly(grid | {"other": replace(PLAIN, hidden_sizes=(8,))}, [0, 1])
    assert sizes == [6, 2]
    assert runs["0.9"][1].metrics["losses/policy_loss"][0] != runs["0.99"][1].metrics["losses/policy_loss"][0]


def test_jobs_are_shared_out_and_bounded() -> None:
    runs = [study_jobs.Planned("plain", replace(PLAIN, seed=seed), {}, None) for seed in range(23)]

    def sizes(num_workers: int, max_rows: int, together: bool = True) -> list[int]:
        return [len(job.runs) for job in study_jobs.divide(runs, {"plain": together}, num_workers, max_rows)]

    assert sizes(1, 50) == [23] and sizes(2, 50) == [11, 12] and sizes(1, 10) == [7, 8, 8]
    assert sizes(23, 50) == [4, 5, 4, 5, 5], "not so small that batches do not pay"
    assert sizes(2, 50, together=False) == [1] * 23


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process")
def test_a_killed_worker_costs_its_batch_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    configs = {"long": replace(PLAIN, num_episodes=160), "short": replace(PLAIN, num_episodes=4, hidden_sizes=(8,))}
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(run_quietly, configs, range(5), folder=tmp_path, num_workers=2)
        while not list(tmp_path.glob("short-*")):  # then its worker is idle, and the other one busy
            assert not made.done()
            time.sleep(0.02)
        children = psutil.Process().children(recursive=True)
        before = {child: sum(child.cpu_times()[:2]) for child in children}
        time.sleep(0.5)
        max(children, key=lambda child: sum(child.cpu_times()[:2]) - before[child]).kill()
        runs = made.result(timeout=120)
    assert content(runs) == content(run_quietly(configs, range(5)))
    assert (
        len(list(tmp_path.glob("[a-z]*.npz"))) == 10
        and "its process died; a fresh one repeats it" in capfd.readouterr().err
    )


def test_a_run_that_diverges_in_a_batch_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    bad = replace(PLAIN, policy_lr=1e30, max_grad_norm=1e30)
    with pytest.raises(InvalidInput, match=r"^bad, seed 0: .* in iteration \d+"):
        run_quietly({"plain": PLAIN, "bad": replace(bad, num_episodes=40)}, [0, 1], folder=tmp_path)
    assert sorted(path.name.split("-")[0] for path in tmp_path.iterdir()) == ["plain", "plain"]
