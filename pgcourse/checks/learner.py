"""What a learner types in a notebook: `check("gae", gae)`, `hint("gae")`, `solution("gae", show=True)`."""

from __future__ import annotations

import inspect
import json
import os
import textwrap
from pathlib import Path
from typing import Any

from pgcourse.checks import progress
from pgcourse.checks.exercise import get
from pgcourse.checks.runner import run
from pgcourse.checks.wording import wrap

LOG_VARIABLE = "PGCOURSE_CHECK_LOG"


def check(id: str, attempt: Any) -> None:
    """Check your function and print the answer: not attempted, correct, or not yet with what to look at.

    Args: id: the exercise's id, the name of the function. attempt: the function itself, without brackets after it.
    Raises: InvalidInput for an unknown id; nothing for what your function does.
    """
    result = run(id, attempt)
    print(result.message)
    progress.record_check(id, result.status)
    if log := os.environ.get(LOG_VARIABLE):
        line = {"id": id, "status": result.status, "message": result.message, "misconception": result.misconception}
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def hint(id: str) -> None:
    """Print the next hint of an exercise; after the last one, all of them again."""
    exercise = get(id)
    taken, count = progress.hints_taken(id), len(exercise.hints)
    if taken < count:
        print(wrap([f"Hint {taken + 1} of {count}: {exercise.hints[taken]}"], first="", rest="  "))
        progress.record_hint(id, taken + 1)
        return
    print(wrap((f"Hint {number} of {count}: {text}" for number, text in enumerate(exercise.hints, 1)), "", "  "))
    print(f'That was the last hint. The answer: solution("{id}", show=True)')


def solution(id: str, show: bool = False) -> None:
    """Say how many hints are left; with `show=True`, print a solution."""
    exercise = get(id)
    if not show:
        left = len(exercise.hints) - progress.hints_taken(id)
        if left:
            text = f'{left} of {len(exercise.hints)} hints are left: hint("{id}") gives the next one.'
        else:
            text = f"You have read all {len(exercise.hints)} hints."
        print(wrap([f'{text} To read the solution all the same: solution("{id}", show=True)'], "", "  "))
        return
    progress.record_solution(id)
    print(textwrap.dedent(inspect.getsource(exercise.reference)).rstrip())
