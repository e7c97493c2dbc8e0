"""A training run in a process of its own: what it reports, the orders it obeys, and its numbers so far."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any, NamedTuple, Self

import cloudpickle
import numpy as np
from numpy.typing import NDArray

from ...config import Config
from ...errors import InvalidInput
from ...study.diagnose import diagnose
from ...study.workers import ONE_THREAD
from ...training import Progress, TrainingDiverged
from ..live.film import Film, film

REPORT_SECONDS = 0.2  # between two reports
FILM_SECONDS = 2.0  # between two films, and longer where they would cost more than their share
FILM_SHARE = 0.03  # of the training time
FULL_LENGTH = 4.0  # times the cost of the random agent's film, which ends after some 20 steps of CartPole
PAUSED_POLL_INTERVAL_S = 0.02
PAUSE, RESUME, STOP, TAKEN = "pause", "resume", "stop", "taken"  # what the page may say; TAKEN: the last report arrived
STARTING, RUNNING, PAUSING, PAUSED, STOPPING, ENDED = "starting", "running", "pausing", "paused", "stopping", "ended"


class History:
    """All numbers of a run so far, in the form of a Result."""

    def __init__(self) -> None:
        self._metrics: dict[str, list[float]] = {}
        self._env_steps: list[int] = []
        self._returns: list[float] = []
        self.rung: dict[str, int] = {}  # alarm -> environment step at which it was first seen to ring

    @classmethod
    def of(cls, result: Any) -> Self:
        """All of a finished run, its Result or Run."""
        history = cls()
        metrics = {name: numbers.tolist() for name, numbers in result.metrics.items()}
        history.add(metrics, result.episodes["env_step"].tolist(), result.episodes["episodic_return"].tolist())
        return history

    def add(self, metrics: Mapping[str, list[float]], env_steps: Any, returns: Any) -> None:
        """Append what a report brings."""
        for name, numbers in metrics.items():
            self._metrics.setdefault(name, []).extend(numbers)
        self._env_steps.extend(env_steps)
        self._returns.extend(returns)

    @property
    def metrics(self) -> dict[str, NDArray[np.float64]]:
        """Name -> one number an update, [U]."""
        return {name: np.array(numbers) for name, numbers in self._metrics.items()}

    @property
    def episodes(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Environment step at the end of each episode, and its return, [E] each."""
        return np.array(self._env_steps, dtype=np.int64), np.array(self._returns, dtype=np.float64)

    @property
    def updates(self) -> int:
        """Updates so far."""
        return len(self._metrics.get("charts/env_step", ()))

    @property
    def env_step(self) -> int:
        """Environment steps so far."""
        return int(self._metrics["charts/env_step"][-1]) if self.updates else 0

    def recent_return(self, window: int = 100) -> float | None:
        """Mean return of the last episodes; None before the first has ended."""
        return float(np.mean(self._returns[-window:])) if self._returns else None

    def look_for_alarms(self) -> None:
        """Note the alarms that ring now."""
        for alarm in diagnose(self.metrics) if self.updates else ():
            self.rung.setdefault(alarm, self.env_step)


class Job(NamedTuple):
    """What to train."""

    train: Callable[..., Any]
    config: Config
    parts: Mapping[str, Any]
    film: bool


class Report(NamedTuple):
    """What is new since the last report."""

    state: str  # "starting", "running", "paused" or "ended"
    seconds: float = 0.0  # training time so far, without what the dashboard takes
    shown_seconds: float = 0.0  # what reports and films have taken of it so far
    metrics: Mapping[str, list[float]] = {}  # name -> numbers of the new updates
    env_steps: tuple[int, ...] = ()  # of the new episodes
    returns: tuple[float, ...] = ()  # of the new episodes
    film: Film | None = None
    result: Any = None
    error: str = ""


class Stopped(Exception):
    """The page is gone."""


