"""From observations to marks. Expected values are computed here, after every child of the class is dead."""

from __future__ import annotations

import builtins
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pgcourse.checks.compare import Verdict, alike
from pgcourse.checks.exercise import Exercise, Misconception, is_untouched
from pgcourse.checks.observe import observe
from pgcourse.checks.observe.record import Arrays, Case, settle
from pgcourse.checks.runner import recognise
from pgcourse.checks.sandbox import preserved_state
from pgcourse.grading.quarantine.prepare import EXAMPLES, Inputs, Work
from pgcourse.grading.quarantine.reading import failure
from pgcourse.grading.quarantine.running import Collected
from pgcourse.grading.quarantine.sandbox import arrays

LONGEST = 5000  # characters of what a student is told of one exercise
_KINDS = ("tensor", "numpy", "tuple", "list", "dict", "NoneType", "ellipsis", "function", "generator", "missing")


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
    judged = {id: _judge(answers[id], work, collected) for id in work.prepared.exercises}
    judged = {id: _with_cause(id, judged, work) for id in judged}
    said = (f"Cell {id.replace('released-', '(as handed out) ')} {what}" for id, what in collected.cell_errors.items())
    problem = filter(None, [work.reading.problem])
    return Judged(judged, (*problem, *work.reading.notes, *said), work.reading.look_at)


def _judge(answers: Answers, work: Work, collected: Collected) -> Judgement:
    """Judge one exercise."""
    id = answers.exercise.id
    if problem := work.reading.problem:
        return Judgement("not attempted", 0.0, f"{id}: not attempted\n{problem}")
    solution = work.reading.solutions.get(id, ())
    errors = [collected.cell_errors[cell] for cell in solution if cell in collected.cell_errors]
    cases = answers.inputs.cases
    seen = [
        settle(case, arrays.decode_arrays(each)) for case, each in zip(cases, collected.seen.get(id, []), strict=False)
    ]
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
        self.public = {EXAMPLES, *self._known_beforehand()}

    def _known_beforehand(self) -> set[str]:
        """Groups of hidden cases whose right answer needs no input: a refusal, or the same in every set."""
        groups: dict[str, list[Sequence[Arrays]]] = {}
        for name, right in zip(self.inputs.groups, self.expected, strict=True):
            if name != EXAMPLES and right:
                groups.setdefault(name, []).append(right)
        return {
            name
            for name, rights in groups.items()
            if any(map(_is_refusal, rights)) or (len(rights) > 1 and all(alike(rights[0][0], r[0]) for r in rights[1:]))
        }

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
            lines.append(f"What happened: {named.explanation}")
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

        The rest is what whoever knows nothing can get right: public examples, inputs that must be refused, and those with
        one right answer whatever the numbers are.
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
        said = _without_values(verdicts[index], observations[index] if index < len(observations) else {})
        return [f"{start}Of {len(verdicts) - visible} hidden inputs, {count[True]} are right.", said,
                f"The smallest that fails: {_outline(self.inputs.cases[index])}"]  # fmt: skip


def _is_refusal(right: Sequence[Arrays]) -> bool:
    return bool(right) and "error" in right[0]


def _without_values(verdict: Verdict, arrays: Arrays) -> str:
    """What differs, in words that can hold nothing of a hidden input: no number, no shape, no name of the student's own."""
    if "error" in arrays:
        return "Your code raised an error."
    text = verdict.statement
    for name, array in arrays.items():
        kind = str(array.ravel()[0]) if name.endswith("kind") and array.size else ""
        if kind and kind.partition(" ")[0] not in _KINDS and not isinstance(getattr(builtins, kind, None), type):
            text = text.replace(kind, "thing of another kind")  # a class of the student's own may be called anything
    return re.sub(r"\[[^\]]*\]|-?\d[\d.]*(e[-+]?\d+)?", "...", text) or "The numbers differ."


def _outline(case: Case) -> str:
    parts = []
    for name, value in case.items():
        shape = getattr(value, "shape", None)
        parts.append(name if shape is None else f"{name} {str(value.dtype).removeprefix('torch.')} {list(shape)}")
    return ", ".join(parts)
