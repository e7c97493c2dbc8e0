"""Questions in the page: a quiz answers at once, with the reason; a prediction is committed first."""

import html
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ipywidgets

from ...errors import InvalidInput
from ...study.prose import fill_placeholders
from ..page.widgets import show_widget

WRAPPING = "pgcourse-wrapping"  # class of widgets whose labels may take several lines
WRAP_RULE = (
    f"<style>.{WRAPPING}, .{WRAPPING} .widget-radio-box {{ max-width: 100%; width: auto }} "
    f".{WRAPPING} label {{ white-space: normal; height: auto; line-height: 1.4 }}</style>"
)
# Left to right, so that nothing inside code or a formula is taken for emphasis.
MARKS = re.compile(r"`([^`]+)`|(\$[^$]+\$)|\*\*([^*]+)\*\*|(?<![\w*])\*([^*\s][^*]*)\*")
NOT_SAID = 0.0  # and not None, which a menu shows as nothing chosen
CONFIDENCES = {"a guess": 0.5, "fairly sure": 0.75, "very sure": 0.95}


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


@dataclass
class Question:
    """One question with its widgets. `chosen` is the index of the option that is marked, None before."""

    id: str
    text: str
    options: list[str]
    answer: int
    reasons: list[str]
    radio: ipywidgets.RadioButtons = field(init=False)
    button: ipywidgets.Button = field(init=False)
    verdict: ipywidgets.HTMLMath = field(init=False)

    def __post_init__(self) -> None:
        labels = [(f"{letter(i)}. {plain(option)}", i) for i, option in enumerate(self.options)]
        # A label of this layout wraps; the default one cuts a sentence at 300 pixels.
        self.radio = ipywidgets.RadioButtons(options=labels, value=None, layout={"width": "auto", "max_width": "100%"})
        self.radio.add_class(WRAPPING)
        self.button = ipywidgets.Button(description="Check", disabled=True, tooltip="Check the marked answer")
        self.verdict = ipywidgets.HTMLMath()
        self.radio.observe(self._mark, names="value")
        self.button.on_click(self._press)

    def _mark(self, change: Any) -> None:
        self.button.disabled = self.radio.value is None

    def _press(self, button: ipywidgets.Button) -> None:
        chosen = self.radio.value
        if chosen is None:
            return
        right = chosen == self.answer
        keep(self.id, self.options[chosen], None, right)
        word = "✓ Right." if right else "✗ Not this one."
        self._say(f"<strong>{word}</strong> {inline(self.reasons[chosen])}")

    def _say(self, text: str) -> None:
        self.verdict.value = f'<p role="status" aria-live="polite" style="line-height: 1.4">{text}</p>'

    @property
    def controls(self) -> list[ipywidgets.Widget]:
        """What stands under the question, top to bottom."""
        return [self.radio, self.button, self.verdict]

    @property
    def unfolded(self) -> str:
        """The answer in the static page."""
        lines = "".join(
            f"<li>{'✓' if i == self.answer else '✗'} {letter(i)}. {inline(reason)}</li>"
            for i, reason in enumerate(self.reasons)
        )
        return f"<ul style='list-style: none; padding-left: 1em'>{lines}</ul>"

    def shown(self) -> tuple[ipywidgets.Widget, dict[str, str]]:
        """The widget, and the static form of the question."""
        head = ipywidgets.HTMLMath(f"{WRAP_RULE}<p style='line-height: 1.4'><strong>{inline(self.text)}</strong></p>")
        listed = "".join(f"<li>{inline(option)}</li>" for option in self.options)
        static = (
            f"<p><strong>{inline(self.text)}</strong></p><ol type='A'>{listed}</ol>"
            f"<details><summary>Answer: think first, then unfold</summary>{self.unfolded}</details>"
        )
        options = "\n".join(f"  {letter(i)}. {plain(option)}" for i, option in enumerate(self.options))
        return ipywidgets.VBox([head, *self.controls]), {
            "text/html": static,
            "text/plain": f"{plain(self.text)}\n{options}",
        }


@dataclass
class Prediction(Question):
    """A question that is committed first. The verdict waits until the learner has seen what happened."""

    confidence: ipywidgets.Dropdown = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.confidence = ipywidgets.Dropdown(
            options=[("(not said)", NOT_SAID), *CONFIDENCES.items()],
            value=NOT_SAID,
            description="How sure are you?",
            style={"description_width": "initial"},
            layout={"width": "max-content"},
        )
        self.button.description = "Commit"
        self.button.tooltip = "Commit the marked answer"
        self.committed: int | None = None

    def _press(self, button: ipywidgets.Button) -> None:
        if self.radio.value is None:
            return
        if self.committed is None:
            self.committed = self.radio.value
            self.radio.disabled = self.confidence.disabled = True
            keep(self.id, self.options[self.committed], self.confidence.value or None, self.committed == self.answer)
            self.button.description = "Compare"
            self.button.tooltip = "Compare your answer with what happened"
            self._say(f"Committed: {letter(self.committed)}. Now run the next cell and look, then press Compare.")
            return
        self.button.disabled = True
        said = f"You said {letter(self.committed)}"
        if self.confidence.value != NOT_SAID:
            said += f", {self.confidence.label}"
        word = "✓ That is what happened." if self.committed == self.answer else "✗ It came out otherwise."
        self._say(f"<strong>{word}</strong> {said}. {self.unfolded}")

    @property
    def controls(self) -> list[ipywidgets.Widget]:
        return [self.radio, self.confidence, self.button, self.verdict]

    @property
    def unfolded(self) -> str:
        return f"It was {letter(self.answer)}: {inline(self.options[self.answer])}. {inline(self.reasons[0])}"


def keep(question_id: str, answer: str, confidence: float | None, correct: bool) -> None:
    """Record the answer with the learner's progress."""
    from ...checks import progress

    progress.record_answer(question_id, answer, confidence, correct)


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
    by them. Without a front end the answer is there to unfold.
    Raises: InvalidInput where answer or reasons do not fit the options.
    """
    show_widget(*build_quiz(question_id, question, options, answer=answer, reasons=reasons).shown())


def predict(question_id: str, question: str, options: Sequence[str], *, answer: int | str, explanation: str) -> None:
    """Ask what a run will show, before it is shown. The answer is committed first, and compared when asked.

    Args: answer: what happened, an option or its index from 0. explanation: why.
    """
    show_widget(*build_prediction(question_id, question, options, answer=answer, explanation=explanation).shown())


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
    return Question(question_id, question, [options[i] for i in order], order.index(index), [reasons[i] for i in order])


def build_prediction(
    question_id: str, question: str, options: Sequence[str], *, answer: int | str, explanation: str
) -> Prediction:
    """The question of `predict`, not shown yet."""
    options, index = _checked(question_id, options, answer)
    order = shuffled(question_id, len(options))
    return Prediction(question_id, question, [options[i] for i in order], order.index(index), [explanation])


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
