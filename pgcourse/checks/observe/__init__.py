"""Run a learner's attempt on one case and write down what it did, as plain arrays.

An observer is a small frozen dataclass: `observer(attempt, case) -> arrays`. The modules of this folder hold no answers,
so a grading child can import them, run the attempt and ship the arrays back (npz without pickle). Nothing here judges:
comparing is the business of `compare.py`, in a process that the attempt never touched.

Names of the arrays: `result` (and `result/0`, `result/key` inside tuples and dicts), each with `.kind` and `.dtype`
beside it; `gradient/NAME`; `mutated` (names of inputs that were changed in place); `left` (what else a call has left
behind); `error` and `untouched`, written by `observe`.
"""

from __future__ import annotations

import builtins
import dataclasses
import dis
import importlib
import inspect
import linecache
import random
import re
import sysconfig
import textwrap
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.observe.record import (
    Arrays,
    Case,
    add_left,
    flatten,
    fresh,
    record,
    record_gradients,
    record_left,
    record_mutations,
    settle,
)

Observer = Callable[[Any, Case], Arrays]
_Class = TypeVar("_Class")

AGAIN = "your result, where gradients are taken,"
AFTER = "your result, looked at again after the inputs were overwritten,"
TURNED = "your result for the same numbers in reverse order"
OPPOSITE = "your result for the same numbers with the opposite sign"
KEPT = "your result, looked at again after another call,"
# What a call may leave behind for everybody.
SWITCHED_OFF, PRECISION = "gradients switched off for everybody", "another default dtype for everybody"
RESEEDED = "torch's random numbers seeded anew for everybody"
_EMPTY_BODY = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE", "CACHE", "EXTENDED_ARG"}
# As they are named and as they are: an environment may be reached through a link.
LONGEST_ERROR = 200  # characters of an error that a message quotes
_PATHS = sysconfig.get_paths()
_INSTALLED = tuple(
    str(spelling)
    for name in ("stdlib", "purelib", "platlib")
    for spelling in (Path(_PATHS[name]), Path(_PATHS[name]).resolve())
)
_PACKAGE = str(Path(__file__).resolve().parents[2])
# As they are before any attempt runs.
_BUILT_IN = {kind: name for name, kind in vars(builtins).items() if isinstance(kind, type)}
_is_grad_enabled, _get_default_dtype = torch.is_grad_enabled, torch.get_default_dtype
_seed_of_torch = torch.default_generator.initial_seed
_SEEDS = range(1_836_311_903, 1_836_312_903)  # ours: none that a learner would set


class TimeLimit(BaseException):
    """Raised inside an attempt that runs too long. Not an `Exception`, so that `except Exception` lets it pass."""


def split_signature(signature: str) -> tuple[list[str], list[str]]:
    """Names of the positional and of the keyword-only arguments: `"rewards, *, gamma"` -> (["rewards"], ["gamma"])."""
    positional, _, keyword = signature.partition("*")
    return re.findall(r"\w+", positional), re.findall(r"\w+", keyword)


def call(attempt: Any, signature: str, values: Case) -> Any:
    """Call the attempt as its signature says. A positional argument may bear another name in the learner's code."""
    positional, keyword = split_signature(signature)
    if missing := [name for name in (*positional, *keyword) if name not in values]:
        raise KeyError(f"the case lacks {missing}; it has {sorted(values)}")
    return attempt(*(values[name] for name in positional), **{name: values[name] for name in keyword})


@dataclasses.dataclass(frozen=True)
class Call:
    """Call the attempt for its value, again with other numbers, and once more for its gradients where some are asked for.

    Fields:
      signature: names of the case's entries as the attempt takes them, keyword-only ones after `*`:
        `"rewards, *, gamma"`.
      differentiable: inputs whose gradient is recorded.
      constant: inputs that must receive no gradient; recorded likewise (the reference gives zero).
      axis: along which all inputs are turned round for the second call: 1 where steps along axis 0 hang together.
    """

    signature: str
    differentiable: tuple[str, ...] = ()
    constant: tuple[str, ...] = ()
    axis: int = 0

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        arrays: Arrays = {}
        inputs = fresh(case)
        result = call(attempt, self.signature, inputs)
        record(arrays, "result", result)
        record_mutations(arrays, case, inputs)
        call_turned(arrays, lambda: call(attempt, self.signature, inputs), case, inputs, result, self.axis)
        wanted = (*self.differentiable, *self.constant)
        # An in-place change of an input that requires a gradient raises; that it happened is already written down.
        if wanted and not arrays["mutated"].size:
            inputs = fresh(case)
            for name in wanted:
                inputs[name].requires_grad_(True)
            record_differentiated(
                arrays, lambda: call(attempt, self.signature, inputs), {name: inputs[name] for name in wanted}
            )
        return arrays


