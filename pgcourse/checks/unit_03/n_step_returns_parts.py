"""n_step_returns in exchangeable parts, from which its wrong answers are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Inputs(NamedTuple):
    """What an attempt is given."""

    rewards: Tensor  # [T, N]
    next_values: Tensor  # [T, N]
    terminated: Tensor  # [T, N] bool
    truncated: Tensor  # [T, N] bool
    gamma: float
    n: int


Attempt = Callable[..., Tensor]


def build(
    *,
    ends: Callable[[Inputs], Tensor] = lambda i: i.terminated | i.truncated,
    bootstrap: Callable[[Inputs], Tensor] = lambda i: i.next_values * ~i.terminated,
    at_the_end: Callable[[Inputs, Tensor], Tensor] | None = None,
    power: Callable[[Inputs, int], int] = lambda i, taken: taken,
    value_of: Callable[[int, int, int], int] = lambda t, k, last: k,
    reward_discount: Callable[[float], float] = lambda gamma: gamma,
    length: Callable[[Inputs], int] = lambda i: i.n,
    reward_kept: Callable[[Tensor], Tensor] | None = None,
) -> Attempt:
    """A window from each step, with some of its parts exchanged.

    Args: ends: where a window stops. bootstrap: what stands behind each step. at_the_end: the bootstrap of windows that
    the rollout's end closes early. power: of gamma before the bootstrap, from the number of rewards. value_of: row of the
    bootstrap, from t, the closing step and the last row. reward_kept: of a closing step, from its end flags.
    """

    def attempt(
        rewards: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *, gamma: float, n: int
    ) -> Tensor:
        i = Inputs(rewards, next_values, terminated, truncated, gamma, n)
        stops, behind, last = ends(i), bootstrap(i), len(rewards) - 1
        early = behind if at_the_end is None else at_the_end(i, behind)
        result = torch.zeros_like(rewards)
        for t in range(len(rewards)):
            inside = torch.ones_like(stops[0])
            for taken in range(1, length(i) + 1):
                k = t + taken - 1
                full = taken == length(i)
                closing = inside & (stops[k] | (k == last) | full)
                kept = inside if reward_kept is None else inside & ~(closing & reward_kept(stops[k]))
                result[t] += kept * reward_discount(gamma) ** (taken - 1) * rewards[k]
                value = (behind if full or k < last else early)[value_of(t, k, last)]
                result[t] += closing * gamma ** power(i, taken) * value
                inside = inside & ~closing
                if k == last:
                    break
        return result

    return attempt


right = build()


def incomplete(fill: Callable[..., Tensor]) -> Attempt:
    """Only rows with n rows from them on are computed; the others are filled."""

    def attempt(r: Tensor, w: Tensor, e: Tensor, u: Tensor, *, gamma: float, n: int) -> Tensor:
        full = (torch.arange(len(r)) + n <= len(r))[:, None]
        return torch.where(full, right(r, w, e, u, gamma=gamma, n=n), fill(r, w))

    return attempt


def only_truncated(i: Inputs) -> Tensor:
    """The next values of truncated steps, 0 elsewhere."""
    return i.next_values * (i.truncated & ~i.terminated)
