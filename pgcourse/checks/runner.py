"""Run an attempt through an exercise, judge what was observed, and put the answer into words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pgcourse.checks.compare import Verdict, kinds_alike, relation, values_alike
from pgcourse.checks.exercise import CheckResult, Exercise, Finding, Misconception, get, is_untouched
from pgcourse.checks.mistakes import numbers_are_right, recognise_everywhere
from pgcourse.checks.observe import OPPOSITE, TURNED, TimeLimit, observe
from pgcourse.checks.observe.record import Arrays, Case
from pgcourse.checks.progress import hints_taken
from pgcourse.checks.sandbox import captured_output, preserved_state, time_limit
from pgcourse.checks.wording import sentence_label, wrap

DEFAULT_SEED = 7
TIME_LIMIT = 10.0  # seconds for all cases of one check together


def run(id: str, attempt: Any, seed: int | None = None) -> CheckResult:
    """Check an attempt at the exercise `id`. Never raises for what the attempt does.

    Args: attempt: the learner's function or class. seed: of the random cases; None gives the same ones each time, so
    that a notebook's output is reproducible. Raises: InvalidInput for an unknown id.
    """
    return run_exercise(get(id), attempt, DEFAULT_SEED if seed is None else seed)


def run_exercise(exercise: Exercise, attempt: Any, seed: int = DEFAULT_SEED) -> CheckResult:
    """`run` for an exercise that is at hand."""
    with preserved_state():
        if getattr(exercise.observe, "makes_optimizers", False):
            load_optimizers()
        cases = list(exercise.cases(seed))
    observations: list[Arrays] = []
    printed: list[str] = []
    try:
        # The outer two are there for an alarm that arrives while the inner two put things back.
        with preserved_state(), captured_output(), time_limit(TIME_LIMIT):
            for case in cases:
                with preserved_state(), captured_output() as output:
                    observations.append(observe(exercise.observe, attempt, case))
                printed.append(output.getvalue())
                if is_untouched(observations[0]):
                    break
    except TimeLimit:
        finding = Finding(
            statement=f"Your code was stopped after {TIME_LIMIT:g} seconds: does a loop never end?",
            which="Input",
            input=exercise.text(cases[len(observations)]),
            next=_next_hint(exercise),
        )
        return _not_yet(exercise, finding)
    return judge_observations(exercise, cases, observations, printed)


def load_optimizers() -> None:
    """Let torch import what it imports at the first optimiser step: a second, or several on a busy machine.

    A time limit that struck in the middle would leave torch broken for the rest of the process.
    """
    from pgcourse.optim import load_fully

    load_fully()


def judge_observations(
    exercise: Exercise, cases: Sequence[Case], observations: Sequence[Arrays], printed: Sequence[str] = ()
) -> CheckResult:
    """The answer to a list of observations, one a case (one is enough for an untouched stub).

    A grader that let a child process observe calls this too: expected values are computed here and nowhere earlier.
    """
    points = f"{exercise.points} point{'s' * (exercise.points != 1)}"
    if is_untouched(observations[0]):
        text = f"{exercise.id}: not attempted ({points}, about {exercise.minutes} minutes)"
        return CheckResult("not attempted", text)
    with preserved_state():
        expected = [exercise.expected(case) for case in cases]
        verdicts = [
            exercise.verdict(case, arrays, right)
            for case, arrays, right in zip(cases, observations, expected, strict=True)
        ]
        if all(verdict.ok for verdict in verdicts):
            finding = Finding(right=len(cases), cases=len(cases))
            return CheckResult("correct", f"✓ {exercise.id}: correct ({points})", finding=finding)
        named = recognise(exercise, cases, observations, expected, verdicts)
        about = named and _shown_by(exercise, named, cases, observations, expected)
    # An attempt may have a second fault beside the named one: shown is a case that the explanation is about.
    first = _first_failing(verdicts, about or None)
    right = sum(verdict.ok for verdict in verdicts)
    tally = f"case {first + 1}; {right} of {len(cases)} cases are right" if len(cases) > 1 else "the only case"
    which = "Smallest failing input" if all(verdict.ok for verdict in verdicts[:first]) else "A failing input"
    shown = printed[first].strip().splitlines()[:5] if printed else []
    finding = Finding(
        right=right,
        cases=len(cases),
        statement=_statement(exercise, verdicts[first], observations, expected),
        which=f"{which} ({tally})",
        input=exercise.text(cases[first]),
        where=verdicts[first].where,
        numbers=verdicts[first].numbers,
        explanation=named.explanation if named else "",
        printed=" | ".join(line.strip()[:80] for line in shown),
        next=_next_hint(exercise),
    )
    return _not_yet(exercise, finding, named)


def _not_yet(exercise: Exercise, finding: Finding, named: Misconception | None = None) -> CheckResult:
    message = f"✗ {exercise.id}: not yet\n{wrap(finding.lines())}"
    return CheckResult("not yet", message, named.id if named else None, finding)


def recognise(
    exercise: Exercise,
    cases: Sequence[Case],
    observations: Sequence[Arrays],
    expected: Sequence[list[Arrays]],
    verdicts: Sequence[Verdict],
    observed: Callable[[Exercise, Any, Case], Arrays] | None = None,
) -> Misconception | None:
    """The misconception that does on every case what the attempt did; None where none does.

    Those of the exercise come first, down to gradients and dtypes; then what is wrong in the same way everywhere; then
    those of the exercise again by their values alone, since whoever has the formula wrong may also forget a detach.

    Args: observed: what a wrong answer does on a case, for callers that keep it; None runs it.
    """
    observed = observed or _observed

    def same_values(exercise: Exercise, case: Case, first: Arrays, second: Arrays) -> bool:
        return values_alike(first, second, exercise.tolerance) and kinds_alike(first, second, exercise.tolerance)

    def first_that(same: Callable[[Exercise, Case, Arrays, Arrays], bool]) -> Misconception | None:
        for misconception in exercise.misconceptions:
            for wrong in (misconception.wrong, *misconception.variants):
                if all(
                    _same(exercise, case, arrays, observed(exercise, wrong, case), right, same)
                    for case, arrays, right in zip(cases, observations, expected, strict=True)
                ):
                    return misconception
        return None

    if named := first_that(Exercise.same_fault):
        return named
    by_values = exercise.judge is None and not numbers_are_right(exercise, observations, expected)
    if by_values and (named := first_that(same_values)):
        return named
    return recognise_everywhere(exercise, cases, observations, expected, verdicts)


def _same(
    exercise: Exercise,
    case: Case,
    first: Arrays,
    second: Arrays,
    right: list[Arrays],
    same: Callable[[Exercise, Case, Arrays, Arrays], bool] = Exercise.same_fault,
) -> bool:
    if right and "error" in right[0] and "error" in first and "error" in second:
        return bool(first["error"][0] == second["error"][0])  # the words of a refusal are free, its type is not
    return same(exercise, case, first, second)


def _observed(exercise: Exercise, attempt: Any, case: Case) -> Arrays:
    with preserved_state():
        return observe(exercise.observe, attempt, case)


def _shown_by(
    exercise: Exercise,
    named: Misconception,
    cases: Sequence[Case],
    observations: Sequence[Arrays],
    expected: Sequence[list[Arrays]],
) -> list[int]:
    """The cases on which the misconception's first spelling, which makes no other mistake, goes wrong too.

    Only those where it goes wrong as the attempt does, if there are any; else those where the attempt gives finite
    numbers: a wrong scale shows in a number, not in a NaN.
    """
    observed = [_observed(exercise, named.wrong, case) for case in cases]
    verdicts = [exercise.verdict(*each) for each in zip(cases, observed, expected, strict=True)]
    failing = [index for index, verdict in enumerate(verdicts) if not verdict.ok]
    alike = [i for i in failing if _same(exercise, cases[i], observations[i], observed[i], expected[i])]
    finite = [i for i in failing if all(np.isfinite(a).all() for a in observations[i].values() if a.dtype.kind in "fi")]
    return alike or finite or failing


def _first_failing(verdicts: Sequence[Verdict], among: Sequence[int] | None = None) -> int:
    """The smallest failing case. One whose value is wrong goes before one that only has another fault."""
    failing = [index for index, verdict in enumerate(verdicts) if not verdict.ok]
    failing = [index for index in failing if among is None or index in among] or failing
    later = ("gradient", "shared memory", "left behind", "kept")
    at_once = (i for i in failing if not any(word in verdicts[i].kind for word in later))
    return next((i for i in at_once if not verdicts[i].name.startswith((TURNED, OPPOSITE))), failing[0])


def _statement(
    exercise: Exercise, first: Verdict, observations: Sequence[Arrays], expected: Sequence[list[Arrays]]
) -> str:
    """The first failing case's statement, or how the numbers relate over all cases where one sentence says that."""
    name = first.name
    # An input that must be refused has an error in place of the array.
    wanted = [(got, right[0]) for got, right in zip(observations, expected, strict=True) if right and name in right[0]]
    if first.kind not in ("value", "gradient") or any(name not in got for got, _ in wanted):
        return first.statement
    pairs: list[tuple[np.ndarray, np.ndarray]] = [(got[name], right[name]) for got, right in wanted]
    if pairs and (words := relation(pairs, exercise.tolerance)):
        return f"{sentence_label(name)} is {words}."
    return first.statement


def _next_hint(exercise: Exercise) -> str:
    taken = hints_taken(exercise.id)
    if taken < len(exercise.hints):
        return f'Next: hint("{exercise.id}") gives hint {taken + 1} of {len(exercise.hints)}.'
    return f'All {len(exercise.hints)} hints are taken: solution("{exercise.id}") says how to see the answer.'
