"""What the exercises about the probability ratio share: a case shown with its ratios, and mistakes in the ratio."""

from collections.abc import Callable

from pgcourse.checks.authoring import Case, Misconception
from pgcourse.checks.observe import split_signature
from pgcourse.checks.rewritten import Edits
from pgcourse.checks.wording import number, value

MOST = 8  # ratios to list; more are no help


def call_with_ratios(id: str, signature: str) -> Callable[[Case], str]:
    """The call that a learner can type, and behind it the ratios."""
    positional, keyword = split_signature(signature)

    def show(case: Case) -> str:
        parts = [value(case[name]) for name in positional] + [f"{name}={value(case[name])}" for name in keyword]
        call = f"{id}({', '.join(parts)})"
        ratios = (case["log_prob"].double() - case["old_log_prob"].double()).exp().tolist()
        if len(ratios) > MOST:
            return call
        return f"{call} (ratio{'s' * (len(ratios) > 1)} {', '.join(number(ratio) for ratio in ratios)})"

    return show


def mistakes_in_the_ratio(mistake: Callable[..., Misconception], *variants: Edits) -> tuple[Misconception, ...]:
    """Mistakes in `log_ratio = log_prob - old_log_prob` and `log_ratio.exp()`, which stand in the right answer of each exercise.

    Args: mistake: made by `edits_of` that answer. variants: further edits; each mistake is made with each of them too.
    """

    def in_the_ratio(id: str, explanation: str, *spellings: Edits) -> Misconception:
        return mistake(id, explanation, *({**one, **more} for more in ({}, *variants) for one in spellings))

    return (
        in_the_ratio(
            "exponential-missing",
            "You used the difference of the log-probabilities as the ratio. That is the ratio's logarithm, 0 where nothing has "
            "changed; the ratio is 1 there. Take the exponential of the difference.",
            {"log_ratio.exp()": "log_ratio"},
        ),
        in_the_ratio(
            "probabilities-divided",
            "You turned both into probabilities and divided. e^-200 is 0 in float32, so the division gives NaN, or, with a small "
            "number added below, 0. Subtract the logarithms first and take the exponential last.",
            {"log_ratio.exp()": "log_prob.exp() / (old_log_prob.exp() + 1e-8)"},
            {"log_ratio.exp()": "log_prob.exp() / old_log_prob.exp()"},
        ),
        in_the_ratio(
            "ratio-upside-down",
            "Your ratio is the old probability over the new one. It must be above 1 where the new policy likes the action "
            "better: the new policy stands on top, and the one that sampled the actions below.",
            {"log_prob - old_log_prob": "old_log_prob - log_prob"},
        ),
    )
