"""Rollouts [T, N] for the cases of unit 03, by hand and at random, and the small tools of its wrong answers."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.authoring import Case, generator, integers, normal
from pgcourse.checks.wording import value

RUNNING, TERMINATED, TRUNCATED, BOTH = 0, 1, 2, 3
NAMES = ("rewards", "values", "next_values", "terminated", "truncated")


def column(rewards: list[float], values: list[float], after: list[float], ends: list[int], **settings: Any) -> Case:
    """One environment, [T, 1], written by hand.

    Args: values: V(s_t), one a step. after: the true next value of each step that ends an episode, and of the last
    step; in between, the next value is the value of the next row. ends: one of the four constants a step. settings:
    gamma and the like.
    """
    return batch([rewards], [values], [after], [ends], **settings)


def batch(
    rewards: list[list[float]], values: list[list[float]], after: list[list[float]], ends: list[list[int]], **rest: Any
) -> Case:
    """Several environments by hand, one list an environment; see `column`."""
    kinds = torch.tensor(ends).T.contiguous()  # [T, N]
    V = torch.tensor(values).T.contiguous()
    return _case(torch.tensor(rewards).T.contiguous(), V, _next_values(V, after, ends), kinds) | rest


def random_rollout(
    seed: int, steps: int, envs: int, *, share: int = 6, dtype: torch.dtype = torch.float32, **rest: Any
) -> Case:
    """A rollout such as a collector gives, [T, N]; each way to end an episode has probability 1 / share at a step."""
    source = generator(seed)
    kinds = integers(source, share, steps, envs)
    kinds = torch.where(kinds <= BOTH, kinds, RUNNING)
    values = normal(source, steps, envs, dtype=dtype) * 2 + 1
    fresh = normal(source, steps, envs, dtype=dtype) * 2 + 1
    following = torch.cat([values[1:], fresh[-1:]])
    return (
        _case(normal(source, steps, envs, dtype=dtype), values, torch.where(kinds > 0, fresh, following), kinds) | rest
    )


def _next_values(values: Tensor, after: list[list[float]], ends: list[list[int]]) -> Tensor:
    result = torch.empty_like(values)
    for n, (column_ends, left) in enumerate(zip(ends, after, strict=True)):
        waiting = list(left)
        for t, end in enumerate(column_ends):
            last = t == len(column_ends) - 1
            result[t, n] = waiting.pop(0) if end or last else values[t + 1, n]
        if waiting:
            raise ValueError(f"{len(waiting)} next values are left over in column {n}; give one for each end")
    return result


def _case(rewards: Tensor, values: Tensor, next_values: Tensor, kinds: Tensor) -> Case:
    terminated = (kinds == TERMINATED) | (kinds == BOTH)
    truncated = (kinds == TRUNCATED) | (kinds == BOTH)
    return dict(zip(NAMES, (rewards, values, next_values, terminated, truncated), strict=True))


def without(case: Case, *names: str) -> Case:
    """The case without inputs that an exercise does not take."""
    return {name: item for name, item in case.items() if name not in names}


def shifted_back(flags: Tensor) -> Tensor:
    """Each row gets the flags of the next one, the last row none: what reading `flags[t + 1]` gives."""
    return torch.cat([flags[1:], torch.zeros_like(flags[:1])])


def shifted_on(flags: Tensor) -> Tensor:
    """Each row gets the flags of the one before, the first row none."""
    return torch.cat([torch.zeros_like(flags[:1]), flags[:-1]])


def named_call(id: str, signature: str) -> Callable[[Case], str]:
    """A case as a call with named arguments: five of them in a row would be hard to tell apart."""
    names = signature.replace("*", "").replace(",", " ").split()
    return lambda case: f"{id}({', '.join(f'{name}={value(case[name])}' for name in names)})"
