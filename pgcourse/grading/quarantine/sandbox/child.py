"""In the child: run the cells, call the functions on the inputs, send what was observed. Nothing here judges."""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import inspect
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from types import CodeType, FrameType, ModuleType
from typing import Any

from pgcourse.grading.quarantine.sandbox import arrays, packages, wire

SHOWN = 300  # characters of an error's text that are sent


class Child:
    """One run of one notebook. `connection` goes to the grader, `request` came from there."""

    def __init__(self, connection: socket.socket, request: dict[str, Any]) -> None:
        self.connection, self.request = connection, request
        self.finder = packages.install(request["sources"], request["libraries"], request["absent"], request["codes"])
        self.observe: Any = importlib.import_module("pgcourse.checks.observe")
        self.asking: Any = importlib.import_module("pgcourse.checks.observe.asking")
        self.sandbox: Any = importlib.import_module("pgcourse.checks.sandbox")
        self.torch: Any = importlib.import_module("torch")
        importlib.import_module("pgcourse.rollout")
        self.observers = {each["id"]: self.observe.from_json(each["observer"]) for each in request["exercises"]}
        # Held here alone: no notebook can import what watches it, nor what it is made of.
        self.finder.hide("pgcourse.checks.observe", "pgcourse.checks.sandbox")
        self.left: dict[str, float] = {}  # seconds on the processor, of what has begun
        self.answerer: Any = None
        self.loop: Any = None  # of asyncio, for cells that wait at their top level
        self.now: Any = None  # the order that is being obeyed
        self.calling = threading.Lock()  # held while a callback's answer is waited for
        self.refused = False  # whether a statement of a cell has been refused here alone
        self.functions: dict[str, Any] = {}  # exercise -> the last that it stood for and that is an answer
        self.futures = 0  # flags of the __future__ imports so far: as in IPython, they hold for later cells
        self.main = ModuleType("__main__")
        vars(self.main).update(get_ipython=packages.Inert, display=packages.Inert())
        sys.modules["__main__"] = self.main
        builtins.input = lambda prompt="", /: ""  # nobody is there to answer
        vars(builtins).update(
            dict.fromkeys(("help", "exit", "quit", "copyright", "credits", "license"), packages.Inert())
        )

    def run(self) -> None:
        """All cells in order, then whatever is ordered: a case of an exercise, or a question about what it made."""
        for cell in self.request["cells"]:
            self.say(event="start", id=cell["id"])
            self.say(event="end", error=self.run_cell(cell))
        # An experiment may have used an exercise's name for what came of it: value_loss = value_loss(values, returns).
        vars(self.main).update(self.functions)
        # Only now: nothing that the cells' own messages hold can come from hidden inputs.
        self.say(event="ready")
        while (order := wire.receive(self.connection)) is not None:
            self.say(**self.obey(order))

    def run_cell(self, cell: dict[str, Any]) -> list[str]:
        """Run one cell. Returns: nothing, or [type, text, line] of what it raised first.

        A statement that is refused here alone, as a plot is, ends itself only: what stands below it would have run. Where it
        would have defined a name, as `figure, axes = ...` does, using that name is refused likewise. From then on, any
        error of a statement may follow from that one, and ends itself only, too; but who raises one leaves the cell.
        """
        filename, refused = f"<cell {cell['id']}>", list[str]()
        packages.remember(filename, cell["source"])
        try:
            with self.sandbox.captured_output(), self.budget(filename), self.finder.standing_in(cell["source"]):
                for code, names, leaves in self.compiled(cell["source"], filename):
                    dtype, before = self.torch.get_default_dtype(), self.standing_for(names)
                    try:
                        self.execute(code)
                        self.restore(before)
                        self.note_answers()
                    except BaseException as error:
                        refusal = packages.is_refusal(error)
                        stand_in = "" if refusal else self.stand_in(error)
                        self.refused = self.refused or refusal or bool(stand_in)
                        if leaves or not self.refused or not isinstance(error, Exception):
                            raise
                        said = (
                            self.finder.not_there(stand_in).with_traceback(error.__traceback__) if stand_in else error
                        )
                        refused = refused or self.described(said, filename)
                        self.torch.set_default_dtype(dtype)  # who tries another puts it back at the end, behind that
                        self.restore(before)
                        for name in names - vars(self.main).keys():
                            vars(self.main)[name] = packages.Refused(name, self.finder.not_there)
        except BaseException as error:  # SystemExit too: a cell that leaves ends its own work only
            return self.described(error, filename)
        finally:
            self.note_answers()
        return refused

    def standing_for(self, names: set[str]) -> dict[str, Any]:
        """What these names stand for, but for stand-ins."""
        found = {name: vars(self.main)[name] for name in names if name in vars(self.main)}
        return {name: value for name, value in found.items() if not self.is_stand_in(value)}

    def restore(self, before: dict[str, Any]) -> None:
        """Let names that stand for a stand-in now be what they were: `gae = table["gae"]` below an answer makes it no table."""
        for name, value in before.items():
            if self.is_stand_in(vars(self.main).get(name)):
                vars(self.main)[name] = value

    def is_stand_in(self, value: Any) -> bool:
        """Whether it stands for what is not there."""
        return type(value) is packages.Refused or self.finder.stands_in(value)

    def stand_in(self, error: BaseException) -> str:
        """The name of a stand-in that the failing code mentions: what is handed one says that it is no number, or no table."""
        trace = error.__traceback__
        while trace is not None:
            frame, trace = trace.tb_frame, trace.tb_next
            if frame.f_globals is vars(self.main):
                for name in (*frame.f_code.co_names, *frame.f_code.co_varnames):
                    value = frame.f_locals.get(name, frame.f_globals.get(name))
                    if self.is_stand_in(value):
                        return name
        return ""

    def note_answers(self) -> None:
        """Keep what each exercise's name stands for, if it can be called; some things only where nothing else has been.

        A network can be called, too, and is what comes of `policy_network = policy_network(4, 2)`; so can a stand-in.
        """
        rather_not = (self.torch.nn.Module, packages.Refused, packages.Inert)
        for id in self.observers:
            value = vars(self.main).get(id)
            if callable(value) and not (id in self.functions and issubclass(type(value), rather_not)):
                self.functions[id] = value

    def compiled(self, source: str, filename: str) -> list[tuple[CodeType, set[str], bool]]:
        """The statements of a cell, with the names that each defines, and whether it is there to leave the cell.

        One for all where they are too deep to be taken apart.
        """
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | self.futures
        whole = compile(source, filename, "exec", flags, dont_inherit=True)
        self.futures |= whole.co_flags & annotations.compiler_flag  # all other futures are the rule by now
        try:
            tree: Any = compile(source, filename, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
            parts = [(ast.Module([node], type_ignores=[]), packages.defined(node), _leaves(node)) for node in tree.body]
            flags |= self.futures
            return [(compile(part, filename, "exec", flags, dont_inherit=True), *more) for part, *more in parts]
        except (RecursionError, MemoryError):
            return [(whole, set(), False)]

    def execute(self, code: CodeType) -> None:
        """Run a cell's code; where it awaits something, as a notebook allows, in a loop that goes on in the next cell.

        An alarm that rings in the loop's own code would be reported there, and its task forgotten: it stops the loop.
        """
        waiting = eval(code, vars(self.main))
        if not code.co_flags & inspect.CO_COROUTINE:
            return
        if self.loop is None:
            asyncio = importlib.import_module("asyncio")
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
        late: list[BaseException] = []

        def report(loop: Any, context: dict[str, Any]) -> None:
            if isinstance(error := context.get("exception"), self.observe.TimeLimit):
                late.append(error)
                loop.stop()

        self.loop.set_exception_handler(report)
        try:
            self.loop.run_until_complete(waiting)
        except BaseException as error:
            if late or isinstance(error, self.observe.TimeLimit):
                self.loop = None  # what ran too long runs on in no other cell
                raise self.observe.TimeLimit from None
            raise

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Observe the attempt on a case, or answer a question. Returns: the message that says what came of it."""
        id = order["exercise"]
        attempt, observer = vars(self.main).get(id), self.observers[id]
        given = arrays.decode_case({"dict": order["given"]})
        given |= {name: partial(self.call_back, order, name) for name in order["callbacks"]}
        self.now = order
        if "question" in order and order["first"]:
            self.observe.seed_everything(0)
            self.answerer = observer(attempt)
        act = partial(self.observe.raw, observer, attempt, given)
        if "question" in order:
            answer = partial(self.asking.answer, self.answerer, order["question"], given)
            act = partial(self.observe.guarded, attempt, answer)
        try:
            with self.budget(id), self.sandbox.captured_output() as output:
                if "question" in order:
                    observed = act()
                else:
                    with self.sandbox.preserved_settings():
                        observed = act()
            return {"event": "case", "arrays": self.encoded(observed), "printed": output.getvalue()[:SHOWN]}
        except BaseException as error:
            return {"event": "stopped", "error": self.described(error, "")}
        finally:
            with self.calling:
                self.now = None

    def call_back(self, order: dict[str, Any], name: str, array: Any) -> Any:
        """Let the grader answer, while the attempt waits: one thread after another, and none beyond the end of the order."""
        with self.calling:
            if self.now is not order:
                raise RuntimeError("called after the attempt had ended")
            self.say(event="asks", name=name, array=arrays.encode_array(array))
            return arrays.decode_array(wire.receive(self.connection)).copy()

    def encoded(self, observed: dict[str, Any]) -> dict[str, Any]:
        """The observation, or an error in its place where it cannot be sent."""
        size = sum(array.nbytes for array in observed.values())
        reason = (
            f"your result holds {size // 2**20} MB; that is no answer to this input" if size > arrays.MAX_BYTES else ""
        )
        if not reason:
            try:
                return arrays.encode_arrays(observed)
            except wire.BadMessage as bad:
                reason = f"{bad} in your result; only plain numbers can be compared"
        return {"error": ["text", [5], ["ValueError", reason, "", "", ""]]}

    @contextlib.contextmanager
    def budget(self, name: str) -> Iterator[None]:
        """Raise TimeLimit after so much time on the processor, of all steps of this name together.

        The alarm comes again, so that a bare `except:` in a loop does not swallow it for good. One that comes while a
        callback is answered is passed over: it would leave half a message behind. What gets round the alarm, or sleeps, is
        ended from outside.
        """
        left = self.left.get(name, self.request["seconds"])
        started = time.process_time()

        def on_alarm(number: int, frame: FrameType | None) -> None:
            if not self.calling.locked():
                raise self.observe.TimeLimit

        signal.signal(signal.SIGPROF, on_alarm)
        signal.setitimer(signal.ITIMER_PROF, max(left, 0.001), 0.2)
        try:
            yield
        finally:
            signal.signal(signal.SIGPROF, signal.SIG_IGN)
            signal.setitimer(signal.ITIMER_PROF, 0)
            self.left[name] = left - (time.process_time() - started)

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


def _leaves(node: ast.stmt) -> bool:
    """Whether a statement is `raise`, or `assert False`: what stands below it is not meant to run."""
    return isinstance(node, ast.Raise) or (isinstance(node, ast.Assert) and isinstance(node.test, ast.Constant))


def preload() -> None:
    """Import what notebooks import, so that no child pays for it, and what torch itself imports at a first use.

    The grader's own modules are forgotten: nobody imports them from here on.
    """
    import multiprocessing.heap

    import scipy.signal
    import scipy.stats  # noqa: F401
    import torch

    torch.set_num_threads(1)
    for name in ("set_num_threads", "set_num_interop_threads"):  # where one of many does not start, the process ends
        setattr(torch, name, packages.Inert())
    vars(multiprocessing.heap.Arena)["_dir_candidates"].clear()  # to ask them for room is refused
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([parameter], lr=0.0)
    torch.distributions.Categorical(logits=torch.zeros(2)).log_prob(torch.tensor(0))
    (2 * parameter).sum().backward()
    optimizer.step()
    torch.func.vmap(torch.func.grad(lambda x: x * x))(torch.zeros(2))
    packages.forget([name for name in sys.modules if name.partition(".")[0] == "pgcourse"])


def serve(connection: socket.socket, files: Sequence[int]) -> None:
    """Receive the request, run it, and end the process without any of the notebook's last words."""
    request = wire.receive(connection)
    try:
        Child(connection, request).run()
    finally:
        os._exit(0)
