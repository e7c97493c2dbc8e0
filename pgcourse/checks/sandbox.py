"""Run a learner's code without letting it disturb the notebook: time limit, captured output, restored global state.

This protects an honest learner from accidents. It is no barrier against hostile code; the grader uses a process for
that.
"""

from __future__ import annotations

import contextlib
import io
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from types import FrameType

import numpy as np
import torch

from pgcourse.checks.observe import TimeLimit


class BoundedOutput(io.StringIO):
    """Text output that keeps its first 4,000 characters and counts no further."""

    def write(self, text: str) -> int:
        room = 4000 - self.tell()
        if room > 0:
            super().write(str(text)[:room])
        return len(text)


@contextlib.contextmanager
def preserved_state() -> Iterator[None]:
    """Plain torch defaults inside; afterwards the caller's generators, dtype, gradient mode and limits are back."""
    torch_state, python_state = torch.get_rng_state(), random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002 - the global generator is what must be restored
    try:
        with preserved_settings():
            yield
    finally:
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)


@contextlib.contextmanager
def preserved_settings() -> Iterator[None]:
    """As `preserved_state`, but for the generators: for who seeds them anew each time."""
    dtype, device, threads = torch.get_default_dtype(), torch.get_default_device(), torch.get_num_threads()
    gradients, anomaly = torch.is_grad_enabled(), torch.is_anomaly_enabled()
    float_errors, recursion = np.geterr(), sys.getrecursionlimit()
    if dtype != torch.float32:
        torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    # Several threads are slower on tensors this small, and on a busy machine many times slower.
    torch.set_num_threads(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(device)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        torch.set_grad_enabled(gradients)
        torch.autograd.set_detect_anomaly(anomaly)
        np.seterr(**float_errors)
        sys.setrecursionlimit(recursion)


@contextlib.contextmanager
def captured_output() -> Iterator[BoundedOutput]:
    """What the attempt prints, its beginning at least; nothing of it reaches the notebook by itself."""
    output = BoundedOutput()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        yield output


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[Callable[[], None]]:
    """Raise `TimeLimit` inside after `seconds`, where signals allow it (main thread, not on Windows); else no limit.

    What it gives starts the clock anew: with it, the limit holds from one call to the next.

    The alarm comes again every half second, so that a bare `except:` in a loop does not swallow it for good. A real
    Ctrl-C (or the notebook's stop button) is let through at the end even if the attempt caught it.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield lambda: None
        return
    armed, pressed = True, False
    alarm, interrupt = signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)
    started = time.monotonic()

    def on_alarm(number: int, frame: FrameType | None) -> None:
        if armed:
            raise TimeLimit

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        if callable(interrupt):
            interrupt(number, frame)

    delay, interval = signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, on_alarm)
    signal.signal(signal.SIGINT, on_interrupt)
    _set_clock(seconds)
    try:
        yield lambda: _set_clock(seconds)
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm if alarm is not None else signal.SIG_DFL)
        signal.signal(signal.SIGINT, interrupt if interrupt is not None else signal.SIG_DFL)
        if delay:
            signal.setitimer(signal.ITIMER_REAL, max(delay - (time.monotonic() - started), 0.001), interval)
        if pressed:
            raise KeyboardInterrupt


def _set_clock(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
