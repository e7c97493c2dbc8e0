"""Questions in the page: a quiz answers at once, with the reason; a prediction is committed first."""

import html
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidInput
from ...study.prose import fill_placeholders
from .. import page
from ..live.embed import waking

# Left to right, so that nothing inside code or a formula is taken for emphasis.
MARKS = re.compile(r"`([^`]+)`|(\$[^$]+\$)|\*\*([^*]+)\*\*|(?<![\w*])\*([^*\s][^*]*)\*")
CONFIDENCES = {"a guess": 0.5, "fairly sure": 0.75, "very sure": 0.95}
SURE = (
    '<label data-sure>How sure are you?</label> <select><option value="">(not said)</option>'
    + "".join(f'<option value="{value}">{words}</option>' for words, value in CONFIDENCES.items())
    + "</select> "
)


def letter(index: int) -> str:
    """A, B, C ... for an option."""
    return chr(ord("A") + index)


def inline(text: str) -> str:
    """HTML of a line with `code`, **bold**, *emphasis* and placeholders; all else is text, formulas in $...$ included."""
    filled = fill_placeholders(text, escape=lambda part: html.escape(part, quote=False))
    return _replace(filled, lambda tag, inner: f"<{tag}>{inner}</{tag}>")


def plain(text: str) -> str:
    """The same line without its marks."""
    return _replace(fill_placeholders(text, hover=False), lambda tag, inner: inner)


def _replace(text: str, write: Callable[[str, str], str]) -> str:
    def one(match: re.Match[str]) -> str:
        code, formula, bold, emphasis = match.groups()
        if formula:
            return formula
        tag = "code" if code else "strong" if bold else "em"
        return write(tag, code or bold or emphasis)

    return MARKS.sub(one, text)


@dataclass(frozen=True)
class Question:
    """One question, with its options in the order in which they are shown.

    Fields: kind: "quiz" or "prediction". answer: index of the right option. reasons: of each option; of a prediction the
    one explanation.
    """

    kind: str
    id: str
    text: str
    options: list[str]
    answer: int
    reasons: list[str]

    def output(self) -> dict[str, str]:
        """Its display data: a form that lives in the page, and the answer to unfold where no script runs."""
        words = [plain(option) for option in self.options]
        identity, script = waking(
            "question", {"id": self.id, "kind": self.kind, "options": words, "answer": self.answer}
        )
        options = "".join(
            f'<li><label><input type="radio" hidden name="{identity}" value="{i}"><span>{inline(option)}</span></label></li>'
            for i, option in enumerate(self.options)
        )
        sure, press = (SURE, "Commit") if self.kind == "prediction" else ("", "Check")
        return {
            "text/html": (
                f'<div class="pg-question" data-live="{identity}"><div class="pg-stage"><fieldset>'
                f'<legend>{inline(self.text)}</legend><ol type="A">{options}</ol></fieldset>'
                f'<p class="pg-question-bar" hidden>{sure}<button type="button" disabled>{press}</button></p>'
                f'<div class="pg-verdict" role="status"></div></div><details class="pg-still">'
                f"<summary>Answer: think first, then unfold</summary>{self._unfolded()}</details>{script}</div>"
            ),
            "text/plain": "\n".join([plain(self.text), *(f"  {letter(i)}. {word}" for i, word in enumerate(words))]),
        }

    def _unfolded(self) -> str:
        """The answer, with the reason of each option."""
        if self.kind == "prediction":
            right = f"It was {letter(self.answer)}: {inline(self.options[self.answer])}."
            return f"<p data-reason>{right} {inline(self.reasons[0])}</p>"
        lines = "".join(
            f"<li>{'✓' if i == self.answer else '✗'} {letter(i)}. <span data-reason>{inline(reason)}</span></li>"
            for i, reason in enumerate(self.reasons)
        )
        return f"<ul>{lines}</ul>"


def quiz(
    question_id: str,
    question: str,
    options: Sequence[str],
    *,
    answer: int | str,
    reasons: Sequence[str] | Mapping[Any, str],
) -> None:
    """Ask one question; the verdict comes with the reason of the option that was chosen.

    Args: options: at least two; they are shown in an order drawn from the question's id. answer: the right
    option, or its index from 0. reasons: why each option is right or wrong, in the order of the options or keyed
    by them. Where no script runs, the answer is there to unfold.
    Raises: InvalidInput where answer or reasons do not fit the options.
    """
    page.display(build_quiz(question_id, question, options, answer=answer, reasons=reasons).output(), raw=True)


def predict(question_id: str, question: str, options: Sequence[str], *, answer: int | str, explanation: str) -> None:
    """Ask what a run will show, before it is shown. The answer is committed first, and compared when asked.

    Args: answer: what happened, an option or its index from 0. explanation: why.
    """
    asked = build_prediction(question_id, question, options, answer=answer, explanation=explanation)
    page.display(asked.output(), raw=True)


def build_quiz(
    question_id: str,
    question: str,
    options: Sequence[str],
    *,
    answer: int | str,
    reasons: Sequence[str] | Mapping[Any, str],
) -> Question:
    """The question of `quiz`, not shown yet."""
    options, index = _checked(question_id, options, answer)
    if isinstance(reasons, Mapping):
        reasons = [reasons.get(option, reasons.get(i, "")) for i, option in enumerate(options)]
    if isinstance(reasons, str) or len(reasons) != len(options) or not all(reasons):
        raise InvalidInput(f"{question_id}: give one reason for each of the {len(options)} options")
    order = shuffled(question_id, len(options))
    shown, why = [options[i] for i in order], [reasons[i] for i in order]
    return Question("quiz", question_id, question, shown, order.index(index), why)


def build_prediction(
    question_id: str, question: str, options: Sequence[str], *, answer: int | str, explanation: str
) -> Question:
    """The question of `predict`, not shown yet."""
    options, index = _checked(question_id, options, answer)
    order = shuffled(question_id, len(options))
    shown = [options[i] for i in order]
    return Question("prediction", question_id, question, shown, order.index(index), [explanation])


def shuffled(question_id: str, count: int) -> list[int]:
    """The order in which a question's options are shown: the same on every machine, another for another id."""
    return random.Random(question_id).sample(range(count), count)


def _checked(question_id: str, options: Sequence[str], answer: int | str) -> tuple[list[str], int]:
    options = list(options)
    if isinstance(answer, str) and answer in options:
        answer = options.index(answer)
    if len(options) < 2 or len(set(options)) < len(options):
        raise InvalidInput(f"{question_id}: give at least two different options")
    if isinstance(answer, str) or not 0 <= answer < len(options):
        raise InvalidInput(
            f"{question_id}: answer={answer!r} is none of the options; give one of them, or its index from 0"
        )
    return options, answer