@dataclasses.dataclass(frozen=True)
class CallAndKeep:
    """As `Call` for a value; then overwrite the inputs as an environment that reuses its memory does, and look again.

    A result that shares memory with an input shows other numbers then. They are recorded under the name `AFTER`.

    Fields:
      signature: names of the case's entries as the attempt takes them, keyword-only ones after `*`.
      axis: as in `Call`.
    """

    signature: str
    axis: int = 0

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        arrays: Arrays = {}
        inputs = fresh(case)
        result = call(attempt, self.signature, inputs)
        record(arrays, "result", result)
        record_mutations(arrays, case, inputs)
        kept = list(flatten(result))
        call_turned(arrays, lambda: call(attempt, self.signature, inputs), case, inputs, result, self.axis)
        with torch.no_grad():
            for value in inputs.values():
                if isinstance(value, Tensor):
                    value.copy_(~value if value.dtype == torch.bool else -2 * value - 1)
        if len(kept) == 1:
            record(arrays, AFTER, kept[0])
        return arrays


def call_turned(arrays: Arrays, again: Callable[[], Any], case: Case, inputs: Case, result: Any, axis: int = 0) -> None:
    """Turn all inputs round where they lie, along an axis, and call again: `TURNED`; then the first result: `KEPT`.

    Who knows an input by its identity gives the old numbers, and who writes all results into the same memory has changed
    the first. Rows that are turned together fit as they did. The steps of a rollout do not where one input says what
    follows another one: there, the environments are turned, and one environment alone is not called again.
    """
    tensors = {name: value for name, value in case.items() if isinstance(value, Tensor)}
    rows = [name for name, value in tensors.items() if value.ndim > axis and value.shape[axis] > 1]
    if not rows or arrays["mutated"].size or arrays["left"].size:
        return
    with torch.no_grad():
        for name in rows:
            inputs[name].copy_(case[name].flip(axis))
    record(arrays, TURNED, again())
    with torch.no_grad():
        for name in rows:
            inputs[name].copy_(case[name])
    record(arrays, KEPT, result)


def record_differentiated(arrays: Arrays, anew: Callable[[], Any], inputs: Case) -> None:
    """A call with inputs that require gradients: its value, as `AGAIN`, its gradients, and what it has left behind."""
    result = anew()
    # requires_grad_(False) and detach_() change the caller's tensor: the network behind it would learn no more.
    if cut := [name for name, value in inputs.items() if not value.requires_grad]:
        arrays["mutated"] = np.array(cut)
        return
    record_left(arrays, inputs, requires_grad=True)
    record(arrays, AGAIN, result)
    if not arrays["left"].size:
        record_gradients(arrays, result, inputs, anew)


def observe(observer: Observer, attempt: Any, case: Case) -> Arrays:
    """Run `observer`, and write an exception of the attempt down as `error` instead of letting it out.

    `error` is [type, message, function, line number in it, source line], `error.bases` its classes; `untouched` marks a
    stub that was never filled in. Only `TimeLimit` passes. Random numbers start from the same seeds each time.
    """
    return settled(observer, case, raw(observer, attempt, case))


def raw(observer: Observer, attempt: Any, case: Case) -> Arrays:
    """As `observe`, with the inputs as they are after the call: who takes this from an attempt's process calls `settled`."""
    seed_everything(0)
    return guarded(attempt, lambda: observer(attempt, case))


def settled(observer: Observer, case: Case, arrays: Arrays) -> Arrays:
    """What `raw` gave, with what became of the inputs told by themselves."""
    return settle(case, arrays) if getattr(observer, "sends_inputs", True) else arrays


def guarded(attempt: Any, act: Callable[[], Arrays]) -> Arrays:
    """What `act` gives; where the attempt is a stub or raises in it, that is written down instead, as `observe` says."""
    if attempt is None or attempt is Ellipsis:
        return {"untouched": np.array(True)}
    if not callable(attempt):
        return {"error": np.array(["not a function", type(attempt).__name__, "", "", ""])}
    enabled, dtype, seeded = _is_grad_enabled(), _get_default_dtype(), _seed_of_torch() in _SEEDS
    try:
        arrays = act()
    except TimeLimit:
        raise
    except BaseException as error:  # SystemExit and KeyboardInterrupt raised by the attempt are failures of the attempt
        if isinstance(error, NotImplementedError) and _stub_raised(attempt, error.__traceback__):
            return {"untouched": np.array(True)}
        # A class of one's own is told from Python's of the same name.
        bases = [_BUILT_IN.get(kind, f"{kind.__module__}.{kind.__name__}") for kind in type(error).__mro__]
        return {"error": np.array(_describe(error)), "error.bases": np.array(bases)}
    kind = arrays.get("result.kind", arrays.get("update 1/result.kind"))
    if str(kind) in ("NoneType", "ellipsis") and _has_empty_body(attempt):
        return {"untouched": np.array(True)}
    for name, changed in (
        (SWITCHED_OFF, enabled and not _is_grad_enabled()),
        (PRECISION, dtype != _get_default_dtype()),
        (RESEEDED, seeded and _seed_of_torch() not in _SEEDS),
    ):
        if changed:
            add_left(arrays, [name])
    return arrays


