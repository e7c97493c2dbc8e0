"""What travels between the grader and its children: JSON in frames. Nothing is ever unpickled."""

import json
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

MAX_FRAME = 32 * 2**20  # bytes of one message


class BadMessage(ValueError):
    """A message that no honest child sends."""


def plain_text(text: str, longest: int) -> str:
    """Text as a file in UTF-8 can hold it: half a surrogate pair becomes `?`."""
    return text[:longest].encode("utf-8", errors="replace").decode("utf-8")


def send(connection: socket.socket, message: Any) -> None:
    """Send one message. Raises: BadMessage where it is too long."""
    data = json.dumps(message).encode("utf-8")
    if len(data) > MAX_FRAME:
        raise BadMessage(f"a message of {len(data) // 2**20} MB; at most {MAX_FRAME // 2**20} are sent")
    connection.sendall(struct.pack(">I", len(data)) + data)


def receive(connection: socket.socket, *, seconds: float | None = None, more: Callable[[], float] | None = None) -> Any:
    """The next message; None where the other side has closed.

    Args: seconds: how long it is waited for. more: asked when they are over; how many seconds longer, 0 for none.
    Raises: TimeoutError when it is not there, whole, in time; BadMessage for what is no message.
    """
    wait = _Wait(seconds, more)
    head = _exactly(connection, 4, wait)
    if head is None:
        return None
    (length,) = struct.unpack(">I", head)
    if length > MAX_FRAME:
        raise BadMessage(f"a message that calls itself {length} bytes long")
    data = _exactly(connection, length, wait)
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

    def over(self) -> bool:
        seconds = self.more() if self.more else 0.0
        self.deadline = time.monotonic() + seconds
        return seconds <= 0


def _exactly(connection: socket.socket, count: int, wait: _Wait) -> bytes | None:
    parts = bytearray()
    while len(parts) < count:
        connection.settimeout(wait.left())
        try:
            part = connection.recv(min(count - len(parts), 2**20))
        except TimeoutError:
            if wait.over():
                raise
            continue
        except ConnectionError:
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)
