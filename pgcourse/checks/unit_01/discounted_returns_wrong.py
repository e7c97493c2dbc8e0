"""Wrong answers to discounted_returns."""

from __future__ import annotations

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception
from pgcourse.returns import discounted_returns


def _powers(rewards: Tensor, gamma: float) -> Tensor:
    exponents = torch.arange(len(rewards), dtype=rewards.dtype)
    return torch.pow(torch.tensor(gamma, dtype=rewards.dtype), exponents).reshape(-1, *[1] * (rewards.ndim - 1))


def _forward(rewards: Tensor, *, gamma: float) -> Tensor:
    return discounted_returns(rewards.flip(0), gamma=gamma).flip(0)


def _running_total(rewards: Tensor, *, gamma: float) -> Tensor:
    return (_powers(rewards, gamma) * rewards).cumsum(0)


def _from_start(rewards: Tensor, *, gamma: float) -> Tensor:
    return (_powers(rewards, gamma) * rewards).flip(0).cumsum(0).flip(0)


def _divided(rewards: Tensor, *, gamma: float) -> Tensor:
    return _from_start(rewards, gamma=gamma) / _powers(rewards, gamma)


def _in_place(rewards: Tensor, *, gamma: float) -> Tensor:
    for t in reversed(range(len(rewards) - 1)):
        rewards[t] += gamma * rewards[t + 1]
    return rewards


def _last_left_out(rewards: Tensor, *, gamma: float) -> Tensor:
    result = torch.zeros_like(rewards)
    for t in reversed(range(len(rewards) - 1)):
        result[t] = rewards[t] + gamma * result[t + 1]
    return result


def _one_step(rewards: Tensor, *, gamma: float) -> Tensor:
    return torch.cat([rewards[:-1] + gamma * rewards[1:], rewards[-1:]])


MISCONCEPTIONS = (
    Misconception(
        "accumulated-forwards",
        "You went through time forwards, so each step collects the rewards before it. An action can only change "
        "what comes after it: the return of step t looks ahead.",
        _forward,
    ),
    Misconception(
        "running-total",
        "You summed the discounted rewards from the start up to each step. The return of step t is about the "
        "rewards from t on, so the first step has the largest sum and the last only its own reward.",
        _running_total,
    ),
    Misconception(
        "discounted-from-the-start",
        "You summed the right rewards, but discounted each by its distance from the episode's start. The clock of "
        "a return begins at its own step: r_t itself is not discounted.",
        _from_start,
    ),
    Misconception(
        "divided-by-a-power",
        "You divided by gamma^t to set the clock back. For gamma = 0 that is 0 / 0, and in long episodes gamma^t "
        "becomes so small that the division loses all digits. Go backwards through time instead; no division is "
        "needed.",
        _divided,
    ),
    Misconception(
        "own-reward-discounted",
        "Every return is gamma times too small: you discounted the step's own reward too. The reward of step t "
        "arrives at once; the discount begins with the next one.",
        lambda rewards, *, gamma: gamma * discounted_returns(rewards, gamma=gamma),
    ),
    Misconception(
        "discounted-twice",
        "A step costs gamma squared in your result. Perhaps the running value is multiplied by gamma at two "
        "places, or by a power of gamma that grows although the recursion already discounts.",
        lambda rewards, *, gamma: discounted_returns(rewards, gamma=gamma**2),
    ),
    Misconception(
        "own-reward-left-out",
        "Your return of step t begins with the next reward. In this course r_t is the reward for the action at t "
        "and belongs to its return: look at the order of the two lines in your loop.",
        lambda rewards, *, gamma: discounted_returns(rewards, gamma=gamma) - rewards,
        variants=(lambda rewards, *, gamma: (discounted_returns(rewards, gamma=gamma) - rewards) * gamma,),
    ),
    Misconception(
        "discount-ignored",
        "You added up the rewards without discounting them. gamma must appear once for every step of distance.",
        lambda rewards, *, gamma: discounted_returns(rewards, gamma=1.0),
    ),
    Misconception(
        "same-return-everywhere",
        "Every step got the return of the whole episode. That is an unbiased weight too, but noisier: rewards "
        "that came before an action are no merit of it. Asked for is the reward-to-go of each step.",
        lambda rewards, *, gamma: discounted_returns(rewards, gamma=gamma)[:1].expand_as(rewards),
        variants=(lambda rewards, *, gamma: discounted_returns(rewards, gamma=gamma)[0],),
    ),
    Misconception(
        "only-one-step-ahead",
        "You added the next reward and stopped there. What follows step t is its whole future, the return of step "
        "t + 1, not only the reward of step t + 1.",
        _one_step,
    ),
    Misconception(
        "order-not-restored",
        "You collected the returns backwards and forgot to turn them round at the end: the last step's return "
        "stands first.",
        lambda rewards, *, gamma: discounted_returns(rewards, gamma=gamma).flip(0),
    ),
    Misconception(
        "last-step-left-out",
        "The return of the last step stayed 0, and so its reward is missing from all the others. Your loop begins "
        "one step too early in the episode: nothing follows the last step, but it has a reward.",
        _last_left_out,
    ),
    Misconception(
        "environments-mixed",
        "For [T, N] you accumulated along the second axis, over environments. Each column is an episode of its "
        "own; time is the first axis.",
        lambda rewards, *, gamma: discounted_returns(rewards.T, gamma=gamma).T,
        variants=(lambda rewards, *, gamma: discounted_returns(rewards.flatten(), gamma=gamma).reshape(rewards.shape),),
    ),
    Misconception(
        "changed-in-place",
        "The numbers are right, but you wrote them into the rewards themselves. A second call on the same episode "
        "would accumulate what is already accumulated. Write to a new tensor.",
        _in_place,
    ),
    Misconception(
        "always-float32",
        "The numbers are right, but float64 rewards came back as float32: a new tensor has the default dtype "
        "unless it is told otherwise. Make it like the input, or give it the input's dtype.",
        lambda rewards, *, gamma: discounted_returns(rewards, gamma=gamma).float(),
    ),
)
