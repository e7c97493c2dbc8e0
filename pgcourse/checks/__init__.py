"""Exercises that check themselves: `check`, `hint` and `solution` for notebooks, `run` and `exercises` for code.

Names are loaded when they are asked for: `pgcourse progress` needs no torch, `check("gae", gae)` no exercise but gae, and a
grading child, which imports `pgcourse.checks.observe`, stays without the answers.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgcourse.checks.exercise import CheckResult, Exercise, Misconception, exercises, get
    from pgcourse.checks.learner import check, hint, solution
    from pgcourse.checks.runner import judge_observations, run

_HOMES = {
    "exercise": ("CheckResult", "Exercise", "Misconception", "exercises", "get"),
    "learner": ("check", "hint", "solution"),
    "runner": ("judge_observations", "run"),
}

__all__ = [
    "CheckResult",
    "Exercise",
    "Misconception",
    "check",
    "exercises",
    "get",
    "hint",
    "judge_observations",
    "run",
    "solution",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
