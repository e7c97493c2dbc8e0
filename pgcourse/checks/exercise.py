"""An exercise as data: inputs, an observer, a reference, known wrong answers, hints; and `get`, which loads one."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import numpy as np

from pgcourse.checks import catalogue
from pgcourse.checks.compare import Tolerance, Verdict, alike, compare, differing, left_behind
from pgcourse.checks.observe import Observer, observe, split_signature
from pgcourse.checks.observe.record import Arrays, Case
from pgcourse.checks.wording import value

Status = Literal["correct", "not yet", "not attempted"]
Judge = Callable[[Case, Arrays], Verdict]


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
      hints: exactly three: a nudge, the method, nearly the code.
      misconceptions: wrong answers with names, those of this exercise alone; `mistakes.py` knows what is wrong everywhere.
      judge: case, arrays -> verdict, for what has no single right value; None compares with the reference.
      also_correct: further readings of the contract that count as right (biased and unbiased standard deviation).
      handed_out: the code that the notebook begins with, where that is more than an empty function.
      guesses: answers that need no work and are right by what the settings give away; what they get right earns nothing.
      alternatives: right answers in other styles, of a teacher's own exercise; those of the course are in its tests.
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
    hints: tuple[str, str, str]
    misconceptions: Sequence[Misconception]
    handed_out: Callable[..., Any] | None = None
    guesses: tuple[Callable[..., Any], ...] = ()
    alternatives: tuple[Callable[..., Any], ...] = ()
    judge: Judge | None = None
    also_correct: tuple[Callable[..., Any], ...] = ()
    tolerance: Tolerance = field(default_factory=Tolerance)
    show_case: Callable[[Case], str] | None = None

    @classmethod
    def listed(cls, id: str, **fields: Any) -> Exercise:
        """An exercise of the course: title, points and the like are those of the catalogue."""
        return cls(**catalogue.find(id)._asdict(), **fields)

    def expected(self, case: Case) -> list[Arrays]:
        """What the reference, and each other accepted reading, does on this case; empty where a judge decides."""
        if self.judge is not None:
            return []
        return [observe(self.observe, answer, case) for answer in (self.reference, *self.also_correct)]

    def verdict(self, case: Case, arrays: Arrays, expected: Sequence[Arrays]) -> Verdict:
        """Judge one observation. `expected` is what `expected(case)` gave."""
        if self.judge is not None:
            if "error" in arrays:
                return compare({}, arrays)
            verdict = self.judge(case, arrays)
            left = left_behind(arrays) if verdict.ok else ""
            return Verdict(False, "left behind", left) if left else verdict
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
class Finding:
    """What a check found, in the parts of which its text is made; a part that does not apply is empty.

    Fields:
      right, cases: how many cases are right, of how many.
      statement: one sentence about shape, dtype, sign or property. which: of the inputs. input: the call.
      where: got against expected in a sentence. numbers: the same as (index, got, expected). explanation: of the misconception.
      printed: by the learner's code. next: what to do now.
    """

    right: int = 0
    cases: int = 0
    statement: str = ""
    which: str = ""
    input: str = ""
    where: str = ""
    numbers: tuple[str, str, str] | None = None
    explanation: str = ""
    printed: str = ""
    next: str = ""

    def lines(self) -> list[str]:
        """As text, a part a line."""
        parts = (
            ("", self.statement),
            (f"{self.which}: ", self.input),
            ("", self.where),
            ("What happened: ", self.explanation),
            ("Your code printed here: ", self.printed),
            ("", self.next),
        )
        return [before + text for before, text in parts if text]


@dataclass(frozen=True)
class CheckResult:
    """Answer of a check: status, text for the learner, id of the recognised misconception or None, and what was found."""

    status: Status
    message: str
    misconception: str | None = None
    finding: Finding | None = None


def exercises() -> list[Exercise]:
    """All exercises, in course order. Slow: it loads every one."""
    return [get(entry.id) for entry in catalogue.EXERCISES]


@cache
def get(id: str) -> Exercise:
    """The exercise with this id, loaded alone. Raises InvalidInput, with the closest ids, where there is none."""
    exercise: Exercise = importlib.import_module(catalogue.find(id).module).EXERCISE
    return exercise


def is_untouched(arrays: Arrays) -> bool:
    """True for the observation of a stub that nobody has filled in."""
    return bool(np.any(arrays.get("untouched", False)))
