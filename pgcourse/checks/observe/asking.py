"""Observers that ask: what an attempt makes stays where the attempt is, and questions about it come from outside.

Such an observer has two halves. The answerer runs beside the attempt: it calls it, keeps what it made, and gives raw
numbers. `drive` asks: it chooses its next question when the last answer is there, and derives the facts. In a notebook
both run in one process; a grader runs `drive` in a process that no attempt has ever touched, and only the answers come
from the attempt's own.

What an attempt is handed may need something that it must not see, say a matrix behind a product. That stays with `drive`,
which gives a callback along with its question.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Protocol

import numpy as np

from pgcourse.checks.observe.record import Arrays, Case, settle

Callback = Callable[[np.ndarray], np.ndarray]


class Ask(Protocol):
    """Put a question to an answerer. A function among the arguments is a callback: it runs here, however often it is called.

    Raises: whatever the attempt raises; `Unanswered` where that was elsewhere.
    """

    def __call__(self, question: str, **arguments: Any) -> Arrays: ...


class Unanswered(Exception):
    """The attempt raised, or was never filled in, in another process. `arrays`: what `observe` writes of that."""

    def __init__(self, arrays: Arrays) -> None:
        super().__init__()
        self.arrays = arrays


class Asking(ABC):
    """An observer of two halves. Inherit, and define both."""

    sends_inputs: ClassVar[bool] = False  # each answer has been settled

    @property
    @abstractmethod
    def answerer(self) -> partial[Any]:
        """attempt -> an object whose public methods are the questions: arguments (tensors, numbers, text, callbacks) -> arrays.

        The class, with settings that JSON can hold: a process with an attempt has this half alone.
        """

    @abstractmethod
    def drive(self, ask: Ask, case: Case) -> Arrays:
        """Ask about one attempt on one case, and write down the facts."""

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        """Both halves in this process."""
        answerer = self.answerer(attempt)
        return self.drive(lambda question, **given: settle(given, answer(answerer, question, given)), case)


def answer(answerer: Any, question: str, arguments: dict[str, Any]) -> Arrays:
    """Raises: AttributeError for a question that there is not; whatever the attempt raises."""
    if question.startswith("_"):
        raise AttributeError(question)
    arrays: Arrays = getattr(answerer, question)(**arguments)
    return arrays


def unanswered(arrays: Arrays) -> Arrays:
    """What `observe` writes of an attempt that raised, or was never filled in, and nothing beside it; empty for an answer."""
    if "error" in arrays:
        return {name: arrays[name] for name in ("error", "error.bases") if name in arrays}
    return {"untouched": np.array(True)} if "untouched" in arrays else {}


def kind_of_error(error: Exception) -> np.ndarray:
    """The type of what an attempt raised, wherever it did."""
    return error.arrays["error"][0] if isinstance(error, Unanswered) else np.array(type(error).__name__)
