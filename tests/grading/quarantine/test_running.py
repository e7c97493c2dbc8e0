"""What the grader says of a child, from the messages that it sent."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from pgcourse.grading.quarantine import running
from pgcourse.grading.quarantine.process import Limits
from pgcourse.grading.quarantine.reader.cells import Cell

JOB = running.Job("anna", "01_a", (Cell("8", "", "x = (", 8),), {}, {}, (), {}, {}, {}, Limits())
START, END = {"event": "start", "id": "8"}, {"event": "end", "error": []}
READY = {"event": "ready"}


class Child:
    """Sends these messages, then closes its end."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.messages, self.ended = iter(messages), {"status": -9, "seconds": 0.1}

    def send(self, message: Any) -> None: ...

    def begun(self) -> None: ...

    def receive(self, most: int) -> Any:
        return next(self.messages, None)


class Zygote:
    facts = {"why_not": ""}

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.messages = messages

    @contextlib.contextmanager
    def child(self) -> Iterator[Child]:
        yield Child(self.messages)


def collected(*messages: dict[str, Any], job: running.Job = JOB) -> running.Collected:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "zygote", lambda *_: Zygote([*messages]))
        return running.collect(job)


def test_the_line_of_a_syntax_error_is_said_once() -> None:
    error = ["SyntaxError", "'(' was never closed (<cell 8>, line 1)", "1"]
    result = collected(START, END | {"error": error}, READY)
    assert result.cell_errors == {"8": "raised SyntaxError: '(' was never closed (line 1)"}


def test_who_dies_after_all_came_back_has_no_cell_to_blame() -> None:
    result = collected(START, END | {"error": []})
    assert (result.cell_errors, result.starts) == ({}, 1)


def test_who_dies_in_a_cell_has_that_cell_named() -> None:
    assert list(collected(START).cell_errors) == ["8"]


@pytest.mark.parametrize(
    "message",
    [{"event": "broken", "text": "no walls"}, {"event": "start", "id": "8"}, [], {"event": "case"}],
    ids=["broken", "again", "no table", "case"],
)
def test_what_no_honest_child_says_is_nonsense(message: Any) -> None:
    assert "no result" in collected(START, message).cell_errors["8"]
