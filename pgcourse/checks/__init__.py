"""Exercises that check themselves: `check`, `hint` and `solution` for notebooks, `run` and `exercises` for code.

The modules that hold the answers are imported when an exercise is first asked for, not before: a grading child can
import the observers (`pgcourse.checks.observe*`) and stay without them.
"""

from pgcourse.checks.exercise import CheckResult, Exercise, Misconception, exercises, get
from pgcourse.checks.learner import check, hint, solution
from pgcourse.checks.runner import judge_observations, run

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
