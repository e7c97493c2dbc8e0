"""From observations to marks. Expected values are computed here, after every child of the class is dead."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import Tensor

from pgcourse.checks.compare import Verdict, alike
from pgcourse.checks.exercise import Exercise, Misconception, is_untouched
from pgcourse.checks.observe import PRECISION, RESEEDED, SWITCHED_OFF, observe, settled
from pgcourse.checks.observe.asking import Asking
from pgcourse.checks.observe.record import Arrays, Case
from pgcourse.checks.runner import recognise
from pgcourse.checks.sandbox import preserved_state
from pgcourse.grading.names import some
from pgcourse.grading.quarantine.prepare import EXAMPLES, Inputs, Work
from pgcourse.grading.quarantine.reading import failure
from pgcourse.grading.quarantine.running import Collected
from pgcourse.grading.quarantine.sandbox import arrays, wire

FAILED_AGAIN = (
    "A cell failed when the notebook ran once more, after a function had ended it: this can cost later exercises."
)
LEFT_OUT = (
    "Not run: {}. Nothing there seems to define or change what an answer uses; if an answer needs it, move it there."
)
MOST_SECONDS = 60.0  # on the processor, for one notebook; where every exercise needs all its misconceptions, it takes 6
LONGEST = 5000  # characters of what a student is told of one exercise
# What is said of a hidden input: a text that came back from it is one of these, one of a right answer, or an input's name.
_WORDS = {
    "NoneType", "ellipsis", "type", "function", "method", "generator", "tensor", "Tensor", "numpy array", "ndarray",
    "float", "int", "number", "missing entry", "nothing", "frozen parameter", "float32", "float64", "int64", "bool",
    "log_prob", "entropy", "sample", SWITCHED_OFF, PRECISION, RESEEDED,
}  # fmt: skip
_CONTAINERS = {"tensor", "tuple", "list", "dict"}  # that go on with what is in them, be it anything
_MEASURED = {"off-by-a-factor", "off-by-a-constant"}  # misconceptions whose explanation holds a number of the attempt's
_NUMBERS = re.compile(r"\[[^\]]*\]|-?\b(nan|inf)\b|(?<!\w)-?\d[\d.]*(e[-+]?\d+)?")


def _copy(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


# What one can answer without any work: nothing, 0, one of the first two inputs as it is, zeros of its shape or one for a row.
GUESSES: tuple[Callable[..., Any], ...] = (
    lambda *_, **named: named.get(""),  # None; with an empty body it would be a stub that nobody has filled in
    lambda *_, **__: 0.0,
    lambda first, *_, **__: _copy(first),
    lambda _, second, *__, **___: _copy(second),
    lambda first, *_, **__: 0 * first,
    lambda first, *_, **__: 0 * first.sum(-1),
)


@dataclass(frozen=True)
class Judgement:
    """What one attempt at one exercise is worth.

    Fields: status: as in `checks.CheckResult`, or "withheld" where a person has to look. share: of the points, 0 to 1.
    groups: name -> whether all its cases are right. message: for the student; holds no value of a hidden case.
    """

    status: str
    share: float
    message: str
    misconception: str | None = None
    groups: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """One notebook of one student. Fields: notes: for the student. look_at: for the teacher, what to look at."""

    judgements: dict[str, Judgement]
    notes: tuple[str, ...] = ()
    look_at: tuple[str, ...] = ()


def judge_notebook(work: Work, collected: Collected, answers: Mapping[str, Answers]) -> Judged:
    """Judge every exercise of a notebook. Args: collected: what its functions did. answers: exercise id -> answers.

    Where the grader itself failed, all of this notebook waits for a person, and nobody else's does.
    """
    why = work.reading.failed or collected.failed
    if not why:
        try:
            return _judged(work, collected, answers)
        except Exception as error:
            why = failure(error)
    judgements = {id: Judgement("withheld", 0.0, f"{id}: withheld\n{why}") for id in work.prepared.exercises}
    return Judged(judgements, (why,), (why,))


def _judged(work: Work, collected: Collected, answers: Mapping[str, Answers]) -> Judged:
    judged, started = {}, time.process_time()
    for id in work.prepared.exercises:
        judged[id] = _judge(answers[id], work, collected)
        # Asked here, and by no alarm: one that rings while a library is imported leaves half of it to all who come later.
        if time.process_time() - started > MOST_SECONDS:
            raise TimeoutError
    judged = {id: _with_cause(id, judged, work) for id in judged}
    # What is as it was handed out can fail where a learner's name means something else by now: not for a learner to mend.
    own = {id: what for id, what in collected.cell_errors.items() if not id.startswith("released-")}
    said = (f"Cell {id} {what}" for id, what in own.items())
    problem = filter(None, [work.reading.problem])
    again = [FAILED_AGAIN] * collected.failed_again
    wrong = any(each.status == "not yet" for each in judged.values())
    left_out = [some(f"cell {number}" for number in work.reading.left_out)] if wrong and work.reading.left_out else []
    notes = (*problem, *work.reading.notes, *said, *again, *map(LEFT_OUT.format, left_out))
    return Judged(judged, notes, work.reading.look_at)


def _judge(answers: Answers, work: Work, collected: Collected) -> Judgement:
    """Judge one exercise."""
    id = answers.exercise.id
    if problem := work.reading.problem:
        return Judgement("not attempted", 0.0, f"{id}: not attempted\n{problem}")
    solution = work.reading.solutions.get(id, ())
    errors = [collected.cell_errors[cell] for cell in solution if cell in collected.cell_errors]
    try:
        came = [arrays.decode_arrays(each) for each in collected.seen.get(id, [])]
    except wire.BadMessage as bad:  # facts from answers that each were small enough
        return Judgement("not yet", 0.0, f"✗ {id}: not yet\nYour code led to {bad}; that is no result.")
    cases = zip(answers.inputs.cases, came, strict=False)
    seen = [settled(answers.exercise.observe, case, each) for case, each in cases]
    judgement = answers.judge(
        seen, collected.stopped.get(id, ""), errors[-1] if errors else "", collected.printed.get(id, [])
    )
    return replace(judgement, message=judgement.message[:LONGEST])


def _with_cause(id: str, judged: Mapping[str, Judgement], work: Work) -> Judgement:
    """The judgement; where it is not right and calls another exercise that is not right either, it says so."""
    wrong = [name for name in work.reading.calls.get(id, ()) if name in judged and judged[name].status != "correct"]
    if judged[id].status != "not yet" or not wrong:
        return judged[id]
    first, *rest = judged[id].message.split("\n")
    said = f"It calls {' and '.join(wrong)}, not right yet: mend that first."
    return replace(judged[id], message="\n".join([first, said, *rest]))


class Answers:
    """The right answers to one exercise on its inputs, and what its misconceptions give, each computed once."""

    def __init__(self, exercise: Exercise, inputs: Inputs) -> None:
        self.exercise, self.inputs = exercise, inputs
        with preserved_state():
            self.expected = [exercise.expected(case) for case in inputs.cases]
        self._wrong: dict[tuple[int, int], Arrays] = {}
        self.public = {EXAMPLES, *self._known_beforehand(), *self._guessed()}

    def _known_beforehand(self) -> set[str]:
        """Groups of hidden cases whose right answer needs no input: a refusal, or the same for other inputs."""
        groups = {name: [right] for name, case in self.inputs.others.items() if (right := self._right(case))}
        for name, case in zip(self.inputs.groups, self.inputs.cases, strict=True):
            if name in groups:
                groups[name].append(self._right(case))
        return {
            name
            for name, rights in groups.items()
            if any(map(_is_refusal, rights)) or all(alike(rights[0][0], right[0]) for right in rights[1:])
        }

    def _right(self, case: Case) -> list[Arrays]:
        """The right answers to a case. Where a judge decides, what the reference does; of networks nothing: no two are alike."""
        for known, right in zip(self.inputs.cases, self.expected, strict=True):
            if known is case and right:
                return right
        if self.exercise.judge is not None:
            asked = isinstance(self.exercise.observe, Asking)
            return [] if asked else [self._observed(self.exercise, self.exercise.reference, case)]
        with preserved_state():
            return self.exercise.expected(case)

    def _guessed(self) -> set[str]:
        """Groups that an answer which computes nothing gets right, or the code which the notebook begins with."""
        handed_out = [] if self.exercise.handed_out is None else [self.exercise.handed_out]
        found: set[str] = set()
        for attempt in (*GUESSES, *self.exercise.guesses, *handed_out):
            verdicts = self.verdicts([self._observed(self.exercise, attempt, case) for case in self.inputs.cases])
            found |= {name for name, right in self.groups(verdicts).items() if right}
        return found

    def verdicts(self, observations: Sequence[Arrays]) -> list[Verdict]:
        """One a case; what is missing at the end is not right."""
        with preserved_state():
            judged = [
                self._verdict(case, arrays, right)
                for case, arrays, right in zip(self.inputs.cases, observations, self.expected, strict=False)
            ]
        return judged + [Verdict(False, "missing")] * (len(self.inputs.cases) - len(judged))

    def _verdict(self, case: Case, arrays: Arrays, right: Sequence[Arrays]) -> Verdict:
        try:
            return self.exercise.verdict(case, arrays, right)
        except Exception:  # arrays that no observer writes, in place of those that one does
            return Verdict(False, "nonsense", "What came back for this input is no result of a check.")

    def recognise(self, observations: Sequence[Arrays], verdicts: Sequence[Verdict]) -> Misconception | None:
        """The misconception that gives these numbers on all inputs, if one does."""
        try:
            return recognise(self.exercise, self.inputs.cases, observations, self.expected, verdicts, self._observed)
        except Exception:  # as above
            return None

    def _observed(self, exercise: Exercise, wrong: Any, case: Case) -> Arrays:
        key = id(wrong), id(case)
        if key not in self._wrong:
            with preserved_state():
                self._wrong[key] = observe(exercise.observe, wrong, case)
        return self._wrong[key]

    def judge(
        self, observations: Sequence[Arrays], stopped: str = "", cell_error: str = "", printed: Sequence[str] = ()
    ) -> Judgement:
        """Judge one attempt.

        Args: stopped: why its observation was cut short, if it was. cell_error: what happened to the cell that should
        define it. printed: what it printed, case by case; shown for public examples only.
        """
        id = self.exercise.id
        if not observations or is_untouched(observations[0]):
            if stopped or cell_error:
                reason = f"Your code {stopped}" if stopped else f"The cell that holds it {cell_error}"
                return Judgement("not yet", 0.0, f"✗ {id}: not yet\n{reason}")
            return Judgement("not attempted", 0.0, f"{id}: not attempted")
        verdicts = self.verdicts(observations)
        groups = self.groups(verdicts)
        if all(groups.values()):
            return Judgement("correct", 1.0, f"✓ {id}: correct", None, groups)
        share = self.share(verdicts, groups)
        named = self.recognise(observations, verdicts) if len(observations) == len(verdicts) else None
        lines = [f"✗ {id}: not yet"]
        if stopped:
            lines.append(f"Your code {stopped}")
        if not stopped or any(not verdict.ok and verdict.kind != "missing" for verdict in verdicts):
            lines += self._shown(verdicts, observations, printed)
        if named is not None:
            explanation = named.explanation
            lines.append(f"What happened: {_without_numbers(explanation) if named.id in _MEASURED else explanation}")
        if share:
            lines.append(f"Part of it is right: {share:.0%} of the points.")
        lines.append(f"Hint: {self.exercise.hints[0]}")
        return Judgement("not yet", share, "\n".join(lines), named.id if named else None, groups)

    def groups(self, verdicts: Sequence[Verdict]) -> dict[str, bool]:
        """For each group of cases, whether all of it is right."""
        named = list(zip(verdicts, self.inputs.groups, strict=True))
        return {name: all(v.ok for v, group in named if group == name) for name in dict.fromkeys(self.inputs.groups)}

    def share(self, verdicts: Sequence[Verdict], groups: dict[str, bool]) -> float:
        """Hidden groups earn; the rest, where any of it fails, takes a quarter away, and half where all of it does.

        The rest is what whoever knows nothing can get right: public examples, inputs that must be refused, those with one
        right answer whatever the numbers are, and those on which the code as handed out is right, or one of `GUESSES`.
        """
        hidden = [right for name, right in groups.items() if name not in self.public]
        rest = [v.ok for v, name in zip(verdicts, self.inputs.groups, strict=True) if name in self.public]
        earned = sum(hidden) / len(hidden) if hidden else 0.0
        return round(earned * (1.0 if all(rest) else 0.5 + 0.25 * sum(rest) / len(rest)), 4)

    def _shown(self, verdicts: Sequence[Verdict], observations: Sequence[Arrays], printed: Sequence[str]) -> list[str]:
        """The smallest failing public example in full; where all are right, what a hidden one looks like from outside."""
        visible = self.inputs.visible
        right = sum(verdict.ok for verdict in verdicts[:visible])
        for index, verdict in enumerate(verdicts[:visible]):
            if not verdict.ok and verdict.kind != "missing":
                tally = f"example {index + 1}; {right} of {visible} examples are right"
                case = self.exercise.text(self.inputs.cases[index])
                shown = [verdict.statement, f"Smallest failing input ({tally}): {case}", verdict.where]
                if index < len(printed) and (text := " | ".join(printed[index].split("\n")).strip(" |")):
                    shown.append(f"Your code printed here: {text[:200]}")
                return [line for line in shown if line]
        index = next((i for i, verdict in enumerate(verdicts) if not verdict.ok), 0)
        count = Counter(v.ok for v in verdicts[visible:])
        start = f"All {visible} examples are right. " if visible else ""
        said = self._said(index, observations[index] if index < len(observations) else None)
        return [f"{start}Of {len(verdicts) - visible} hidden inputs, {count[True]} are right.", said,
                f"The smallest that fails: {_outline(self.inputs.cases[index])}"]  # fmt: skip

    def _said(self, index: int, arrays: Arrays | None) -> str:
        """What differs at a hidden input, in a sentence of ours: made of what came back without its numbers and words."""
        if arrays is None:
            return "Nothing came back for it."
        if "error" in arrays:
            return "Your code raised an error."
        case = self.inputs.cases[index]
        right = self.expected[index] or [self._observed(self.exercise, self.exercise.reference, case)]
        known = _WORDS | {*case} | {text for each in right for array in each.values() for text in _texts(array)}
        with preserved_state():
            verdict = self._verdict(case, _in_words_of_ours(arrays, known), self.expected[index])
        return _without_numbers(verdict.statement) or "The numbers differ."


def _is_refusal(right: Sequence[Arrays]) -> bool:
    return bool(right) and "error" in right[0]


def _in_words_of_ours(arrays: Arrays, known: set[str]) -> Arrays:
    """The observation with one text for each array of texts, and this one known: what else it says could say anything."""

    def word(text: str) -> str:
        first = text.partition(" ")[0]
        return text if text in known else f"{first if first in _CONTAINERS else 'thing'} of another kind"

    return {
        name: np.array([word(text) for text in _texts(array)[:1]], dtype=str).reshape(() if not array.ndim else -1)
        if array.dtype.kind == "U"
        else array
        for name, array in arrays.items()
    }


def _texts(array: np.ndarray) -> list[str]:
    return [str(text) for text in array.ravel()] if array.dtype.kind == "U" else []


def _without_numbers(text: str) -> str:
    return _NUMBERS.sub("...", text)


def _outline(case: Case) -> str:
    parts = []
    for name, value in case.items():
        shape = getattr(value, "shape", None)
        parts.append(name if shape is None else f"{name} {str(value.dtype).removeprefix('torch.')} {list(shape)}")
    return ", ".join(parts)
