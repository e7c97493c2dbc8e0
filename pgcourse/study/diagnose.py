"""Diagnose a training run: from its metrics to alarms, and from alarms to the bugs that ring them."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from ..errors import InvalidInput
from ..training import Progress
from .alarms import ALARMS, BY_ID, THRESHOLDS, Series, derived, family_of, measure
from .traps import TRAPS, Trap


def diagnose(metrics: Mapping[str, Series], *, thresholds: Mapping[str, float] | None = None) -> set[str]:
    """The alarms that ring for a run, or for its first part.

    Args: metrics: name -> one number an update, as in `Result.metrics`; what is missing is not looked at.
    thresholds: alarm id -> number, in place of those of the run's kind.
    Returns: ids of `alarms.ALARMS`. Raises: InvalidInput for a threshold of an unknown alarm.
    """
    unknown = sorted(set(thresholds or ()) - BY_ID.keys())
    if unknown:
        raise InvalidInput(f"no alarm {unknown[0]!r}; known are {', '.join(BY_ID)}")
    series = {name: np.asarray(numbers, dtype=np.float64) for name, numbers in metrics.items() if len(numbers)}
    series |= derived(series)
    family = family_of(series)
    limits = THRESHOLDS[family] | dict(thresholds or {})
    ringing = set()
    for alarm in ALARMS:
        limit = limits.get(alarm.id, alarm.threshold)
        number = measure(alarm, series, family)
        if limit is not None and number is not None and (number > limit if alarm.side == "above" else number < limit):
            ringing.add(alarm.id)
    return ringing


def describe(alarm: str) -> str:
    """What an alarm says, in words. Raises: InvalidInput for an unknown one."""
    if alarm not in BY_ID:
        raise InvalidInput(f"no alarm {alarm!r}; known are {', '.join(BY_ID)}")
    return BY_ID[alarm].sentence


def suspects(
    alarms: Collection[str], metrics: Mapping[str, Series] | None = None, *, candidates: Iterable[Trap] = TRAPS
) -> list[str]:
    """The traps that ring such alarms, the likeliest first.

    A trap is the likelier the more of the alarms it shares with those that ring, among all that either has. Traps that
    share none are left out; an empty list means that these diagnostics see nothing.

    Args: metrics: of the run; with them, traps of other kinds of run (another algorithm, other actions) are left out.
    """
    ringing = set(alarms)
    scores = {
        trap.id: len(ringing & trap.alarms) / len(ringing | trap.alarms)
        for trap in candidates
        if ringing & trap.alarms and (metrics is None or trap.family == family_of(metrics))
    }
    return sorted(scores, key=lambda trap_id: -scores[trap_id])


class Watch:
    """Looks at a run while it goes on, and gives each alarm once, when it first rings."""

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.rung: set[str] = set()
        self.next_look = 1

    def __call__(self, progress: Progress) -> list[str]:
        """The alarms that ring for the first time, in the order of the table."""
        for name, number in progress.metrics.items():
            self.history.setdefault(name, []).append(number)
        if progress.iteration < self.next_look:
            return []
        # Ever more rarely, because a look costs as much as the history is long.
        self.next_look = progress.iteration + 1 + progress.iteration // 50
        ringing = diagnose({name: np.array(numbers) for name, numbers in self.history.items()}) - self.rung
        self.rung |= ringing
        return [alarm.id for alarm in ALARMS if alarm.id in ringing]
