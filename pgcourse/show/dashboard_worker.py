"""The training process of a dashboard: trains, reports, and listens to the buttons between updates.

A process and not a thread: training draws from torch's one global random stream, and so do the learner's cells and any
other dashboard. Side by side in one process they would change each other's numbers.
"""

import contextlib
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import cloudpickle

from ..training import Progress, TrainingDiverged
from .dashboard_film import Film, film

REPORT_SECONDS = 0.2  # between two reports
FILM_SECONDS = 2.0  # between two films, and longer where they would cost more than their share
FILM_SHARE = 0.03  # of the training time
FULL_LENGTH = 4.0  # times the cost of the random agent's film, which ends after some 20 steps of CartPole
PAUSE_LOOK = 0.02  # seconds between two looks for an order while paused

PAUSE, RESUME, STOP, TAKEN = "pause", "resume", "stop", "taken"  # what the page may say; TAKEN: the last report arrived


class Job(NamedTuple):
    """What to train."""

    train: Callable[..., Any]
    config: Any
    seams: Mapping[str, Any]
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
                if self.connection.poll(PAUSE_LOOK):
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
            result = job.train(job.config, on_iteration=reporter, **job.seams)
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
