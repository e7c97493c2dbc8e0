"""In the child: run the cells, call the functions on the inputs, send what was observed. Nothing here judges."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from types import FrameType, ModuleType
from typing import Any

from pgcourse.grading.sandbox import imports, wire

SHOWN = 300  # characters of an error's text that are sent


class Inert:
    """Takes every call and attribute, and does nothing: IPython's magics end here."""

    def __getattr__(self, name: str) -> Inert:
        return self

    def __call__(self, *_: Any, **__: Any) -> None:
        return None


class Child:
    """One run of one notebook. `connection` goes to the grader, `request` came from there."""

    def __init__(self, connection: socket.socket, request: dict[str, Any]) -> None:
        self.connection, self.request = connection, request
        imports.install(request["sources"])
        self.observe: Any = importlib.import_module("pgcourse.checks.observe")
        self.sandbox: Any = importlib.import_module("pgcourse.checks.sandbox")
        importlib.import_module("pgcourse.rollout")
        self.observers = {each["id"]: self.observe.from_json(each["observer"]) for each in request["exercises"]}
        # Held here alone: a notebook that imports them gets copies, and finds no checks among the loaded modules.
        imports.forget()
        self.armed = False
        self.main = ModuleType("__main__")
        vars(self.main).update(get_ipython=Inert, display=Inert())
        sys.modules["__main__"] = self.main

    def run(self) -> None:
        """All cells in order, then all exercises."""
        for cell in self.request["cells"]:
            self.say(event="start", what="cell", id=cell["id"])
            self.say(event="end", what="cell", id=cell["id"], error=self.run_cell(cell))
        # Only now: nothing that the cells' own messages hold can come from hidden inputs.
        self.say(event="ready")
        inputs = wire.receive(self.connection)
        for exercise in self.request["exercises"]:
            exercise["cases"] = inputs[exercise["id"]]
            self.say(event="start", what="exercise", id=exercise["id"])
            self.say(event="end", what="exercise", id=exercise["id"], error=self.run_exercise(exercise))
        self.say(event="done")

    def run_cell(self, cell: dict[str, Any]) -> list[str]:
        """Run one cell. Returns: nothing, or [type, text, line] of what it raised."""
        filename = f"<cell {cell['id']}>"
        imports.remember(filename, cell["source"])
        try:
            with self.sandbox.captured_output(), self.budget():
                exec(compile(cell["source"], filename, "exec"), vars(self.main))
        except BaseException as error:  # SystemExit too: a cell that leaves ends its own work only
            return self.described(error, filename)
        return []

    def run_exercise(self, exercise: dict[str, Any]) -> list[str]:
        """Observe the attempt on every case. Returns: nothing, or what stopped it."""
        attempt = vars(self.main).get(exercise["id"])
        observer = self.observers[exercise["id"]]
        try:
            with self.budget():
                for index, encoded in enumerate(exercise["cases"]):
                    case = wire.decode_case({"dict": encoded})
                    with self.sandbox.preserved_state(), self.sandbox.captured_output() as output:
                        arrays = self.observe.observe(observer, attempt, case)
                    printed = output.getvalue()[:SHOWN]
                    self.armed = False  # an alarm in the middle of a message would tear it; the next one comes soon
                    self.say(event="case", id=exercise["id"], index=index, arrays=self.encoded(arrays), printed=printed)
                    self.armed = True
                    if "untouched" in arrays:
                        break
        except BaseException as error:
            return self.described(error, "")
        return []

    def encoded(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """The observation, or an error in its place where it cannot be sent."""
        size = sum(array.nbytes for array in arrays.values())
        reason = f"your result holds {size // 2**20} MB; that is no answer to this input" if size > 2**22 else ""
        if not reason:
            try:
                return wire.encode_arrays(arrays)
            except wire.BadMessage as bad:
                reason = f"{bad} in your result; only plain numbers can be compared"
        return {"error": ["text", [5], ["ValueError", reason, "", "", ""]]}

    @contextlib.contextmanager
    def budget(self) -> Iterator[None]:
        """Raise TimeLimit after so much time on the processor, or three times as long by the clock.

        The alarm comes again, so that a bare `except:` in a loop does not swallow it for good. What gets round it is
        ended from outside.
        """
        seconds = self.request["seconds"]

        def on_alarm(number: int, frame: FrameType | None) -> None:
            if self.armed:
                raise self.observe.TimeLimit

        signal.signal(signal.SIGPROF, on_alarm)
        signal.signal(signal.SIGALRM, on_alarm)
        signal.setitimer(signal.ITIMER_PROF, seconds, 0.2)
        signal.setitimer(signal.ITIMER_REAL, 3 * seconds, 0.2)
        self.armed = True
        try:
            yield
        finally:
            self.armed = False
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)

    def described(self, error: BaseException, filename: str) -> list[str]:
        """[type, first line of the text, line number in the cell or an empty string]."""
        if isinstance(error, self.observe.TimeLimit):
            return ["TimeLimit", "", ""]
        text, line, trace = "", "", error.__traceback__
        with contextlib.suppress(BaseException):
            text = str(error).strip().partition("\n")[0][:SHOWN]
        while trace is not None:
            line = str(trace.tb_lineno) if trace.tb_frame.f_code.co_filename == filename else line
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and error.filename == filename:
            line = str(error.lineno)
        return [type(error).__name__[:80], text, line]

    def say(self, **message: Any) -> None:
        """Tell the grader."""
        wire.send(self.connection, message)


def serve(connection: socket.socket) -> None:
    """Receive the request, run it, and end the process without any of the notebook's last words."""
    request = wire.receive(connection)
    try:
        Child(connection, request).run()
    finally:
        os._exit(0)
