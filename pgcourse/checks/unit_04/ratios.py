"""Showing a case of two log-probabilities with the ratios that they mean."""

from __future__ import annotations

from collections.abc import Callable

from pgcourse.checks.observe import split_signature
from pgcourse.checks.observe.record import Case
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