_OURS: tuple[CodeType, ...] = ()


def ours(kind: type[_Class]) -> type[_Class]:
    """Mark a class of networks that attempts are handed: none of them is an answer."""
    global _OURS  # a list could be emptied by whoever finds it
    _OURS += (vars(kind)["forward"].__code__,)
    return kind


def is_ours(value: object) -> bool:
    """Whether it computes as such a class does: its own, one made from it, or one that has taken its `forward`."""
    forwards = [getattr(value, "forward", None), *(vars(kind).get("forward") for kind in type(value).__mro__)]
    return any(_code(forward) is code for forward in forwards for code in _OURS)


def _code(function: Any) -> CodeType | None:
    return getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None


def seed_everything(seed: int) -> None:
    """Set all global random states: the learner may use them."""
    # Of the CPU alone: torch.manual_seed also formats the whole call stack for devices that are not there, which takes
    # longer than most attempts.
    torch.default_generator.manual_seed(_SEEDS[seed])
    np.random.seed(seed)  # noqa: NPY002 - the learner may use the global generator
    random.seed(seed)


def _own_code(attempt: Any) -> list[CodeType]:
    functions = list(vars(attempt).values()) if isinstance(attempt, type) else [inspect.unwrap(attempt)]
    return [function.__code__ for function in functions if isinstance(getattr(function, "__code__", None), CodeType)]


def _has_empty_body(attempt: Any) -> bool:
    codes = _own_code(attempt)
    return bool(codes) and all(step.opname in _EMPTY_BODY for code in codes for step in dis.get_instructions(code))


def _stub_raised(attempt: Any, trace: TracebackType | None) -> bool:
    """True where a `raise` statement in the attempt itself ended the call, not an operation that torch lacks."""
    last = None
    while trace is not None:
        last, trace = trace, trace.tb_next
    if last is None or last.tb_frame.f_code not in _own_code(attempt):
        return False
    return last.tb_frame.f_code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def _describe(error: BaseException) -> list[str]:
    try:
        text = str(error).strip().partition("\n")[0]
    except BaseException:  # an exception whose own text raises
        text = ""
    # Memory addresses would make the message differ from run to run.
    text = re.sub(r"0x[0-9a-fA-F]+", "0x...", text)
    if len(text) > LONGEST_ERROR:  # whole words, and a mark that something was left out
        text = textwrap.shorten(text, LONGEST_ERROR, placeholder=" ...")
    spot = None
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        # Of a comprehension, the line of the function around it says more than "line 1 of <genexpr>".
        inner = code.co_name in ("<genexpr>", "<listcomp>", "<dictcomp>", "<setcomp>") and spot is not None
        if not inner and not code.co_filename.startswith((*_INSTALLED, _PACKAGE, "<frozen")):
            spot = trace
        trace = trace.tb_next
    if spot is None:
        return [type(error).__name__, text, "", "", ""]
    code = spot.tb_frame.f_code
    source = linecache.getline(code.co_filename, spot.tb_lineno).strip()[:80]
    return [type(error).__name__, text, code.co_name, str(spot.tb_lineno - code.co_firstlineno + 1), source]


def to_json(observer: Any) -> dict[str, Any]:
    """An observer as plain data."""
    kind = type(observer)
    return {"module": kind.__module__, "class": kind.__name__, "fields": dataclasses.asdict(observer)}


def half_to_json(observer: Any) -> dict[str, Any]:
    """What of an observer a process with an attempt needs, as plain data: all of it, or the half that answers."""
    if (half := getattr(observer, "answerer", None)) is None:
        return to_json(observer)
    return {"module": half.func.__module__, "class": half.func.__name__, "fields": half.keywords, "answers": True}


def from_json(data: dict[str, Any]) -> Any:
    """The observer that `to_json` described, or attempt -> its answerer, as `half_to_json` did.

    Raises ValueError for a module that is none of the package's observers.
    """
    if not re.fullmatch(r"pgcourse\.checks\.observe(\.\w+)?", data["module"]):
        raise ValueError(f"{data['module']!r} holds no observers; they live in pgcourse.checks.observe")
    kind = getattr(importlib.import_module(data["module"]), data["class"])
    fields = {name: tuple(v) if isinstance(v, list) else v for name, v in data["fields"].items()}
    return partial(kind, **fields) if data.get("answers") else kind(**fields)
