"""What a patient of the clinic is: a run with one silent bug, and the function that holds it; and its wrong patches."""

import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pgcourse.checks.authoring import Arrays, Exercise, Misconception, rewritten
from pgcourse.checks.observe import observe
from pgcourse.checks.sandbox import preserved_state
from pgcourse.study.traps import Trap

Function = Callable[..., Any]
Dress = Callable[[Function], Function]
SEEDS = (7, 1, 2)  # of the random cases on which wrong answers are told apart


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


class Gathered(Sequence[Misconception]):
    """Misconceptions that are gathered when one is first asked for: nothing is computed while modules are imported."""

    def __init__(self, gather: Callable[[], Sequence[Misconception]]) -> None:
        self._all = cache(gather)

    def __len__(self) -> int:
        return len(self._all())

    def __getitem__(self, index: Any) -> Any:
        return self._all()[index]


def exercise_of(
    patient: Patient, look_at: str, *, like: Exercise | None = None, dress: Dress = lambda wrong: wrong, **fields: Any
) -> Exercise:
    """A patient's exercise, which may borrow from another one: what is not given, and misconceptions behind its own.

    Args: look_at: a sentence or two for who returns the code as it came in. dress: a wrong answer to `like` -> one to this
    exercise. fields: of the exercise.
    """
    unpatched = f"These are the numbers of the code as you opened it: the bug is still in there. {look_at}"
    own = (Misconception("unpatched", unpatched, patient.ill), *fields.pop("misconceptions"))
    if like is not None:
        fields = {"cases": like.cases, "observe": like.observe} | fields
    exercise = Exercise.listed(
        patient.id, reference=patient.cured, misconceptions=own, handed_out=patient.ill, **fields
    )
    if like is None:
        return exercise
    return replace(exercise, misconceptions=Gathered(lambda: with_mistakes_of(like, exercise, dress)))


def with_loss_in(function: Function) -> Dress:
    """A dress for wrong `ppo_clip_loss`: each takes the place of the clipped loss that stands in this function."""
    own = "-torch.minimum(ratio * advantages, clipped * advantages).mean()"
    edits = {own: "wrong(log_prob, old_log_prob, advantages, clip_coef=clip_coef)"}
    return lambda wrong: rewritten(function, edits, wrong=wrong)


def with_mistakes_of(base: Exercise, exercise: Exercise, dress: Dress) -> Sequence[Misconception]:
    """The exercise's misconceptions and those of `base`, each in the patient's clothes.

    Left out are those that may be right on this exercise's inputs, and those that may do what one before them does.
    """
    batches = [{repr(case): case for case in exercise.cases(seed)} for seed in SEEDS]
    cases = {name: case for batch in batches for name, case in batch.items()}  # fixed ones once
    kept = list(exercise.misconceptions)

    @cache
    def seen(attempt: Function, name: str) -> Arrays:
        return observe(exercise.observe, attempt, cases[name])

    @cache
    def right(one: Function, name: str) -> bool:
        return exercise.verdict(cases[name], seen(one, name), [seen(exercise.reference, name)]).ok

    @cache
    def same(one: Function, two: Function, name: str) -> bool:
        return exercise.same_fault(cases[name], seen(one, name), seen(two, name))

    def in_a_batch(holds: Callable[..., bool], *attempts: Function) -> bool:
        return any(all(holds(*attempts, name) for name in batch) for batch in batches)

    with preserved_state():
        for borrowed in base.misconceptions:
            if any(borrowed.id == other.id for other in kept):
                continue
            earlier = [wrong for other in kept for wrong in (other.wrong, *other.variants)]
            wrong = [dress(spelling) for spelling in (borrowed.wrong, *borrowed.variants)]
            wrong = [one for one in wrong if not in_a_batch(right, one)]
            wrong = [one for one in wrong if not any(in_a_batch(same, one, other) for other in earlier)]
            if wrong:
                kept.append(replace(borrowed, wrong=wrong[0], variants=tuple(wrong[1:])))
    return kept
