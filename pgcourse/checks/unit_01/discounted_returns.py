"""discounted_returns(rewards, *, gamma): the reward-to-go of complete episodes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.signal import lfilter
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_01.discounted_returns_wrong import MISCONCEPTIONS
from pgcourse.returns import discounted_returns


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    yield {"rewards": torch.tensor([4.0]), "gamma": 0.5}
    yield {"rewards": torch.tensor([1.0, 2.0, 3.0]), "gamma": 0.5}
    yield {"rewards": torch.tensor([1.0, 2.0, 3.0]), "gamma": 0.0}
    yield {"rewards": torch.tensor([1.0, 2.0, 3.0]), "gamma": 1.0}
    yield {"rewards": torch.tensor([[1.0, 10.0], [0.0, 20.0], [2.0, 30.0]]), "gamma": 0.5}
    source = generator(seed)
    yield {"rewards": normal(source, 12), "gamma": 0.9}
    yield {"rewards": normal(source, 7, 3, dtype=torch.float64), "gamma": 0.99}


def _with_double_loop(rewards: Tensor, *, gamma: float) -> Tensor:
    result = torch.zeros_like(rewards)
    for t in range(len(rewards)):
        for k in range(t, len(rewards)):
            result[t] += gamma ** (k - t) * rewards[k]
    return result


def _with_matrix(rewards: Tensor, *, gamma: float) -> Tensor:
    steps = torch.arange(len(rewards))
    ahead = steps[None, :] - steps[:, None]  # [T, T]: how far reward k lies ahead of step t
    weights = torch.where(ahead >= 0, torch.tensor(gamma, dtype=rewards.dtype) ** ahead.clamp(min=0), 0.0)
    return torch.tensordot(weights.to(rewards.dtype), rewards, dims=1)


def _with_filter(rewards: Tensor, *, gamma: float) -> Tensor:
    backwards = np.flip(rewards.double().numpy(), axis=0)
    returns = np.flip(lfilter([1.0], [1.0, -gamma], backwards, axis=0), axis=0)
    return torch.from_numpy(returns.copy()).to(rewards.dtype)


def _with_recursion(rewards: Tensor, *, gamma: float) -> Tensor:
    if len(rewards) == 1:
        return rewards.clone()
    rest = _with_recursion(rewards[1:], gamma=gamma)
    return torch.cat([rewards[:1] + gamma * rest[:1], rest])


def _with_list(rewards: Tensor, *, gamma: float) -> Tensor:
    returns: list[Tensor] = []
    following: Tensor | float = 0.0
    for reward in reversed(rewards.unbind()):
        following = reward + gamma * following
        returns.insert(0, following)
    return torch.stack(returns)


EXERCISE = Exercise(
    id="discounted_returns",
    unit="01",
    title="Discounted returns",
    points=2,
    minutes=10,
    difficulty=1,
    cases=cases,
    observe=Call("rewards, *, gamma"),
    reference=discounted_returns,
    alternatives=(_with_double_loop, _with_matrix, _with_filter, _with_recursion, _with_list),
    hints=(
        "Work [1, 2, 3] with gamma = 0.5 by hand, starting with the last step. How does the return of step t follow "
        "from the return of step t + 1?",
        "G_t = r_t + gamma * G_{t+1}, and nothing follows the last step. Go through time backwards, carry the running "
        "value along, and write it to a new tensor made with torch.empty_like. With [T, N], rewards[t] is a row of N "
        "numbers and the same code works.",
        "following = torch.zeros_like(rewards[0]); for t in reversed(range(len(rewards))): following = rewards[t] + "
        "gamma * following; returns[t] = following.",
    ),
    misconceptions=MISCONCEPTIONS,
)
