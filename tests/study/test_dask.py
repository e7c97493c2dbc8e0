"""The same study on a cluster: a real scheduler and two worker processes, one of which is killed half-way."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pgcourse import reinforce
from pgcourse.errors import InvalidInput
from pgcourse.study.seeds import run_seeds
from pgcourse.study.workers import on_cluster

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

PATIENCE = 300  # seconds for processes that import everything, on a machine with other work


class Cluster:
    """A scheduler on a free port of the loopback device, and worker processes of one thread each."""

    def __init__(self, folder: Path, repository: Path, num_workers: int, **variables: str) -> None:
        self.folder = folder
        self.environment = os.environ | {"PYTHONPATH": str(repository), "OMP_NUM_THREADS": "1"} | variables
        self.processes: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        self.start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        self.address = json.loads(wait_for(lambda: file.exists() and file.read_text()))["address"]
        worker = "dask_worker", self.address, "--nthreads", "1", "--no-nanny"
        self.workers = [self.start(*worker) for _ in range(num_workers)]

    def start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{program}-{len(self.processes)}.log").open("wb")
        command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments, "--no-dashboard"]
        process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def wait_for_workers(self) -> None:
        from distributed import Client

        with Client(self.address, timeout=PATIENCE, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=PATIENCE)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait(timeout=60)


def wait_for(condition: Callable[[], object]) -> str:
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return str(value)


@pytest.fixture
def cluster(tmp_path: Path, repository: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    number, variables = getattr(request, "param", (2, {}))
    made = Cluster(tmp_path, repository, number, **variables)
    try:
        if made.workers:
            made.wait_for_workers()
        yield made
    finally:
        made.stop()


def test_a_study_on_a_cluster_survives_the_death_of_a_worker(cluster: Cluster, tmp_path: Path) -> None:
    configs, seeds = {"plain": replace(reinforce.CARTPOLE_NO_BASELINE, num_episodes=40)}, range(8)
    killed: list[int] = []

    def kill_the_first(name: str, run: object) -> None:
        """Half-way: both workers have begun their next run by now, or are about to."""
        killed.append(len(killed))
        if len(killed) == 4:
            cluster.workers[0].send_signal(signal.SIGKILL)

    options = {"folder": tmp_path / "runs", "on_run": kill_the_first, "progress": False}
    runs = run_seeds(configs, seeds, dask=cluster.address, **options)["plain"]
    assert cluster.workers[0].wait(timeout=60) == -signal.SIGKILL and cluster.workers[1].poll() is None
    # What a killed worker was writing is a hidden file of another name.
    assert len(list((tmp_path / "runs").glob("*.npz"))) == 8
    for run, expected in zip(runs, run_seeds(configs, seeds, progress=False)["plain"], strict=True):
        assert run.seed == expected.seed
        np.testing.assert_array_equal(run.episodes["length"], expected.episodes["length"])
        np.testing.assert_array_equal(run.metrics["losses/policy_loss"], expected.metrics["losses/policy_loss"])


@pytest.mark.parametrize("cluster", [(0, {})], indirect=True)
def test_a_scheduler_without_workers_is_told_in_one_line(cluster: Cluster) -> None:
    with pytest.raises(InvalidInput, match=r"has no workers; start some: dask worker tcp://.* --nthreads 1"):
        list(on_cluster(abs, [1], cluster.address))


@pytest.mark.parametrize("cluster", [(1, {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"})], indirect=True)
def test_a_job_that_ends_its_workers_is_given_up_in_one_line(cluster: Cluster) -> None:
    with pytest.raises(InvalidInput, match="1: it ended every worker that tried it; look at their logs and memory"):
        list(on_cluster(os._exit, [1], cluster.address))


@pytest.mark.parametrize("cluster", [(2, {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"})], indirect=True)
def test_where_asked_such_a_job_has_a_result(cluster: Cluster) -> None:
    assert dict(on_cluster(os._exit, [1], cluster.address, lambda error: None)) == {0: None}
