"""What travels between the grader and its children: JSON in frames. Nothing is ever unpickled."""

import json
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

MAX_FRAME = 32 * 2**20  # bytes of one message
MAX_PARTS = 2 * 10**6  # lists, tables and entries of one message: each costs some fifty bytes here


class BadMessage(ValueError):
    """A message that no honest child sends."""


def plain_text(text: str, longest: int, *, lines: bool = False) -> str:
    """Text as a file in UTF-8 can hold it, and a person read it: what cannot be printed becomes `?`.

    Args: lines: leave ends of lines and tabulators as they are; else they become blanks.
    """
    if len(text) <= longest and text.isprintable():  # as nearly all is; letter by letter takes thirty times as long
        return text
    kept = "\n\t" if lines else ""
    shown = "".join(c if c.isprintable() or c in kept else " " if c in "\n\t" else "?" for c in text[:longest])
    return shown.encode("utf-8", errors="replace").decode("utf-8")


def send(connection: socket.socket, message: Any) -> None:
    """Send one message. Raises: BadMessage where it is too long."""
    data = json.dumps(message).encode("utf-8")
    if len(data) > MAX_FRAME:
        raise BadMessage(f"a message of {len(data) // 2**20} MB; at most {MAX_FRAME // 2**20} are sent")
    connection.sendall(struct.pack(">I", len(data)) + data)


def receive(
    connection: socket.socket,
    *,
    seconds: float | None = None,
    more: Callable[[], float] | None = None,
    most: int = MAX_FRAME,
) -> Any:
    """The next message; None where the other side has closed.

    Args: seconds: how long it is waited for. more: asked when they are over; how many seconds longer, 0 for none. most:
    bytes that it may have.
    Raises: TimeoutError when it is not there, whole, in time; BadMessage for what is no message.
    """
    wait = _Wait(seconds, more)
    head = _exactly(connection, 4, wait)
    if head is None:
        return None
    (length,) = struct.unpack(">I", head)
    if length > most:
        raise BadMessage(f"a message that calls itself {length} bytes long")
    data = _exactly(connection, length, wait)
    if data is not None and data.count(b"[") + data.count(b"{") + data.count(b",") > MAX_PARTS:
        raise BadMessage("a message of too many parts")
    try:
        return None if data is None else json.loads(data)
    except (ValueError, RecursionError):
        raise BadMessage("a message that is no JSON") from None


class _Wait:
    def __init__(self, seconds: float | None, more: Callable[[], float] | None) -> None:
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.more = more

    def left(self) -> float | None:
        # At least a little: what has already arrived is read, however late we come.
        return None if self.deadline is None else max(self.deadline - time.monotonic(), 0.001)

    def check(self) -> None:
        """Raises: TimeoutError where the time is over, and no more of it is given."""
        if self.deadline is not None and time.monotonic() >= self.deadline:
            seconds = self.more() if self.more else 0.0
            if seconds <= 0:
                raise TimeoutError
            self.deadline = time.monotonic() + seconds


def _exactly(connection: socket.socket, count: int, wait: _Wait) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        connection.settimeout(wait.left())
        try:
            part = connection.recv(min(count - len(parts), 2**20))
        except TimeoutError:
            wait.check()
            continue
        except ConnectionError:
            return None
        if not part:
            return None
        parts += part
        if len(parts) < count:  # who sends a byte now and then is late all the same
            wait.check()
    return bytes(parts)
