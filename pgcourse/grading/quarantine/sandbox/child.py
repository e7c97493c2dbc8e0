"""In the child: run the cells, call the functions on the inputs, send what was observed. Nothing here judges.

`import pgcourse` gives what the notebook itself imports, and for everything else a refusal.
"""

from __future__ import annotations

import contextlib
import importlib
import linecache
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any

from pgcourse.grading.quarantine.sandbox import wire

SHOWN = 300  # characters of an error's text that are sent
FOLDER = "/pgcourse-grader"  # of no file on any disk


class Child:
    """One run of one notebook. `connection` goes to the grader, `request` came from there."""

    def __init__(self, connection: socket.socket, request: dict[str, Any]) -> None:
        self.connection, self.request = connection, request
        install(request["sources"])
        self.observe: Any = importlib.import_module("pgcourse.checks.observe")
        self.sandbox: Any = importlib.import_module("pgcourse.checks.sandbox")
        importlib.import_module("pgcourse.rollout")
        self.observers = {each["id"]: self.observe.from_json(each["observer"]) for each in request["exercises"]}
        # Held here alone: a notebook that imports them gets copies, and finds no checks among the loaded modules.
        forget()
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
        remember(filename, cell["source"])
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


class Inert:
    """Takes every call and attribute, and does nothing: IPython's magics end here."""

    def __getattr__(self, name: str) -> Inert:
        return self

    def __call__(self, *_: Any, **__: Any) -> None:
        return None


class Refused:
    """Stands for a name of the package that a graded notebook does not have. Calling it says so."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Refused:
        if name.startswith("__"):
            raise AttributeError(name)
        return Refused(f"{self._name}.{name}")

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError(f"{self._name} is not there while grading: write it yourself, or use torch and NumPy")


class Packages:
    """Finds and loads every module of `pgcourse`: those in `sources`, and empty ones whose names are `Refused`."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """As `importlib.abc.MetaPathFinder` has it."""
        if name.partition(".")[0] != "pgcourse":
            return None
        package = name not in self.sources or any(other.startswith(f"{name}.") for other in self.sources)
        return ModuleSpec(name, self, is_package=package)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """The default module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the source, if there is one; what it lacks is refused."""
        name = module.__name__
        module.__file__ = f"{FOLDER}/{name.replace('.', '/')}.py"
        source = self.sources.get(name, "")
        remember(module.__file__, source)
        exec(compile(source, module.__file__, "exec"), vars(module))
        vars(module).setdefault("__getattr__", self._missing(name))

    def _missing(self, module: str) -> Any:
        def __getattr__(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            inner = f"{module}.{name}"
            return importlib.import_module(inner) if inner in self.sources else Refused(inner)

        return __getattr__


def remember(filename: str, source: str) -> None:
    """Let tracebacks and `inspect` show the lines of a file that is on no disk."""
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)


def install(sources: Mapping[str, str]) -> None:
    """Forget the package as far as it is loaded, and load it from `sources` from now on."""
    forget()
    sys.meta_path.insert(0, Packages(sources))


def forget(prefix: str = "pgcourse") -> None:
    """Drop the modules whose names begin so; who holds on to one keeps it."""
    for name in [name for name in sys.modules if name == prefix or name.startswith((prefix + ".", prefix + "_"))]:
        del sys.modules[name]
