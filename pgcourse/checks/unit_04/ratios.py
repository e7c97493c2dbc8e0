"""What the exercises about the probability ratio share: a case shown with its ratios, wrong answers from a formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.observe import split_signature
from pgcourse.checks.observe.record import Case
from pgcourse.checks.wording import number, value

MOST = 8  # ratios to list; more are no help
Formula = Callable[..., Any]  # of log_prob, old_log_prob and what else the exercise gives


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


def in_training(formula: Formula) -> Formula:
    """The formula with a gradient into log_prob alone: what follows it is data."""

    def attempt(log_prob: Tensor, *data: Tensor, **settings: Any) -> Any:
        return formula(log_prob, *(tensor.detach() for tensor in data), **settings)

    return attempt


def mistake(id: str, explanation: str, *formulas: Formula) -> Misconception:
    """A misconception in a loss or in a part of one; further formulas are other spellings."""
    wrong, *variants = map(in_training, formulas)
    return Misconception(id, explanation, wrong, tuple(variants))


def gauge_mistake(id: str, explanation: str, *formulas: Formula) -> Misconception:
    """A misconception in a number that nobody trains on."""
    wrong, *variants = map(torch.no_grad(), formulas)
    return Misconception(id, explanation, wrong, tuple(variants))


def in_dtype(gauge: Formula, dtype: torch.dtype) -> Formula:
    """The gauge with its answer in this dtype: a plain number is as good in any."""

    def answer(*tensors: Tensor, **settings: Any) -> Tensor:
        result: Tensor = gauge(*tensors, **settings).to(dtype)
        return result

    return answer
