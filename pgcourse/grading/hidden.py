"""The inputs that a class is graded on: the checks' fixed examples, and random ones that no student has seen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.record import Case
from pgcourse.checks.sandbox import preserved_state
from pgcourse.grading.sandbox import wire

SETS = 2  # of random inputs for each exercise
EXAMPLES = "worked examples"
HIDDEN = "hidden inputs"


@dataclass(frozen=True)
class Inputs:
    """The cases of one exercise.

    Fields: groups: for each case, `EXAMPLES` or the name of its group of hidden cases: what stands at one place in the
    check's list, with other random numbers. visible: how many cases, the first ones, are the public examples.
    """

    cases: tuple[Case, ...]
    groups: tuple[str, ...]

    @property
    def visible(self) -> int:
        """The number of public examples, which come first."""
        return self.groups.count(EXAMPLES)

    def encoded(self) -> list[dict[str, Any]]:
        """The cases as JSON, for a child."""
        return [{name: wire.encode_case(value) for name, value in case.items()} for case in self.cases]


def seed_of(base: int, exercise: str, number: int) -> int:
    """The seed of one set of hidden cases: neighbouring bases share nothing, nor do exercises."""
    word = int.from_bytes(hashlib.sha256(exercise.encode()).digest()[:8], "big")
    return int(np.random.SeedSequence([base, word, number]).generate_state(1)[0])


def inputs(exercise: Exercise, base: int, sets: int = SETS) -> Inputs:
    """The public examples once, then `sets` sets of what differs from seed to seed."""
    return build(exercise.cases, [seed_of(base, exercise.id, number) for number in range(sets)])


def build(make: Callable[[int], Any], seeds: list[int]) -> Inputs:
    """`inputs`, for given seeds. A case that is the same for all of them, and for one more, is public."""
    with preserved_state():
        made = [list(make(seed)) for seed in [*seeds, 7]]
    places = range(min(len(cases) for cases in made))
    public = [place for place in places if all(same(made[0][place], cases[place]) for cases in made[1:])]
    secret = [place for place in places if place not in public]
    hidden = [(cases[place], f"{HIDDEN} {number}") for cases in made[:-1] for number, place in enumerate(secret, 1)]
    cases = (*(made[0][place] for place in public), *(case for case, _ in hidden))
    return Inputs(cases, (*[EXAMPLES] * len(public), *(name for _, name in hidden)))


def same(one: Any, two: Any) -> bool:
    """True where two inputs, or two cases, hold the same values."""
    if type(one) is not type(two):
        return False
    if isinstance(one, torch.Tensor):
        equal = one.shape == two.shape and one.dtype == two.dtype
        return equal and torch.equal(torch.nan_to_num(one), torch.nan_to_num(two))
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[name], two[name]) for name in one)
    if isinstance(one, tuple | list):
        return len(one) == len(two) and all(same(a, b) for a, b in zip(one, two, strict=True))
    return bool(one == two or (one != one and two != two))
