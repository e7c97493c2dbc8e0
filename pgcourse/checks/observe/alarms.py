"""An observer for functions that turn metrics into a set of names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from pgcourse.checks.observe.record import LATER, Arrays, Case

PREFIX = "metric "


@dataclass(frozen=True)
class Alarms:
    """Call the attempt with a dict of numpy arrays; record for each known name whether the returned set holds it.

    The case holds each metric, a tensor [updates], as "metric NAME". What else is in the set counts as one more entry.
    """

    known: tuple[str, ...]

    def __call__(self, attempt: Any, case: Case) -> Arrays:
        metrics = {
            name.removeprefix(PREFIX): value.detach().numpy().copy() if isinstance(value, Tensor) else value
            for name, value in case.items()
            if name.startswith(PREFIX)
        }
        names = [*metrics]
        result = attempt(metrics)
        arrays: Arrays = {}
        gathered = isinstance(result, set | frozenset)
        arrays["result.kind"] = np.array("set" if gathered else type(result).__name__)
        arrays["mutated"] = np.array(["metrics"] * ([*metrics] != names), dtype=str)
        now = {name: metrics.get(name) for name in names}
        arrays |= {f"{LATER}{PREFIX}{name}": value for name, value in now.items() if type(value) is np.ndarray}
        if gathered:
            for name in self.known:
                arrays[question(name)] = np.array(int(name in result))
                arrays[f"{question(name)}.kind"] = np.array("answer")
            strange = sum(name not in self.known for name in result)
            arrays["the number of unknown names in your set"] = np.array(strange)
            arrays["the number of unknown names in your set.kind"] = np.array("count")
        return arrays


def question(alarm: str) -> str:
    """The name under which an alarm is recorded."""
    return f'the answer to "does {alarm} ring?" (1 is yes, 0 no)'
