"""Run jobs in parallel, in processes of this machine or on a Dask cluster; results in order of completion."""

import contextlib
import os
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from joblib.externals.loky import ProcessPoolExecutor
from tqdm.auto import tqdm

from ..errors import InvalidInput

J = TypeVar("J")
R = TypeVar("R")
Finished = Generator[tuple[int, R], None, None]
Failed = Callable[[Exception], R]

CONNECT_SECONDS = 20  # to a scheduler
ATTEMPTS = 3  # processes that a job may cost before it is given up
# One thread each: small networks gain nothing from more, and the processes would take each other's cores.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class WorkersDied(InvalidInput):
    """A job has ended every process that tried it."""


def run_jobs(
    function: Callable[[J], R],
    jobs: Sequence[J],
    *,
    num_workers: int,
    dask: str | None,
    failed: Failed[R] | None = None,
) -> Finished[R]:
    """`function` of every job, as (index, result) in order of completion: here, in processes, or on a Dask cluster.

    Args: failed: gives the result of a job that is given up, from its WorkersDied; without it that is raised.
    """
    if dask is not None and jobs:
        return on_cluster(function, jobs, dask, failed)
    if num_workers == 1:
        return ((index, function(job)) for index, job in enumerate(jobs))
    return in_processes(function, jobs, num_workers, failed)


def in_processes(
    function: Callable[[J], R], jobs: Sequence[J], num_workers: int, failed: Failed[R] | None = None
) -> Finished[R]:
    """As `run_jobs`, in processes of this machine.

    Each is a pool of its own: in a pool of several, the death of one ends them all. So a process that dies (killed, or
    out of memory) costs its own job alone, which a fresh one repeats. Raises: WorkersDied when that happens to the
    same job again and again; whatever `function` raises.
    """
    waiting, lost = deque(range(len(jobs))), Counter[int]()
    idle = [_process() for _ in range(min(num_workers, len(jobs)))]
    busy: dict[Future[R], tuple[Any, int]] = {}
    try:
        while waiting or busy:
            while waiting and idle:
                process, index = idle.pop(), waiting.popleft()
                try:
                    busy[process.submit(function, jobs[index])] = (process, index)
                except BrokenProcessPool:  # it died while it had nothing to do
                    process.shutdown(kill_workers=True)
                    idle.append(_process())
                    waiting.appendleft(index)
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                process, index = busy.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    process.shutdown(kill_workers=True)
                    idle.append(_process())
                    lost[index] += 1
                    if lost[index] == ATTEMPTS:
                        error = WorkersDied(
                            f"{jobs[index]}: its process died {ATTEMPTS} times; look whether the memory suffices for "
                            f"{num_workers} workers, or use fewer"
                        )
                        yield index, _given_up(error, failed)
                        continue
                    tqdm.write(f"{jobs[index]}: its process died; a fresh one repeats it", file=sys.stderr)
                    waiting.appendleft(index)
                    continue
                idle.append(process)
                yield index, future.result()
    finally:
        for process in [*idle, *(process for process, _ in busy.values())]:
            process.shutdown(kill_workers=True)


def _given_up(error: WorkersDied, failed: Failed[R] | None) -> R:
    if failed is None:
        raise error
    tqdm.write(str(error), file=sys.stderr)
    return failed(error)


def _process() -> Any:
    return ProcessPoolExecutor(max_workers=1, env=ONE_THREAD, initializer=_end_with, initargs=(os.getpid(),))


def _end_with(parent: int) -> None:
    """Let this process end, whatever it does, when the one that started it has: who is killed tells nobody.

    Args: parent: its process id.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    if os.name == "posix":  # elsewhere a process is never handed to another parent
        threading.Thread(target=watch, daemon=True).start()


def on_cluster(
    function: Callable[[J], R], jobs: Sequence[J], address: str, failed: Failed[R] | None = None
) -> Finished[R]:
    """As `run_jobs`, on the workers of a Dask scheduler, which gives the job of a worker that dies to another one.

    Not through joblib's Dask backend: that waits for ever where a job has ended so many workers that the scheduler
    gives it up. Raises: InvalidInput where Dask is missing, nothing answers at the address, or it has no worker, before
    anything is handed out, and later where the scheduler goes away; WorkersDied where a job is given up; whatever
    `function` raises.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise InvalidInput('Dask is not installed; pip install -e ".[dask]"') from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInput(
            f"no Dask scheduler answers at {address!r}; start one with `dask scheduler`, and give the address that it "
            "prints, such as tcp://127.0.0.1:8786"
        ) from error
    if not client.ncores():
        client.close()
        raise InvalidInput(f"the scheduler at {address} has no workers; start some: dask worker {address} --nthreads 1")
    return _gathered(client, function, jobs, address, failed)


def _gathered(
    client: Any, function: Callable[[J], R], jobs: Sequence[J], address: str, failed: Failed[R] | None
) -> Finished[R]:
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    with contextlib.closing(client):
        indices = {client.submit(function, job, pure=False): index for index, job in enumerate(jobs)}
        for future in as_completed(list(indices), loop=client.loop):
            index = indices[future]
            try:
                yield index, future.result()
            except KilledWorker:
                said = f"{jobs[index]}: it ended every worker that tried it; look at their logs and memory"
                yield index, _given_up(WorkersDied(said), failed)
            except CancelledError as error:
                raise InvalidInput(
                    f"the scheduler at {address} went away; finished runs are kept where asked"
                ) from error
