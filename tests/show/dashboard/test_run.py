"""A run in a process of its own: the same numbers as at home, obedient between updates, gone when nobody listens."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest
import torch
from PIL import Image

from pgcourse import a2c, ppo, reinforce, trpo
from pgcourse.errors import InvalidInput
from pgcourse.returns import gae
from pgcourse.show.dashboard.panels import healthy_ranges, reference_of
from pgcourse.show.dashboard.run import PAUSED, RUNNING, STARTING, STOP, TAKEN, History, Job, RemoteRun, Reporter, work
from pgcourse.show.live.film import film

KERNEL = """
import os, time
from pgcourse import ppo
from pgcourse.show.dashboard.run import RemoteRun
from tests.show.dashboard.test_run import ENDLESS
if __name__ == "__main__":
    run = RemoteRun(ppo.train, ENDLESS, {}, film=False)
    while not run.history.updates:
        run.poll()
        time.sleep(0.01)
    print(run.pid, flush=True)
    os._exit(0)
"""
ENDLESS = replace(ppo.CARTPOLE, total_timesteps=10**9, num_envs=4, num_steps=16, minibatch_size=64, update_epochs=1)
SHORT = replace(ENDLESS, total_timesteps=64 * 20)
UPDATES = 12  # that are compared
PATIENCE = 60.0  # seconds that a busy machine may take to start a process


def wait_for(condition: Callable[[], bool], *runs: RemoteRun, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, [(run.state, run.error) for run in runs]
        for run in runs:
            run.poll()
        time.sleep(0.005)


def test_two_runs_side_by_side_pause_stop_and_give_the_numbers_of_a_run_at_home() -> None:
    before = torch.get_rng_state()
    calls = []  # filled in the other process, not here

    def my_gae(*args: Any, **keywords: Any) -> torch.Tensor:
        calls.append(1)
        return gae(*args, **keywords)

    runs = [RemoteRun(ppo.train, replace(ENDLESS, seed=seed), {"advantage_fn": my_gae}, film=False) for seed in (1, 2)]
    first, second = runs
    assert first.state == STARTING
    wait_for(lambda: all(run.history.updates > 2 for run in runs), *runs)
    first.pause()
    wait_for(lambda: first.state == PAUSED, *runs)
    held, going = first.history.updates, second.history.updates
    wait_for(lambda: second.history.updates > going + 10, *runs)
    assert first.history.updates == held, "a paused run went on, or the other one did not"
    first.resume()
    wait_for(lambda: first.history.updates > held and second.history.updates >= UPDATES, *runs)
    assert first.state == RUNNING
    second.stop()
    wait_for(lambda: first.history.updates >= UPDATES and second.ended, *runs)
    first.pause()
    wait_for(lambda: first.state == PAUSED, *runs)
    os.kill(first.pid or 0, signal.SIGINT)  # what interrupting the kernel does to its processes
    assert first.wait(PATIENCE) and (first.result.interrupted, second.result.interrupted) == (True, False)
    assert (first.stopped, second.stopped) == (False, True)
    for run in runs:
        result, home = run.result, ppo.train(replace(run.config, total_timesteps=64 * UPDATES))
        assert run.error == ""
        for name in ("losses/entropy", "losses/approx_kl", "charts/value_mean"):
            assert np.array_equal(result.metrics[name][:UPDATES], home.metrics[name])
            assert np.array_equal(run.history.metrics[name], result.metrics[name])
        assert np.array_equal(run.history.episodes[1], result.episodes["episodic_return"])
        assert result.policy(torch.zeros(1, 4)).probs.shape == (1, 2) and not alive(run.pid or 0)
    assert calls == [] and torch.equal(before, torch.get_rng_state())


def received(page: Any) -> list[Any]:
    reports = []
    while page.poll():
        reports.append(cloudpickle.loads(page.recv_bytes()))
    return reports


def reports_of(job: Job) -> list[Any]:
    """All that the training process of a job says, without a process."""
    page, worker = Pipe()
    work(worker, cloudpickle.dumps(job))
    return received(page)


def test_an_error_in_a_learners_function_is_said() -> None:
    def broken(*args: Any, **keywords: Any) -> torch.Tensor:
        raise KeyError("no such key")

    (last,) = reports_of(Job(ppo.train, SHORT, {"advantage_fn": broken}, False))
    assert (last.state, last.error, last.result) == ("ended", "KeyError: 'no such key'", None)


def test_a_run_that_diverges_keeps_its_last_good_weights() -> None:
    def wild(*args: Any, **keywords: Any) -> torch.Tensor:
        advantages = gae(*args, **keywords)
        calls.append(1)
        return advantages * (torch.nan if len(calls) > 3 else 1)

    calls: list[int] = []
    *_, last = reports_of(Job(ppo.train, replace(SHORT, normalize_advantages="never"), {"advantage_fn": wild}, True))
    assert "not finite" in last.error or "is nan" in last.error
    assert len(last.result.metrics["losses/entropy"]) == 3
    assert all(bool(weights.isfinite().all()) for weights in last.result.policy.state_dict().values())
    assert last.film is not None


def test_a_process_that_is_killed_is_missed() -> None:
    run = RemoteRun(ppo.train, ENDLESS, {}, film=False)
    os.kill(run.pid or 0, signal.SIGKILL)
    assert run.wait(PATIENCE) and "killed, or out of memory" in run.error
    run.stop()
    run.pause()
    assert run.state == "ended"


@pytest.mark.slow
def test_the_run_ends_with_the_process_that_started_it(tmp_path: Path, repository: Path) -> None:
    script = tmp_path / "kernel.py"
    script.write_text(KERNEL)
    environment = {**os.environ, "PYTHONPATH": str(repository)}
    options: dict[str, Any] = {"capture_output": True, "text": True, "timeout": PATIENCE, "env": environment}
    pid = int(subprocess.run([sys.executable, script], check=True, **options).stdout)
    wait_for(lambda: not alive(pid), seconds=20)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_cannot_be_handed_over_is_refused() -> None:
    lock = threading.Lock()
    with pytest.raises(InvalidInput, match="advantage_fn cannot be handed to the training process"):
        RemoteRun(ppo.train, SHORT, {"advantage_fn": lambda *_, **__: lock}, film=False)


def test_reports_wait_for_an_answer_and_lose_nothing() -> None:
    page, worker = Pipe()
    reporter = Reporter(worker, Job(ppo.train, SHORT, {}, False))
    reporter.last_report = -1e9
    result = ppo.train(SHORT, on_iteration=reporter)
    reporter.end(result, "")
    reports, history = received(page), History()
    assert len(reports) == 2, "nobody answered the first report, so the second is the last"
    for report in reports:
        history.add(report.metrics, report.env_steps, report.returns)
    assert history.updates == 20
    assert np.array_equal(history.metrics["losses/entropy"], result.metrics["losses/entropy"])
    assert np.array_equal(history.episodes[0], result.episodes["env_step"])


def test_an_order_to_stop_is_obeyed_after_the_update() -> None:
    page, worker = Pipe()
    for order in (TAKEN, STOP):
        page.send(order)
    result = ppo.train(SHORT, on_iteration=Reporter(worker, Job(ppo.train, SHORT, {}, False)))
    assert len(result.metrics["losses/entropy"]) == 1


def test_a_film_plays_once_from_a_held_out_start_and_draws_from_no_stream_of_the_caller() -> None:
    before = torch.get_rng_state()
    shot = film(None, "CartPole-v1", seed=0)
    assert torch.equal(before, torch.get_rng_state())
    picture: Any = Image.open(BytesIO(shot.gif))
    assert picture.size == (300, 200) and picture.n_frames > 2
    assert "loop" not in picture.info, "a film that loops cannot be stopped"
    assert shot.total == shot.steps and f"{shot.steps} steps from a held-out start state" in shot.description
    pendulum: Any = Image.open(BytesIO(film(None, "Pendulum-v1", seed=0, steps=9).gif))
    assert pendulum.size == (300, 300)


def test_presets_have_their_measured_curve_behind_them_whatever_the_seed_and_length() -> None:
    for config, study in ((ppo.CARTPOLE, "ppo"), (ppo.PENDULUM, "pendulum"), (a2c.CARTPOLE, "a2c")):
        found = reference_of(replace(config, seed=77, total_timesteps=999_999), {})
        assert found is not None and found.study == study
    assert reference_of(reinforce.CARTPOLE, {}) and reference_of(trpo.CARTPOLE, {})
    assert reference_of(replace(ppo.CARTPOLE, clip_coef=0.19), {}) is None
    assert reference_of(ppo.CARTPOLE, {"advantage_fn": gae}) is None


def test_ranges_are_those_of_the_kind_of_run_and_only_what_means_the_same_everywhere_elsewhere() -> None:
    metrics = ("losses/approx_kl", "losses/entropy", "losses/explained_variance")
    here = healthy_ranges(metrics, "CartPole-v1")
    assert set(here) == set(metrics) and 0 < here["losses/entropy"][0] < here["losses/entropy"][1] < np.log(2)
    assert set(healthy_ranges(metrics, "Acrobot-v1")) == {"losses/approx_kl"}
    assert healthy_ranges(("losses/entropy",), "CartPole-v1") == {}, "REINFORCE has no measured ranges"
