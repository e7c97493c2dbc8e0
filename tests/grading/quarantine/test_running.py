"""What the grader says of a child, from the messages that it sent."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat
from typing import Any

import pytest

from pgcourse.checks.observe import Call, to_json
from pgcourse.grading.quarantine import running
from pgcourse.grading.quarantine.process import Limits
from pgcourse.grading.quarantine.reader.cells import Cell

JOB = running.Job("anna", "01_a", (Cell("8", "", "x = (", 8),), {}, {}, (), {}, {}, {}, Limits())
START, END = {"event": "start", "id": "8"}, {"event": "end", "error": []}
READY = {"event": "ready"}
CALLED: dict[str, Any] = {
    "exercises": {id: to_json(Call("x")) for id in "fg"},
    "inputs": {id: [{"x": 1.0}] for id in "fg"},
    "visible": dict.fromkeys("fg", 0),
}
TWO = replace(JOB, **CALLED)


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

    def __init__(self, children: Iterator[list[dict[str, Any]]]) -> None:
        self.children = children

    @contextlib.contextmanager
    def child(self) -> Iterator[Child]:
        yield Child(next(self.children))


def collected(
    *messages: dict[str, Any], then: list[dict[str, Any]] | None = None, job: running.Job = JOB
) -> running.Collected:
    """From a child that sends these messages. Args: then: what all later ones send, where that is something else."""
    children = chain([[*messages]], repeat([*messages] if then is None else then))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "zygote", lambda *_: Zygote(children))
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


@pytest.mark.parametrize(
    "then", [[START, END | {"error": ["ValueError", "12:00", "1"]}, READY], [START], [START, READY]],
    ids=["raises", "dies", "talks nonsense"],
)  # fmt: skip
def test_a_cell_of_a_child_after_hidden_inputs_tells_nothing(then: list[dict[str, Any]]) -> None:
    """What comes after depends on when the first child ended, and that on what it was given."""
    result = collected(START, END, READY, then=then, job=TWO)
    assert (result.cell_errors, result.failed_again) == ({}, True)
    assert "ended its process" in result.stopped["f"]


def test_a_cell_that_has_failed_before_keeps_its_first_words() -> None:
    first, later = (END | {"error": ["ValueError", text, "1"]} for text in ("a", "12:00"))
    result = collected(START, first, READY, then=[START, later, READY], job=TWO)
    assert (result.cell_errors, result.failed_again) == ({"8": "raised ValueError: a (line 1)"}, False)


def test_no_child_starts_for_nothing() -> None:
    result = collected(START, END, READY, job=replace(TWO, exercises={"f": CALLED["exercises"]["f"]}))
    assert (result.starts, [*result.stopped]) == (1, ["f"])


def test_a_cell_that_ran_out_of_time_runs_again_for_what_it_had_defined() -> None:
    late = END | {"error": ["TimeLimit", "", ""]}
    result = collected(START, late, READY, then=[START, late, READY, {"event": "case", "arrays": {}}], job=TWO)
    assert [*result.stopped] == ["f"] and len(result.seen["g"]) == 1
    assert "was stopped after" in result.cell_errors["8"] and not result.failed_again


def test_what_is_kept_of_a_notebook_is_bounded_whatever_it_is_made_of() -> None:
    """Arrays without a number have no bytes, and names as long as they may be have many."""
    cases = 101  # as many as a notebook has
    job = replace(TWO, inputs={"f": [{"x": 1.0}] * cases, "g": []}, exercises={"f": CALLED["exercises"]["f"]})
    said = {"event": "case", "arrays": {f"{'a' * 290}{n}": ["float64", [0], ""] for n in range(1990)}}
    result = collected(START, END, READY, *[said] * cases, job=job)
    assert len(result.seen["f"]) < 6 and "no result" in result.stopped["f"]


def test_cells_that_sleep_share_the_time_of_their_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes a child of its own as long as a child may sleep: together no longer than the notebook may take."""
    asleep = Limits().patience
    monkeypatch.setattr(Child, "spent", lambda _: (0.0, 0.0), raising=False)
    monkeypatch.setattr(running.Deadline, "check", lambda self, child, earlier: _given_up(earlier > self.seconds))
    cells = tuple(Cell(f"{n}", "", "x", n) for n in range(100))
    children = (
        [START | {"id": f"{n}"}] for n in range(100)
    )  # each runs the cells that are left, and sleeps in the first

    @contextlib.contextmanager
    def child(self: Zygote) -> Iterator[Child]:
        made = Child(next(self.children))
        made.ended = {"status": -9, "seconds": 0.0, "asleep": asleep}
        yield made

    monkeypatch.setattr(Zygote, "child", child)
    monkeypatch.setattr(running, "zygote", lambda *_: made)
    made = Zygote(children)
    result = running.collect(replace(JOB, cells=cells))
    assert result.starts == running.SPARE + 2 and result.asleep == pytest.approx(result.starts * asleep)


def _given_up(late: bool) -> None:
    if late:
        raise running.GivenUp
