"""A training run in another process, as the page sees it: orders go out, numbers come in."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import cloudpickle

from ..errors import InvalidInput
from ..study.workers import ONE_THREAD
from .dashboard_film import Film
from .dashboard_history import History
from .dashboard_worker import PAUSE, RESUME, STOP, TAKEN, Job, Report, work

STARTING, RUNNING, PAUSING, PAUSED, STOPPING, ENDED = "starting", "running", "pausing", "paused", "stopping", "ended"


class RemoteRun:
    """A run that trains beside this process. It ends with this process, whatever ends that.

    Args: train: of an algorithm. seams: its keyword arguments, functions of the notebook among them. film: whether the
    agent is filmed on the way. Raises: InvalidInput for seams that cannot be handed over.
    """

    def __init__(self, train: Callable[..., Any], config: Any, seams: Mapping[str, Any], *, film: bool = True) -> None:
        self.config = config
        try:
            content = cloudpickle.dumps(Job(train, config, dict(seams), film))
        except Exception as error:
            raise InvalidInput(
                f"{', '.join(seams) or 'the run'} cannot be handed to the training process ({type(error).__name__}: "
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
