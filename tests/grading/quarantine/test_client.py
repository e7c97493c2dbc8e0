"""What the grader says of a child, from the messages that it sent."""

from collections.abc import Iterator
from typing import Any

import pytest

from pgcourse.grading.quarantine import client
from pgcourse.grading.quarantine.cells import Cell

JOB = client.Job("anna", "01_a", (Cell("8", "", "x = (", 8),), {}, {}, {}, client.Limits())
START, END = ({"event": event, "what": "cell", "id": "8"} for event in ("start", "end"))


def collected(messages: list[dict[str, Any]], why: str) -> client.Collected:
    class Child:
        facts = {"why_not": ""}

        def run(self, *_: Any) -> Iterator[dict[str, Any]]:
            yield from messages
            yield {"event": "ended", "why": why, "status": -9, "seconds": 0.1}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "zygote", lambda _: Child())
        return client.collect(JOB)


def test_the_line_of_a_syntax_error_is_said_once() -> None:
    error = ["SyntaxError", "'(' was never closed (<cell 8>, line 1)", "1"]
    result = collected([START, END | {"error": error}], "done")
    assert result.cell_errors == {"8": "raised SyntaxError: '(' was never closed (line 1)"}


def test_who_dies_after_all_came_back_has_no_cell_to_blame() -> None:
    result = collected([START, END | {"error": None}], "died")
    assert (result.cell_errors, result.starts) == ({}, 1)


def test_who_dies_in_a_cell_has_that_cell_named() -> None:
    assert list(collected([START], "died").cell_errors) == ["8"]
