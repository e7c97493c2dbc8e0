"""Run jobs in parallel, in processes of this machine or on a Dask cluster; results in order of completion."""

import contextlib
import sys
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

CONNECT_SECONDS = 20  # to a scheduler
ATTEMPTS = 3  # processes that a job may cost before it is given up
# One thread each: small networks gain nothing from more, and the processes would take each other's cores.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run_jobs(function: Callable[[J], R], jobs: Sequence[J], *, num_workers: int, dask: str | None) -> Finished[R]:
    """`function` of every job, as (index, result) in order of completion: here, in processes, or on a Dask cluster."""
    if dask is not None and jobs:
        return on_cluster(function, jobs, dask)
    if num_workers == 1:
        return ((index, function(job)) for index, job in enumerate(jobs))
    return in_processes(function, jobs, num_workers)


def in_processes(function: Callable[[J], R], jobs: Sequence[J], num_workers: int) -> Finished[R]:
    """As `run_jobs`, in processes of this machine.

    Each is a pool of its own: in a pool of several, the death of one ends them all. So a process that dies (killed, or
    out of memory) costs its own job alone, which a fresh one repeats. Raises: InvalidInput when that happens to the
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
                    lost[index] += 1
                    if lost[index] == ATTEMPTS:
                        raise InvalidInput(
                            f"{jobs[index]}: its process died {ATTEMPTS} times; look whether the memory suffices for "
                            f"{num_workers} workers, or use fewer"
                        )
                    tqdm.write(f"{jobs[index]}: its process died; a fresh one repeats it", file=sys.stderr)
                    idle.append(_process())
                    waiting.appendleft(index)
                    continue
                idle.append(process)
                yield index, future.result()
    finally:
        for process in [*idle, *(process for process, _ in busy.values())]:
            process.shutdown(kill_workers=True)


def _process() -> Any:
    return ProcessPoolExecutor(max_workers=1, env=ONE_THREAD)


def on_cluster(function: Callable[[J], R], jobs: Sequence[J], address: str) -> Finished[R]:
    """As `run_jobs`, on the workers of a Dask scheduler, which gives the job of a worker that dies to another one.

    Not through joblib's Dask backend: that waits for ever where a job has ended so many workers that the scheduler
    gives it up. Raises: InvalidInput where Dask is missing, nothing answers at the address, or it has no worker, before
    anything is handed out; later where a job is given up, or the scheduler goes away; whatever `function` raises.
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
    return _gathered(client, function, jobs, address)


def _gathered(client: Any, function: Callable[[J], R], jobs: Sequence[J], address: str) -> Finished[R]:
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    with contextlib.closing(client):
        indices = {client.submit(function, job, pure=False): index for index, job in enumerate(jobs)}
        for future in as_completed(list(indices), loop=client.loop):
            try:
                yield indices[future], future.result()
            except KilledWorker as error:
                raise InvalidInput(
                    f"{jobs[indices[future]]}: it ended every worker that tried it; look at their logs and memory"
                ) from error
            except CancelledError as error:
                raise InvalidInput(
                    f"the scheduler at {address} went away; finished runs are kept where asked"
                ) from error
