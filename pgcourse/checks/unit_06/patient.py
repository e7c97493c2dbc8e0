"""What a patient of the clinic is: a run with one silent bug, and the function that holds it."""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pgcourse.checks import catalogue
from pgcourse.study.traps import Trap

Function = Callable[..., Any]


@dataclass(frozen=True)
class Patient:
    """One patient: its measured run is that of its trap, and its function gives that very run.

    Fields:
      id: "patient_01" and so on, the exercise's id.
      trap: the bug, with its healthy settings and what the diagnostics show of it.
      part: what the function does, in a few words.
      ill, cured: the function with the bug and without.
      seams: function -> keyword arguments of `train` that let a run use it.
    """

    id: str
    trap: Trap
    part: str
    ill: Function
    cured: Function
    seams: Callable[[Function], dict[str, Any]]

    def source(self) -> str:
        """The code with the bug, under the name that the learner gives it."""
        code = textwrap.dedent(inspect.getsource(self.ill)).rstrip()
        code = re.sub(r"  # type: ignore\[[\w-]+\]", "", code)  # learners' functions have no types
        return code.replace("def ill(", f"def {self.id}(", 1)

    @property
    def settings(self) -> Any:
        """Those of the healthy run: the bug is in the function alone."""
        return self.trap.base


def patients() -> tuple[Patient, ...]:
    """All patients, in the course's order. Their files hold the answers, so they are read when they are first needed."""
    modules = [entry.module for entry in catalogue.EXERCISES if entry.id.startswith("patient_")]
    return tuple(importlib.import_module(module).PATIENT for module in modules)
