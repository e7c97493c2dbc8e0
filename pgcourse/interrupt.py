"""Stopping at a safe moment."""

import signal
import threading
from types import FrameType
from typing import Any, Self


class Interrupt:
    """Turns Ctrl-C (in a notebook: ■) into a wish to stop at the next safe moment; the second one stops at once.

    Outside the main thread Python delivers no interrupts, and nothing is changed.
    """

    def __init__(self) -> None:
        self.requested = False
        self._previous: Any = None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
