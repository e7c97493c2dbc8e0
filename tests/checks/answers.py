"""Answers to the exercises that only tests see.

`right/<id>.py` holds right answers in other styles, by the authors of the checks; `recall/<id>.py` wrong and unusual right
ones by readers who had the lesson and the stub and never saw the checks. In both, a function whose name begins with
`right_` has to pass, and one whose name begins with `wrong_` must not.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from pgcourse.checks.exercise import Exercise


def with_kept_cases(exercise: Exercise) -> Exercise:
    """The same exercise; a seed gives the very same case objects each time."""
    return replace(exercise, cases=cache(lambda seed: list(exercise.cases(seed))))


def right(id: str) -> list[Callable[..., Any]]:
    """Right answers in other styles, by the authors."""
    return _named(f"tests.checks.right.{id}", "right_")


def recall(id: str, prefix: str) -> list[Callable[..., Any]]:
    """Answers by readers. Args: prefix: "wrong_" or "right_"."""
    return _named(f"tests.checks.recall.{id}", prefix)


@cache
def _named(module: str, prefix: str) -> list[Callable[..., Any]]:
    return [value for name, value in vars(importlib.import_module(module)).items() if name.startswith(prefix)]
