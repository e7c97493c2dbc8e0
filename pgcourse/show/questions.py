"""Questions in the page: a quiz answers at once, with the reason; a prediction is committed first."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InvalidInput
from .question_widgets import Prediction, Question
from .widgets import show_widget


def quiz(
    question_id: str,
    question: str,
    options: Sequence[str],
    *,
    answer: int | str,
    reasons: Sequence[str] | Mapping[Any, str],
) -> None:
    """Ask one question; the verdict comes with the reason of the option that was chosen.

    Args: options: at least two. answer: the right option, or its index from 0. reasons: why each option is
    right or wrong, in the order of the options or keyed by them. Without a front end the answer is there to
    unfold.
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
    return Question(question_id, question, options, index, list(reasons))


def build_prediction(
    question_id: str, question: str, options: Sequence[str], *, answer: int | str, explanation: str
) -> Prediction:
    """The question of `predict`, not shown yet."""
    options, index = _checked(question_id, options, answer)
    return Prediction(question_id, question, options, index, [explanation])


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
