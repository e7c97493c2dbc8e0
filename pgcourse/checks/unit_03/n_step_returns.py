"""n_step_returns(...): a few real rewards, then the critic's guess, right at every kind of boundary."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_03.n_step_returns_wrong import MISCONCEPTIONS
from pgcourse.checks.unit_03.rollouts import (
    BOTH,
    RUNNING,
    TERMINATED,
    TRUNCATED,
    batch,
    column,
    named_call,
    random_rollout,
    without,
)

SIGNATURE = "rewards, next_values, terminated, truncated, *, gamma, n"


def n_step_returns(
    rewards: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *, gamma: float, n: int
) -> Tensor:
    """Up to n rewards of the same episode, then the bootstrap; all [T, N]. Works backwards from n = 1 to n."""
    bootstrap = next_values * ~terminated  # [T, N]: what lies after each step, as the critic sees it
    returns = rewards + gamma * bootstrap
    for _ in range(min(n, len(rewards)) - 1):
        following = torch.cat([returns[1:], bootstrap[-1:]])  # one reward more, seen from the step before
        returns = rewards + gamma * torch.where(terminated | truncated, bootstrap, following)
    return returns


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. The values of the hand-written rows are those of the next ones, as in real rollouts."""
    rewards, values = [1.0, 2.0, 4.0, 8.0], [0.0, 8.0, 16.0, 32.0]
    running = [RUNNING] * 4
    every = [
        column([1.0], [0.0], [4.0], [RUNNING], gamma=0.5, n=1),
        column([1.0], [0.0], [4.0], [TERMINATED], gamma=0.5, n=2),
        column([1.0, 2.0, 4.0], [0.0, 8.0, 16.0], [32.0], [RUNNING] * 3, gamma=0.5, n=2),
        column(rewards, values, [64.0], running, gamma=0.5, n=3),
        column(rewards, values, [64.0], running, gamma=0.5, n=1),
        column(rewards, values, [10.0, 64.0], [RUNNING, TERMINATED, RUNNING, RUNNING], gamma=0.5, n=3),
        column(rewards, values, [10.0, 64.0], [RUNNING, TRUNCATED, RUNNING, RUNNING], gamma=0.5, n=3),
        column(rewards, values, [10.0, 64.0], [RUNNING, BOTH, RUNNING, RUNNING], gamma=0.5, n=3),
        column(rewards, values, [64.0], running, gamma=0.5, n=9),
        column(rewards, values, [6.0, 9.0, 64.0], [TRUNCATED, RUNNING, TERMINATED, RUNNING], gamma=1.0, n=2),
        column([1.0, 2.0, 4.0], [0.0, 8.0, 16.0], [32.0], [RUNNING] * 3, gamma=0.0, n=2),
        column([1.0, 2.0], [0.0, 8.0], [16.0, 32.0], [TERMINATED] * 2, gamma=0.9, n=2),
        batch(
            [rewards, [3.0, 0.0, 1.0, 5.0]], [values, [2.0, 4.0, 6.0, 7.0]], [[10.0, 64.0], [20.0]],
            [[RUNNING, RUNNING, TERMINATED, RUNNING], running], gamma=0.5, n=4,
        ),
        random_rollout(seed, 9, 3, gamma=0.9, n=3),
        random_rollout(seed + 1, 7, 7, gamma=0.97, n=4, share=9, dtype=torch.float64),
        random_rollout(seed + 2, 6, 2, gamma=0.95, n=50, share=9),
    ]  # fmt: skip
    yield from (without(case, "values") for case in every)


def _with_window_of_each_step(
    rewards: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *, gamma: float, n: int
) -> Tensor:
    result = torch.zeros_like(rewards)
    steps, envs = rewards.shape
    for e in range(envs):
        for t in range(steps):
            total, discount = 0.0, 1.0
            for k in range(t, min(t + n, steps)):
                total += discount * rewards[k, e].item()
                discount *= gamma
                if terminated[k, e]:
                    discount = 0.0
                if terminated[k, e] or truncated[k, e]:
                    break
            result[t, e] = total + discount * next_values[k, e].item()
    return result


def _with_running_mask(
    rewards: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *, gamma: float, n: int
) -> Tensor:
    steps = rewards.shape[0]
    rows = []
    for t in range(steps):
        total, inside = torch.zeros_like(rewards[0]), torch.ones_like(rewards[0])
        end = min(t + n, steps) - 1
        for k in range(t, end + 1):
            total = total + inside * gamma ** (k - t) * rewards[k]
            stops = torch.ones_like(inside) if k == end else (terminated[k] | truncated[k]).to(inside.dtype)
            total = total + inside * stops * gamma ** (k - t + 1) * next_values[k] * (~terminated[k])
            inside = inside * (1 - stops)
        rows.append(total)
    return torch.stack(rows)


def _with_episodes_cut_out(
    rewards: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *, gamma: float, n: int
) -> Tensor:
    columns = []
    for e in range(rewards.shape[1]):
        r, w = rewards[:, e].double().tolist(), next_values[:, e].double().tolist()
        done = (terminated | truncated)[:, e].tolist()
        done[-1] = True  # the rollout's end closes the last piece
        answer: list[float] = []
        start = 0
        for end in [t for t, closed in enumerate(done) if closed]:
            last = 0.0 if terminated[end, e] else w[end]
            piece, after = r[start : end + 1], [*w[start:end], last]
            for t in range(len(piece)):
                window = piece[t : t + n]
                tail = gamma ** len(window) * after[t + len(window) - 1]
                answer.append(sum(gamma**k * reward for k, reward in enumerate(window)) + tail)
            start = end + 1
        columns.append(torch.tensor(answer, dtype=rewards.dtype))
    return torch.stack(columns, dim=1)


def _with_recursion(
    rewards: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *, gamma: float, n: int
) -> Tensor:
    tail = gamma * torch.where(terminated, torch.zeros_like(next_values), next_values)
    if n == 1 or len(rewards) == 1:
        return rewards + tail
    shorter = _with_recursion(rewards, next_values, terminated, truncated, gamma=gamma, n=n - 1)
    goes_on = (~(terminated | truncated))[:-1]
    inner = torch.where(goes_on, gamma * shorter[1:], tail[:-1])
    return rewards + torch.cat([inner, tail[-1:]])


EXERCISE = Exercise(
    id="n_step_returns",
    unit="03",
    title="n-step returns",
    points=3,
    minutes=20,
    difficulty=3,
    cases=cases,
    observe=Call(SIGNATURE),
    reference=n_step_returns,
    show_case=named_call("n_step_returns", SIGNATURE),
    alternatives=(_with_window_of_each_step, _with_running_mask, _with_episodes_cut_out, _with_recursion),
    hints=(
        "Take one environment and one step t. Walk forwards and collect discounted rewards. Three things stop you: you "
        "have n of them, the episode ends, or the rollout ends. Which value do you add when you stop, and when none?",
        "At the step k where the window closes, add gamma**(number of rewards collected) * next_values[k], and nothing "
        "if that step terminated. The index is k, not t + n. Two loops over t and k with a break do it for one "
        "environment. Or go from n = 1 upwards: an n-step return is a reward plus gamma times the next row's return "
        "over n - 1 steps.",
        "For each t and environment e: total, discount = 0, 1; for k in range(t, min(t + n, T)): total += discount * "
        "rewards[k, e]; discount *= gamma; if terminated[k, e] or truncated[k, e]: break. After the loop, unless "
        "terminated[k, e]: total += discount * next_values[k, e].",
    ),
    misconceptions=MISCONCEPTIONS,
)
