"""gae in exchangeable parts, from which its wrong answers are made."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception


class Inputs(NamedTuple):
    """What an attempt is given; all tensors [T, N]."""

    rewards: Tensor
    values: Tensor
    next_values: Tensor
    terminated: Tensor  # bool
    truncated: Tensor  # bool
    gamma: float
    gae_lambda: float

    @property
    def ends(self) -> Tensor:
        """Where an episode ended, [T, N] bool."""
        return self.terminated | self.truncated


Attempt = Callable[..., Tensor]
Part = Callable[[Inputs], Tensor]


def bootstrapped(next_values: Part = lambda i: i.next_values, alive: Part = lambda i: ~i.terminated) -> Part:
    """One-step errors with another next value, or another mask over it."""
    return lambda i: i.rewards + i.gamma * next_values(i) * alive(i) - i.values


def decayed(goes_on: Part = lambda i: ~i.ends) -> Part:
    """What the advantage of the next row counts, with another mask."""
    return lambda i: i.gamma * i.gae_lambda * goes_on(i).to(i.rewards.dtype)


def accumulate(deltas: Tensor, decay: Tensor) -> Tensor:
    """A_t = delta_t + decay_t * A_{t+1}, from the last row to the first."""
    rows: list[Tensor] = []
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + decay[t] * following
        rows.append(following)
    return torch.stack(rows[::-1])


right_deltas, right_decay = bootstrapped(), decayed()


def build(
    *,
    deltas: Part = right_deltas,
    decay: Part = right_decay,
    recursion: Callable[[Tensor, Tensor], Tensor] = accumulate,
    finish: Callable[[Inputs, Tensor], Tensor] = lambda i, advantages: advantages,
    change: Callable[[Inputs], Inputs] = lambda i: i,
    detach: bool = True,
) -> Attempt:
    """The right function with some of its parts exchanged."""

    def attempt(
        rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *,
        gamma: float, gae_lambda: float,
    ) -> Tensor:  # fmt: skip
        i = change(Inputs(rewards, values, next_values, terminated, truncated, gamma, gae_lambda))
        with torch.no_grad() if detach else contextlib.nullcontext():
            return finish(i, recursion(deltas(i), decay(i)))

    return attempt


def turned(i: Inputs) -> Inputs:
    """The inputs with time and environments exchanged."""
    rewards, values, next_values, terminated, truncated = (item.T for item in i[:5])
    return Inputs(rewards, values, next_values, terminated, truncated, i.gamma, i.gae_lambda)


def mistake(id: str, explanation: str, *more: dict[str, Any], **changes: Any) -> Misconception:
    """A misconception from the changed parts, detached and not detached; `more` are further spellings."""
    builds = [build(detach=detach, **change) for change in (changes, *more) for detach in (True, False)]
    return Misconception(id, explanation, builds[0], tuple(builds[1:]))
