"""Jobs side by side: a process that dies costs its own job, and no more than a few times."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pgcourse.errors import InvalidInput
from pgcourse.study.workers import ATTEMPTS, in_processes, on_cluster, run_jobs

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills processes")


def note(job: tuple[Path, str]) -> str:
    """Append a line to a log; "die" ends the process at its first try, "doomed" at each."""
    log, kind = job
    before = log.read_text().split() if log.exists() else []
    with log.open("a") as file:
        file.write(f"{kind}\n")
    if kind == "doomed" or (kind == "die" and kind not in before):
        # Not before the job beside it has begun: it must outlive this process.
        while kind == "die" and "slow" not in log.read_text().split():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "slow":
        while log.read_text().split().count("die") < 2:  # until the other has been repeated
            time.sleep(0.05)
    return kind


def fail(job: int) -> int:
    raise ValueError(f"job {job} cannot be done")


def test_a_process_that_dies_costs_its_own_job_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    jobs = [(log, kind) for kind in ("die", "slow", "quick")]
    assert dict(in_processes(note, jobs, 2)) == {0: "die", 1: "slow", 2: "quick"}
    assert Counter(log.read_text().split()) == {"die": 2, "slow": 1, "quick": 1}
    assert capfd.readouterr().err.count("its process died; a fresh one repeats it") == 1


def test_a_job_that_ends_every_process_is_given_up_in_one_line(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(InvalidInput, match=f"its process died {ATTEMPTS} times; look whether the memory suffices"):
        list(in_processes(note, [(log, "doomed")], 2))
    assert log.read_text().split() == ["doomed"] * ATTEMPTS


def test_where_asked_a_job_that_is_given_up_has_a_result_and_the_others_go_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    jobs = [(log, kind) for kind in ("doomed", "quick", "quick")]
    results = in_processes(note, jobs, 1, lambda error: type(error).__name__)
    assert dict(results) == {0: "WorkersDied", 1: "quick", 2: "quick"}


@pytest.mark.parametrize("num_workers", [1, 2])
def test_what_a_job_raises_is_raised_here(num_workers: int) -> None:
    with pytest.raises(ValueError, match="job 7 cannot be done"):
        list(run_jobs(fail, [7], num_workers=num_workers, dask=None))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://here", "127.0.0.1:1"])
def test_a_scheduler_that_is_not_there_is_told_in_one_line(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("pgcourse.study.workers.CONNECT_SECONDS", 1)
    with pytest.raises(InvalidInput, match=r"no Dask scheduler answers at .*start one with `dask scheduler`"):
        list(on_cluster(fail, [1], address))


def wait_for_ever(log: Path) -> None:
    log.write_text(str(os.getpid()))
    time.sleep(600)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks into /proc")
def test_where_the_parent_is_killed_its_workers_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = f"from pathlib import Path\nfrom {__name__} import *\nlist(in_processes(wait_for_ever, [Path({str(log)!r})], 2))"
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    until(lambda: log.exists() and log.read_text())
    parent.kill()
    parent.wait()
    until(lambda: not alive(int(log.read_text())))


def until(done: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
