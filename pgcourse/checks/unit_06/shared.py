"""What the patients' exercises share: wrong answers that other units know, in another function's clothes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_06.patient import Function


def chosen(misconceptions: Iterable[Misconception], *ids: str) -> tuple[Misconception, ...]:
    """The misconceptions with these ids, in this order. Raises: KeyError for an unknown one."""
    known = {misconception.id: misconception for misconception in misconceptions}
    return tuple(known[id] for id in ids if id in known)


def dressed(
    misconceptions: Iterable[Misconception], dress: Callable[[Function], Function]
) -> tuple[Misconception, ...]:
    """The same mistakes, each in its first spelling, in a function with other arguments."""
    return tuple(Misconception(m.id, m.explanation, dress(m.wrong)) for m in misconceptions)


def unpatched(ill: Function, look_at: str, *variants: Function) -> Misconception:
    """The patient as it came in.

    Args: look_at: a sentence or two on where to look. variants: patches that change nothing.
    """
    explanation = f"These are the numbers of the code as you opened it: the bug is still in there. {look_at}"
    return Misconception("unpatched", explanation, ill, variants)
