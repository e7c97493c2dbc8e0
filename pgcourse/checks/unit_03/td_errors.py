"""td_errors(rewards, values, next_values, terminated, *, gamma): by how much one step surprised the critic."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_03.rollouts import (
    RUNNING,
    TERMINATED,
    TRUNCATED,
    batch,
    column,
    named_call,
    random_rollout,
    without,
)
from pgcourse.checks.unit_03.td_errors_wrong import MISCONCEPTIONS

SIGNATURE = "rewards, values, next_values, terminated, *, gamma"


def td_errors(rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, *, gamma: float) -> Tensor:
    """delta = r + gamma * V(s') * (1 - terminated) - V(s); all [T, N]."""
    return rewards + gamma * next_values * ~terminated - values


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    every = [
        column([1.0], [2.0], [4.0], [RUNNING], gamma=0.5),
        column([1.0], [2.0], [4.0], [TERMINATED], gamma=0.5),
        column([1.0, 2.0, 3.0], [5.0, 6.0, 8.0], [4.0], [RUNNING] * 3, gamma=0.5),
        column([1.0, 2.0, 3.0], [5.0, 6.0, 8.0], [7.0, 4.0], [RUNNING, TERMINATED, RUNNING], gamma=0.5),
        column([1.0, 2.0, 3.0], [5.0, 6.0, 8.0], [7.0, 4.0], [RUNNING, TRUNCATED, RUNNING], gamma=0.5),
        column([1.0, 2.0], [5.0, 6.0], [4.0], [RUNNING] * 2, gamma=0.0),
        column([1.0, 2.0], [5.0, 6.0], [4.0], [RUNNING] * 2, gamma=1.0),
        column([1.0, 2.0], [5.0, 6.0], [4.0, 9.0], [TERMINATED] * 2, gamma=0.9),
        batch(
            [[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]], [[5.0, 6.0, 8.0], [2.0, 1.0, 3.0]], [[9.0], [7.0, 4.0]],
            [[RUNNING] * 3, [TERMINATED, RUNNING, RUNNING]], gamma=0.5,
        ),
        random_rollout(seed, 6, 3, gamma=0.9),
        random_rollout(seed + 1, 5, 5, gamma=0.99, dtype=torch.float64),
    ]  # fmt: skip
    yield from (without(case, "truncated") for case in every)


def _with_where(rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, *, gamma: float) -> Tensor:
    return torch.where(terminated, rewards, rewards + gamma * next_values) - values


def _with_loops(rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, *, gamma: float) -> Tensor:
    result = torch.zeros_like(rewards)
    for t in range(rewards.shape[0]):
        for n in range(rewards.shape[1]):
            target = rewards[t, n].item()
            if not terminated[t, n]:
                target += gamma * next_values[t, n].item()
            result[t, n] = target - values[t, n]
    return result


def _with_numbers_as_mask(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, *, gamma: float
) -> Tensor:
    return rewards + gamma * (1.0 - terminated.float()) * next_values - values


def _with_masked_fill(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, *, gamma: float
) -> Tensor:
    return torch.add(rewards - values, next_values.masked_fill(terminated, 0.0), alpha=gamma)


def _in_double_precision(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, *, gamma: float
) -> Tensor:
    future = gamma * next_values.double() * terminated.logical_not()
    return (rewards.double() + future - values.double()).to(rewards.dtype)


EXERCISE = Exercise(
    id="td_errors",
    unit="03",
    title="One-step temporal-difference errors",
    points=1,
    minutes=8,
    difficulty=1,
    cases=cases,
    observe=Call(SIGNATURE),
    reference=td_errors,
    show_case=named_call("td_errors", SIGNATURE),
    alternatives=(_with_where, _with_loops, _with_numbers_as_mask, _with_masked_fill, _in_double_precision),
    hints=(
        "Before the step the critic said V(s). After it, one reward is known and the rest is again the critic's guess. "
        "What is that guess worth in a state after which nothing can come?",
        "The target is reward + gamma * next value, the latter times 0 where the episode terminated; the error is "
        "target minus value. For a bool tensor use ~terminated, because torch refuses 1 - terminated.",
        "return rewards + gamma * next_values * ~terminated - values",
    ),
    misconceptions=MISCONCEPTIONS,
)
