"""discounted_returns(rewards, *, gamma): the reward-to-go of complete episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
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


def mistake(id: str, explanation: str, *formulas: Callable[[Tensor, float, Tensor], Tensor]) -> Misconception:
    """A misconception as formulas of r: rewards, gamma and g: the right returns."""
    wrong, *variants = (
        lambda rewards, *, gamma, formula=formula: formula(rewards, gamma, discounted_returns(rewards, gamma=gamma))
        for formula in formulas
    )
    return Misconception(id, explanation, wrong, tuple(variants))


def _powers(r: Tensor, gamma: float) -> Tensor:
    """gamma^t for every step t, in the shape of a column where there are several."""
    return torch.tensor([gamma**t for t in range(len(r))], dtype=r.dtype).reshape(-1, *[1] * (r.ndim - 1))


def _last(r: Tensor, gamma: float) -> Tensor:
    """What the last reward counts at every step."""
    return _powers(r, gamma).flip(0) * r[-1]


def _distances(r: Tensor) -> Tensor:
    """How far step k lies ahead of step t, [T, T]."""
    steps = torch.arange(len(r), dtype=r.dtype)
    return steps[None, :] - steps[:, None]


EXERCISE = Exercise.listed(
    "discounted_returns",
    cases=cases,
    observe=Call("rewards, *, gamma"),
    reference=discounted_returns,
    hints=(
        "Work [1, 2, 3] with gamma = 0.5 by hand, starting with the last step. How does the return of step t follow from the "
        "return of step t + 1?",
        "G_t = r_t + gamma * G_{t+1}, and nothing follows the last step. Go through time backwards, carry the running value "
        "along, and write it to a new tensor made with torch.empty_like. With [T, N], rewards[t] is a row of N numbers and the "
        "same code works.",
        "following = torch.zeros_like(rewards[0]); for t in reversed(range(len(rewards))): following = rewards[t] + gamma * "
        "following; returns[t] = following.",
    ),
    misconceptions=(
        mistake(
            "accumulated-forwards",
            "You went through time forwards, so each step collects the rewards before it. An action can only change what comes "
            "after it: the return of step t looks ahead.",
            lambda r, gamma, g: discounted_returns(r.flip(0), gamma=gamma).flip(0),
            lambda r, gamma, g: (_powers(r, gamma) * r).cumsum(0),
            lambda r, gamma, g: r.cumsum(0),
        ),
        mistake(
            "past-rewards-too",
            "Rewards that came before a step count for it too, as where a matrix of powers of gamma is not cut to its upper "
            "triangle. An action can only change what comes after it.",
            lambda r, gamma, g: gamma ** _distances(r).abs() @ r,
            lambda r, gamma, g: gamma ** _distances(r) @ r,
        ),
        mistake(
            "discounted-from-the-start",
            "You summed the right rewards, but discounted each by its distance from the episode's start. The clock of a return "
            "begins at its own step: r_t itself is not discounted.",
            lambda r, gamma, g: _powers(r, gamma) * g,
        ),
        mistake(
            "divided-by-a-power",
            "You divided by gamma^t to set the clock back. For gamma = 0 that is 0 / 0, and in long episodes gamma^t becomes so "
            "small that the division loses all digits. Go backwards through time instead; no division is needed.",
            lambda r, gamma, g: _powers(r, gamma) * g / _powers(r, gamma),
        ),
        mistake(
            "own-reward-discounted",
            "Every return is gamma times too small: you discounted the step's own reward too. The reward of step t arrives at "
            "once; the discount begins with the next one.",
            lambda r, gamma, g: gamma * g,
        ),
        mistake(
            "moving-average",
            "You weighted the reward with 1 - gamma, as in a moving average. A return is a sum: the reward counts in full, and "
            "gamma times what follows is added to it.",
            lambda r, gamma, g: (1 - gamma) * g,
            lambda r, gamma, g: (1 - gamma) * g + gamma * _last(r, gamma),
        ),
        mistake(
            "own-reward-left-out",
            "Your return of step t begins with the next reward. In this course r_t is the reward for the action at t and belongs "
            "to its return: look at the order of the two lines in your loop.",
            lambda r, gamma, g: torch.cat([g[1:], 0 * g[:1]]),
            lambda r, gamma, g: g - r,
        ),
        mistake(
            "same-return-everywhere",
            "Every step got the return of the whole episode. That is an unbiased weight too, but noisier: rewards that came "
            "before an action are no merit of it. Asked for is the reward-to-go of each step.",
            lambda r, gamma, g: g[:1].expand_as(r),
            lambda r, gamma, g: g[0],
        ),
        mistake(
            "only-one-step-ahead",
            "You added the next reward and stopped there. What follows step t is its whole future, the return of step t + 1, not "
            "only the reward of step t + 1.",
            lambda r, gamma, g: torch.cat([r[:-1] + gamma * r[1:], r[-1:]]),
        ),
        mistake(
            "one-step-off-at-an-end",
            "At one end your loop misses a step, or counts it twice. Nothing follows the last step, but it has a reward, once; "
            "range(T - 1, -1, -1) begins with it and ends with step 0.",
            lambda r, gamma, g: g - _last(r, gamma),
            lambda r, gamma, g: g + gamma * _last(r, gamma),
            lambda r, gamma, g: torch.cat([r[:1], g[1:]]),
            lambda r, gamma, g: torch.cat([0 * r[:1], g[1:]]),
        ),
        mistake(
            "environments-mixed",
            "For [T, N] you accumulated over environments. Each column is an episode of its own, and nothing flows from one into "
            "another; time is the first axis.",
            lambda r, gamma, g: discounted_returns(r.T, gamma=gamma).T,
            lambda r, gamma, g: discounted_returns(r.flatten(), gamma=gamma).reshape(r.shape),
            lambda r, gamma, g: discounted_returns(r.T.flatten(), gamma=gamma).reshape(r.T.shape).T,
        ),
        mistake(
            "one-episode-only",
            "For [T] all is right, and [T, N] raises an error: you make a Python number of rewards[t], which then is a row of N "
            "numbers. Keep tensors; with zeros_like(rewards[0]) as the running value the same loop serves both.",
            lambda r, gamma, g: torch.stack([g[t] + 0 * r[t].item() for t in range(len(r))]),
            lambda r, gamma, g: torch.stack([g[t] + 0 * float(r[t]) for t in range(len(r))]),
        ),
    ),
)
