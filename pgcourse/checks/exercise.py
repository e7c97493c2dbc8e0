"""An exercise is data: inputs, a way to watch an attempt, a reference, known wrong answers, known right ones, hints."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import numpy as np

from pgcourse.checks.compare import Tolerance, alike, compare, differing
from pgcourse.checks.observe import Observer, observe, split_signature
from pgcourse.checks.observe_record import Arrays, Case
from pgcourse.checks.verdict import Verdict
from pgcourse.checks.wording import value
from pgcourse.errors import InvalidInput

Status = Literal["correct", "not yet", "not attempted"]
Judge = Callable[[Case, Arrays], Verdict]

# One module a unit, each with a tuple EXERCISES. They hold the answers, so they are imported only when asked for.
UNIT_MODULES = tuple(f"pgcourse.checks.unit_{number:02}" for number in range(9))


@dataclass(frozen=True)
class Misconception:
    """A wrong answer that people give.

    Fields:
      id: short name, words joined by hyphens.
      explanation: two or three sentences for the learner: what was done, why it is wrong, what to look at.
      wrong: the attempt of somebody who holds it.
      variants: further spellings of the same mistake whose numbers differ (NaN in one, -inf in the other).
    """

    id: str
    explanation: str
    wrong: Callable[..., Any]
    variants: tuple[Callable[..., Any], ...] = ()


@dataclass(frozen=True)
class Exercise:
    """All there is to know about one exercise; its id is the learner's function name and the cell's grade_id.

    Fields:
      cases: seed -> inputs, smallest first; the first ones fixed and small enough to work by hand.
      observe: what to write down of an attempt on a case; it needs no answers (`observe.Call` and its siblings).
      reference: the package's own function where one exists.
      misconceptions, alternatives: wrong answers with names, right answers in other styles; tests run every one.
      hints: exactly three: a nudge, the method, nearly the code.
      judge: case, arrays -> verdict, for what has no single right value; None compares with the reference.
      also_correct: further readings of the contract that count as right (biased and unbiased standard deviation).
      difficulty: 1 to 3. minutes: for a first attempt.
    """

    id: str
    unit: str
    title: str
    points: int
    minutes: int
    difficulty: int
    cases: Callable[[int], Iterable[Case]]
    observe: Observer
    reference: Callable[..., Any]
    misconceptions: tuple[Misconception, ...]
    alternatives: tuple[Callable[..., Any], ...]
    hints: tuple[str, str, str]
    judge: Judge | None = None
    also_correct: tuple[Callable[..., Any], ...] = ()
    tolerance: Tolerance = field(default_factory=Tolerance)
    show_case: Callable[[Case], str] | None = None

    def expected(self, case: Case) -> list[Arrays]:
        """What the reference, and each other accepted reading, does on this case; empty where a judge decides."""
        if self.judge is not None:
            return []
        return [observe(self.observe, answer, case) for answer in (self.reference, *self.also_correct)]

    def verdict(self, case: Case, arrays: Arrays, expected: Sequence[Arrays]) -> Verdict:
        """Judge one observation. `expected` is what `expected(case)` gave."""
        if self.judge is not None:
            return compare({}, arrays) if "error" in arrays else self.judge(case, arrays)
        verdicts = [compare(right, arrays, self.tolerance) for right in expected]
        if fitting := [verdict for verdict in verdicts if verdict.ok]:
            return fitting[0]
        # Got is shown against the reading that the attempt comes closest to: that one is the learner's.
        differences = [differing(right, arrays, self.tolerance) for right in expected]
        return verdicts[differences.index(min(differences))]

    def same_fault(self, case: Case, first: Arrays, second: Arrays) -> bool:
        """True where two observations show the same mistake: the same numbers, or the same violated properties."""
        if self.judge is None or "error" in first or "error" in second:
            return alike(first, second, self.tolerance)
        return self.judge(case, first).kind == self.judge(case, second).kind

    def text(self, case: Case) -> str:
        """The case as a call that the learner can type: `discounted_returns([1, 2], gamma=0.5)`."""
        if self.show_case is not None:
            return self.show_case(case)
        positional, keyword = split_signature(getattr(self.observe, "signature", ""))
        parts = [value(case[name]) for name in positional] + [f"{name}={value(case[name])}" for name in keyword]
        return f"{self.id}({', '.join(parts)})"


@dataclass(frozen=True)
class CheckResult:
    """Answer of a check: status, text for the learner, id of the recognised misconception or None."""

    status: Status
    message: str
    misconception: str | None = None


def exercises() -> list[Exercise]:
    """All exercises, in course order."""
    return list(_registry().values())


def get(id: str) -> Exercise:
    """The exercise with this id. Raises InvalidInput, with the closest ids, where there is none."""
    known = _registry()
    if id in known:
        return known[id]
    close = difflib.get_close_matches(str(id), known, n=3)
    help_text = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(known)}"
    raise InvalidInput(f"no exercise is called {id!r}; {help_text}")


@cache
def _registry() -> dict[str, Exercise]:
    found: dict[str, Exercise] = {}
    for module in UNIT_MODULES:
        for exercise in importlib.import_module(module).EXERCISES:
            if exercise.id in found:
                raise ValueError(f"two exercises are called {exercise.id!r}; give one of them another id")
            found[exercise.id] = exercise
    return found


def is_untouched(arrays: Arrays) -> bool:
    """True for the observation of a stub that nobody has filled in."""
    return bool(np.any(arrays.get("untouched", False)))