class Reporter:
    """`on_iteration` of the run."""

    def __init__(self, connection: Connection, job: Job) -> None:
        self.connection, self.job = connection, job
        self.waiting: dict[str, list[float]] = {}
        self.sent_episodes = 0
        self.answered = True
        self.paused = self.stopping = self.interrupted = False
        self.shown_seconds = self.film_seconds = 0.0
        self.film_cost = 0.0
        self.last_report = self.last_film = time.perf_counter()
        self.progress: Progress | None = None

    def __call__(self, progress: Progress) -> bool:
        start = time.perf_counter()
        self.progress = progress
        for name, number in progress.metrics.items():
            self.waiting.setdefault(name, []).append(number)
        self._listen()
        shot = self._film_when_due(progress, start)
        if shot is not None or (self.answered and start - self.last_report >= REPORT_SECONDS):
            self._send("running", film=shot)
        self.shown_seconds += time.perf_counter() - start
        if self.paused and not self.stopping:
            self._send("paused")
            self._wait()
        return self.stopping

    def film_random_agent(self) -> None:
        """What there is to see before the first update. What a film costs, per picture, is learnt here."""
        film(None, self.job.config.env_id, seed=0)
        start = time.perf_counter()
        shot = film(None, self.job.config.env_id, seed=0)
        self.film_cost = FULL_LENGTH * (time.perf_counter() - start)
        self._send("starting", film=shot)

    def end(self, result: Any, error: str) -> None:
        """The last report, with everything that is still waiting."""
        shot = None
        if self.job.film and result is not None:
            with contextlib.suppress(Exception):
                shot = film(result.policy, self.job.config.env_id, seed=0)
        self._send("ended", film=shot, result=result, error=error)

    def _film_when_due(self, progress: Progress, now: float) -> Film | None:
        affordable = self.film_seconds + self.film_cost <= FILM_SHARE * progress.seconds
        if not self.job.film or now - self.last_film < FILM_SECONDS or not affordable:
            return None
        shot = film(progress.policy, self.job.config.env_id, seed=0)
        self.last_film = time.perf_counter()
        self.film_seconds += self.last_film - now
        self.film_cost = max(self.film_cost, self.last_film - now)
        return shot

    def _listen(self) -> None:
        while self.connection.poll():
            self._obey(self._receive())

    def _obey(self, order: str) -> None:
        self.answered |= order == TAKEN
        self.stopping |= order == STOP
        self.paused = order == PAUSE or (self.paused and order != RESUME)

    def _wait(self) -> None:
        """Until the page says to go on. An interrupt of the kernel reaches this process too, and ends the run."""

        def interrupted(*_: object) -> None:
            self.stopping = self.interrupted = True

        before = signal.signal(signal.SIGINT, interrupted)
        try:
            while self.paused and not self.stopping:
                if self.connection.poll(PAUSED_POLL_INTERVAL_S):
                    self._obey(self._receive())
        finally:
            signal.signal(signal.SIGINT, before)

    def _receive(self) -> str:
        try:
            return str(self.connection.recv())
        except (EOFError, OSError):
            raise Stopped from None

    def _send(self, state: str, **more: Any) -> None:
        progress, steps, returns = self.progress, (), ()
        if progress is not None:
            new = progress.episodes[self.sent_episodes :]
            self.sent_episodes = len(progress.episodes)
            steps, returns = tuple(new["env_step"].tolist()), tuple(new["episodic_return"].tolist())
        seconds = progress.seconds if progress is not None else 0.0
        report = Report(state, seconds, self.shown_seconds, self.waiting, steps, returns, **more)
        self.waiting, self.answered, self.last_report = {}, False, time.perf_counter()
        try:
            self.connection.send_bytes(cloudpickle.dumps(report))
        except OSError:
            raise Stopped from None


def work(connection: Connection, content: bytes) -> None:
    """Main of the process. Args: content: a Job, pickled with the learner's own functions in it."""
    with contextlib.suppress(Stopped, KeyboardInterrupt):
        job: Job = cloudpickle.loads(content)
        reporter = Reporter(connection, job)
        result, error = None, ""
        try:
            # The first film also loads what drawing needs, before the clock of the training runs.
            if job.film:
                reporter.film_random_agent()
            result = job.train(job.config, on_iteration=reporter, **job.parts)
            if reporter.interrupted:
                result = replace(result, interrupted=True)
        except TrainingDiverged as diverged:
            result, error = diverged.result, str(diverged)
        except KeyboardInterrupt:
            error = "interrupted before the first update was done"
        except Stopped:
            raise
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
        reporter.end(result, error)


