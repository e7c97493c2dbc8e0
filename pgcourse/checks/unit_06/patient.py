"""What a patient of the clinic is: a run with one silent bug, and the function that holds it; and its wrong patches."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import observe
from pgcourse.checks.observe.record import Arrays
from pgcourse.checks.sandbox import preserved_state
from pgcourse.study.traps import Trap

Function = Callable[..., Any]


@dataclass(frozen=True)
class Patient:
    """One patient: its measured run is that of its trap, and its function gives that very run.

    Fields:
      id: "patient_01" and so on, the exercise's id.
      trap: the bug, with its healthy settings and what the diagnostics show of it.
      ill, cured: the function with the bug and without.
      seams: function -> keyword arguments of `train` that let a run use it.
    """

    id: str
    trap: Trap
    ill: Function
    cured: Function
    seams: Callable[[Function], dict[str, Any]]

    def source(self) -> str:
        """The code with the bug, under the name that the learner gives it."""
        code = textwrap.dedent(inspect.getsource(self.ill)).rstrip()
        code = re.sub(r"  # type: ignore\[[\w-]+\]", "", code)  # learners' functions have no types
        return code.replace("def ill(", f"def {self.id}(", 1)

    @property
    def settings(self) -> Any:
        """Those of the healthy run: the bug is in the function alone."""
        return self.trap.base


def mistake(id: str, explanation: str, wrong: Function, *variants: Function) -> Misconception:
    """A misconception with any number of spellings."""
    return Misconception(id, explanation, wrong, variants)


def unpatched(ill: Function, look_at: str, *variants: Function) -> Misconception:
    """The patient as it came in.

    Args: look_at: a sentence or two on where to look. variants: patches that change nothing.
    """
    explanation = f"These are the numbers of the code as you opened it: the bug is still in there. {look_at}"
    return Misconception("unpatched", explanation, ill, variants)


def with_mistakes_of(
    base: Exercise,
    exercise: Exercise,
    *,
    but: Collection[str] = (),
    dress: Callable[[Function], Function] = lambda wrong: wrong,
) -> Exercise:
    """The exercise with the misconceptions of another one behind its own.

    Left out are those that are right on this exercise's inputs, and those that do what one before them does.

    Args: but: ids of those whose words do not fit. dress: a wrong answer to `base` -> one to this exercise.
    """
    cases, kept = list(exercise.cases(0)), list(exercise.misconceptions)

    @cache
    def seen(attempt: Function, index: int) -> Arrays:
        return observe(exercise.observe, attempt, cases[index])

    def right(attempt: Function) -> bool:
        return all(exercise.verdict(c, seen(attempt, i), [seen(exercise.reference, i)]).ok for i, c in enumerate(cases))

    def same(one: Function, two: Function) -> bool:
        return all(exercise.same_fault(case, seen(one, i), seen(two, i)) for i, case in enumerate(cases))

    with preserved_state():
        for mistake in base.misconceptions:
            if mistake.id in but or any(mistake.id == other.id for other in kept):
                continue
            earlier = [wrong for other in kept for wrong in (other.wrong, *other.variants)]
            wrong = [dress(spelling) for spelling in (mistake.wrong, *mistake.variants)]
            wrong = [one for one in wrong if not right(one) and not any(same(one, other) for other in earlier)]
            if wrong:
                kept.append(replace(mistake, wrong=wrong[0], variants=tuple(wrong[1:])))
    return replace(exercise, misconceptions=tuple(kept))
