"""gae(...): generalised advantage estimation over a rollout with every kind of boundary."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe_record import Case
from pgcourse.checks.unit_03.gae_wrong import MISCONCEPTIONS
from pgcourse.checks.unit_03.rollouts import (
    BOTH,
    RUNNING,
    TERMINATED,
    TRUNCATED,
    batch,
    column,
    named_call,
    random_rollout,
)
from pgcourse.returns import gae

SIGNATURE = "rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda"


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. Inside an episode, next_values are the values of the next row, as in real rollouts."""
    half = {"gamma": 0.5, "gae_lambda": 0.5}
    rewards, values = [1.0, 2.0, 4.0, 8.0], [3.0, 6.0, 2.0, 5.0]
    running = [RUNNING] * 4
    yield column([1.0], [2.0], [4.0], [RUNNING], **half)
    yield column([1.0], [2.0], [4.0], [TERMINATED], **half)
    yield column([1.0], [2.0], [4.0], [TRUNCATED], **half)
    yield column([1.0], [2.0], [4.0], [BOTH], **half)
    yield column([1.0, 2.0], [3.0, 6.0], [4.0], [RUNNING] * 2, **half)
    yield column(rewards, values, [10.0], running, **half)
    for end in (TERMINATED, TRUNCATED, BOTH):
        yield column(rewards, values, [7.0, 10.0], [RUNNING, end, RUNNING, RUNNING], **half)
    yield column(
        rewards, values, [7.0, 9.0, 10.0], [TRUNCATED, RUNNING, TERMINATED, RUNNING], gamma=1.0, gae_lambda=1.0
    )
    yield column(rewards, values, [7.0, 10.0], [RUNNING, TRUNCATED, RUNNING, RUNNING], gamma=0.9, gae_lambda=0.0)
    yield column(rewards, values, [10.0], running, gamma=0.0, gae_lambda=0.9)
    yield column([1.0, 2.0], [3.0, 6.0], [4.0, 9.0], [TERMINATED] * 2, **half)
    yield batch(
        [rewards, [3.0, 0.0, 1.0, 5.0]], [values, [2.0, 4.0, 6.0, 7.0]], [[7.0, 10.0], [8.0, 9.0]],
        [[RUNNING, RUNNING, TERMINATED, RUNNING], [TRUNCATED, RUNNING, RUNNING, RUNNING]], **half,
    )  # fmt: skip
    yield random_rollout(seed, 9, 3, gamma=0.9, gae_lambda=0.8)
    yield random_rollout(seed + 1, 6, 6, gamma=0.99, gae_lambda=0.95, share=9, dtype=torch.float64)


def _with_list(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *,
    gamma: float, gae_lambda: float,
) -> Tensor:  # fmt: skip
    steps, envs = rewards.shape
    out = [[0.0] * envs for _ in range(steps)]
    for n in range(envs):
        running = 0.0
        for t in range(steps - 1, -1, -1):
            if terminated[t, n] or truncated[t, n]:
                running = 0.0
            future = 0.0 if terminated[t, n] else next_values[t, n].item()
            delta = rewards[t, n].item() + gamma * future - values[t, n].item()
            running = delta + gamma * gae_lambda * running
            out[t][n] = running
    return torch.tensor(out, dtype=rewards.dtype)


def _with_sum_of_errors(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *,
    gamma: float, gae_lambda: float,
) -> Tensor:  # fmt: skip
    deltas = (rewards + gamma * torch.where(terminated, 0.0, next_values) - values).detach()
    goes_on = 1.0 - (terminated | truncated).to(deltas.dtype)
    rows = []
    for t in range(len(deltas)):
        total, weight = torch.zeros_like(deltas[0]), torch.ones_like(deltas[0])
        for k in range(t, len(deltas)):
            total = total + weight * deltas[k]
            weight = weight * gamma * gae_lambda * goes_on[k]
        rows.append(total)
    return torch.stack(rows)


def _with_linear_system(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *,
    gamma: float, gae_lambda: float,
) -> Tensor:  # fmt: skip
    with torch.no_grad():
        deltas = (rewards + gamma * next_values * terminated.logical_not() - values).double()
        decay = gamma * gae_lambda * (~(terminated | truncated)).double()
        # A = delta + D A, with D holding the decay on its upper diagonal; one system for each environment.
        upper = torch.stack([torch.diag(column[:-1], 1) for column in decay.T])  # [N, T, T]
        system = torch.eye(len(deltas), dtype=torch.float64) - upper
        solved = torch.linalg.solve(system, deltas.T.unsqueeze(-1)).squeeze(-1)  # [N, T]
    return solved.T.to(rewards.dtype)


def _with_numpy(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *,
    gamma: float, gae_lambda: float,
) -> Tensor:  # fmt: skip
    r, v, w = (item.detach().double().numpy() for item in (rewards, values, next_values))
    stop, end = terminated.numpy(), np.logical_or(terminated.numpy(), truncated.numpy())
    advantages, running = np.zeros_like(r), np.zeros(r.shape[1])
    for t in range(len(r))[::-1]:
        running = r[t] + gamma * np.where(stop[t], 0, w[t]) - v[t] + gamma * gae_lambda * ~end[t] * running
        advantages[t] = running
    return torch.from_numpy(advantages).to(rewards.dtype)


def _detached_at_the_end(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *,
    gamma: float, gae_lambda: float,
) -> Tensor:  # fmt: skip
    following = torch.zeros_like(rewards[0])
    rows: list[Tensor] = []
    for r, v, w, e, u in list(zip(rewards, values, next_values, terminated, truncated, strict=True))[::-1]:
        following = r + gamma * w * (1 - e.float()) - v + gamma * gae_lambda * (1 - (e | u).float()) * following
        rows.insert(0, following)
    return torch.stack(rows).detach()


EXERCISE = Exercise(
    id="gae",
    unit="03",
    title="Generalised advantage estimation",
    points=4,
    minutes=25,
    difficulty=3,
    cases=cases,
    observe=Call(SIGNATURE, constant=("values", "next_values")),
    reference=gae,
    show_case=named_call("gae", SIGNATURE),
    alternatives=(_with_list, _with_sum_of_errors, _with_linear_system, _with_numpy, _detached_at_the_end),
    hints=(
        "Two questions are asked at every row, and they are not the same. Is there a future to bootstrap from? Does the "
        "next row belong to the same episode? Which flag answers which?",
        "First the one-step errors of all rows, with the next value masked by terminated. Then from the last row to the "
        "first: advantage = error + gamma * gae_lambda * (0 where terminated or truncated, else 1) * advantage of the "
        "next row, which is 0 after the last. Work under torch.no_grad(), or detach the result.",
        "deltas = rewards + gamma * next_values * ~terminated - values; decay = gamma * gae_lambda * ~(terminated | "
        "truncated); following = 0; for t in reversed(range(T)): following = deltas[t] + decay[t] * following; "
        "advantages[t] = following.",
    ),
    misconceptions=MISCONCEPTIONS,
)