class RemoteRun:
    """A run that trains beside this process. It ends with this process, whatever ends that.

    Args: train: of an algorithm. parts: what to replace in it, functions of the notebook among them. film: whether the
    agent is filmed on the way. Raises: InvalidInput for parts that cannot be handed over.
    """

    def __init__(
        self, train: Callable[..., Any], config: Config, parts: Mapping[str, Any], *, film: bool = True
    ) -> None:
        self.config = config
        try:
            content = cloudpickle.dumps(Job(train, config, dict(parts), film))
        except Exception as error:
            raise InvalidInput(
                f"{', '.join(parts) or 'the run'} cannot be handed to the training process ({type(error).__name__}: "
                f"{error}); use plain functions and networks, or call train yourself"
            ) from None
        self.state, self.history = STARTING, History()
        self.seconds = self.shown_seconds = 0.0
        self.film: Film | None = None
        self.stopped = False  # whether it was told to stop
        self.result: Any = None
        self.error = ""
        self._lock = threading.RLock()
        context = multiprocessing.get_context("spawn")  # a fork would copy the kernel's threads' locks
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, content), daemon=True)
        missing = {name: value for name, value in ONE_THREAD.items() if name not in os.environ}
        os.environ.update(missing)  # read when the process loads its libraries
        try:
            self._process.start()
        finally:
            for name in missing:
                del os.environ[name]
        theirs.close()

    @property
    def ended(self) -> bool:
        """Whether the process is done, one way or another."""
        return self.state == ENDED

    @property
    def pid(self) -> int | None:
        """Of the process."""
        return self._process.pid

    def pause(self) -> None:
        """Hold after the present update."""
        if self.state in (STARTING, RUNNING):
            self._order(PAUSE, PAUSING)

    def resume(self) -> None:
        """Go on."""
        if self.state in (PAUSING, PAUSED):
            self._order(RESUME, RUNNING)

    def stop(self) -> None:
        """End after the present update, and keep what there is."""
        if not self.ended:
            self.stopped = True
            self._order(STOP, STOPPING)

    def poll(self) -> bool:
        """Take in what has arrived, without waiting. Returns: whether anything has."""
        with self._lock:
            news = False
            try:
                while not self.ended and self._connection.poll():
                    self._take(cloudpickle.loads(self._connection.recv_bytes()))
                    news = True
            except (EOFError, OSError):
                self._lose()
                news = True
            except Exception as problem:  # of a learner's class that cannot be brought back, for example
                self.error = f"its report cannot be read: {type(problem).__name__}: {problem}"
                self.kill()
                news = True
            return news

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end. Args: seconds: at most; None waits as long as it takes. Returns: whether it has ended."""
        end = time.monotonic() + seconds if seconds is not None else None
        while not self.ended and (end is None or time.monotonic() < end):
            if not self.poll():
                time.sleep(0.02)
        return self.ended

    def kill(self) -> None:
        """End the process at once; what it had is lost. For a run that does not answer."""
        with self._lock:
            if not self.ended:
                self._process.kill()
                self._lose()

    def _order(self, word: str, state: str) -> None:
        with self._lock:
            self.state = state
            try:
                self._connection.send(word)
            except OSError:
                self._lose()

    def _take(self, report: Report) -> None:
        self.history.add(report.metrics, report.env_steps, report.returns)
        self.seconds, self.shown_seconds = max(report.seconds, self.seconds), report.shown_seconds
        self.film = report.film or self.film
        if report.state == "ended":
            self.result, self.error, self.state = report.result, report.error, ENDED
            self._close()
            return
        # An order that is on its way counts more than what was before it.
        if report.state == "paused" and self.state == PAUSING:
            self.state = PAUSED
        elif report.state == "running" and self.state == STARTING:
            self.state = RUNNING
        self._connection.send(TAKEN)

    def _lose(self) -> None:
        """The process is gone without a last word."""
        if not self.ended:
            self.state = ENDED
            self.error = self.error or "the training process has ended without a word: killed, or out of memory"
            self._close()

    def _close(self) -> None:
        self._connection.close()
        self._process.join(timeout=5)
