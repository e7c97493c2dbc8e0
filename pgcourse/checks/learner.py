"""What a learner types: `check("gae", gae)`, `hint("gae")`, `solution("gae", show=True)`. A card in a notebook, else text."""

from __future__ import annotations

import inspect
import json
import os
import textwrap
from pathlib import Path
from typing import Any

from pgcourse.checks import progress
from pgcourse.checks.card import card, closing, hint_card, verdict_card, words
from pgcourse.checks.card import show as show_card
from pgcourse.checks.exercise import get
from pgcourse.checks.listing import listing
from pgcourse.checks.runner import run
from pgcourse.checks.wording import wrap

LOG_VARIABLE = "PGCOURSE_CHECK_LOG"


def check(id: str, attempt: Any) -> None:
    """Check your function and show the answer: not attempted, correct, or not yet with what to look at.

    Args: id: the exercise's id, the name of the function. attempt: the function itself, without brackets after it.
    Raises: InvalidInput for an unknown id; nothing for what your function does.
    """
    result = run(id, attempt)
    show_card(verdict_card(id, result), result.message)
    progress.record_check(id, result.status)
    if log := os.environ.get(LOG_VARIABLE):
        line = {"id": id, "status": result.status, "message": result.message, "misconception": result.misconception}
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def hint(id: str) -> None:
    """Show the next hint of an exercise; after the last one, all of them again."""
    exercise = get(id)
    taken, count = progress.hints_taken(id), len(exercise.hints)
    hints = list(enumerate(exercise.hints, 1))
    last = ""
    if taken < count:
        hints = [hints[taken]]
    else:
        last = f'That was the last hint. The answer: solution("{id}", show=True)'
    text = wrap((f"Hint {number} of {count}: {words}" for number, words in hints), "", "  ")
    show_card(hint_card(id, hints, count, last=last), "\n".join(filter(None, [text, last])))
    if taken < count:
        progress.record_hint(id, taken + 1)


def solution(id: str, show: bool = False) -> None:
    """Say how many hints are left; with `show=True`, show a solution."""
    exercise = get(id)
    if not show:
        left = len(exercise.hints) - progress.hints_taken(id)
        if left:
            text = f'{left} of {len(exercise.hints)} hints are left: hint("{id}") gives the next one.'
        else:
            text = f"You have read all {len(exercise.hints)} hints."
        asking = f'To read the solution all the same: solution("{id}", show=True)'
        show_card(card(exercise.title, words(text), closing(asking), name=id), wrap([f"{text} {asking}"], "", "  "))
        return
    progress.record_solution(id)
    code = textwrap.dedent(inspect.getsource(exercise.reference)).rstrip()
    show_card(card(exercise.title, words("A solution:"), listing(code), name=id), code)
