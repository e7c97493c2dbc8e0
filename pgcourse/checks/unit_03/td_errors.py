"""td_errors(rewards, values, next_values, terminated, *, gamma): by how much one step surprised the critic."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.exercise import Exercise, Misconception
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
    shifted_back,
    shifted_on,
    without,
)

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


# In the wrong answers r are the rewards, v the values, w the next values, e terminated.
EXERCISE = Exercise.listed(
    "td_errors",
    cases=cases,
    observe=Call(SIGNATURE),
    reference=td_errors,
    show_case=named_call("td_errors", SIGNATURE),
    hints=(
        "Before the step the critic said V(s). After it, one reward is known and the rest is again the critic's guess. "
        "What is that guess worth in a state after which nothing can come?",
        "The target is reward + gamma * next value, the latter times 0 where the episode terminated; the error is "
        "target minus value. For a bool tensor use ~terminated, because torch refuses 1 - terminated.",
        "return rewards + gamma * next_values * ~terminated - values",
    ),
    misconceptions=(
        Misconception(
            "bootstraps-through-terminated",
            "You added the next value also where the episode had terminated. After a termination no reward can follow, "
            "so its future is worth 0, whatever number the critic gives to that last observation.",
            lambda r, v, w, e, *, gamma: r + gamma * w - v,
        ),
        Misconception(
            "mask-inverted",
            "You kept the next value where the episode terminated and dropped it everywhere else. terminated is True at "
            "the end of an episode: the factor that you want there is 0.",
            lambda r, v, w, e, *, gamma: r + gamma * w * e - v,
        ),
        Misconception(
            "value-of-the-same-step-as-the-next",
            "You used V(s_t) where the value of the next state belongs. The error would then compare a state with "
            "itself. values holds V(s_t), next_values holds V(s_t+1).",
            lambda r, v, w, e, *, gamma: r + gamma * v * ~e - v,
        ),
        Misconception(
            "next-value-from-the-next-row",
            "You took values[t + 1] for the next value. At an episode's end the next row already belongs to another "
            "episode, and after the last row there is none. next_values[t] is the value of the true next observation.",
            lambda r, v, w, e, *, gamma: r + gamma * torch.cat([v[1:], w[-1:]]) * ~e - v,
            (
                lambda r, v, w, e, *, gamma: r + gamma * torch.cat([v[1:], torch.zeros_like(v[:1])]) * ~e - v,
                lambda r, v, w, e, *, gamma: r + gamma * torch.cat([v[1:], v[-1:]]) * ~e - v,
                lambda r, v, w, e, *, gamma: r + gamma * v.roll(-1, 0) * ~e - v,
            ),
        ),
        Misconception(
            "next-values-one-row-late",
            "You shifted next_values by another row. It is aligned already: next_values[t] is the value of the state "
            "that step t led to.",
            lambda r, v, w, e, *, gamma: r + gamma * torch.cat([w[1:], w[-1:]]) * ~e - v,
            (
                lambda r, v, w, e, *, gamma: r + gamma * torch.cat([w[1:], torch.zeros_like(w[:1])]) * ~e - v,
                lambda r, v, w, e, *, gamma: r + gamma * w.roll(-1, 0) * ~e - v,
            ),
        ),
        Misconception(
            "flag-of-another-step",
            "You looked at the flag of the step before or after. terminated[t] says that step t ended the episode, so it "
            "decides over the next value of step t itself.",
            lambda r, v, w, e, *, gamma: r + gamma * w * ~shifted_back(e) - v,
            (
                lambda r, v, w, e, *, gamma: r + gamma * w * ~shifted_on(e) - v,
                lambda r, v, w, e, *, gamma: r + gamma * w * ~e.roll(-1, 0) - v,
                lambda r, v, w, e, *, gamma: r + gamma * w * ~e.roll(1, 0) - v,
            ),
        ),
        Misconception(
            "reward-lost-at-the-end",
            "Your mask removes more than the next value: the last reward of an episode, or the value that is subtracted, "
            "vanishes with it. Both belong to a state in which the agent really was. Only the future is gone: mind the "
            "brackets.",
            lambda r, v, w, e, *, gamma: (r + gamma * w) * ~e - v,
            (
                lambda r, v, w, e, *, gamma: (r + gamma * w - v) * ~e,
                lambda r, v, w, e, *, gamma: r + (gamma * w - v) * ~e,
            ),
        ),
        Misconception(
            "target-for-error",
            "You returned the target and did not compare it with anything. The error is how far the target lies above "
            "what the critic had said before the step: subtract V(s_t).",
            lambda r, v, w, e, *, gamma: r + gamma * w * ~e,
        ),
        Misconception(
            "discount-of-too-much",
            "You discounted more than the next value. The reward of step t arrives at once, and V(s_t) is about now; only "
            "what comes after the step is multiplied by gamma. Look at your brackets.",
            lambda r, v, w, e, *, gamma: gamma * (r + w * ~e) - v,
            (
                lambda r, v, w, e, *, gamma: r + gamma * (w * ~e - v),
                lambda r, v, w, e, *, gamma: r + gamma * (w - v),
                lambda r, v, w, e, *, gamma: r + gamma * (w - v) * ~e,
                lambda r, v, w, e, *, gamma: gamma * (r + w) * ~e - v,
                lambda r, v, w, e, *, gamma: gamma * (r + w - v),
                lambda r, v, w, e, *, gamma: gamma * (r + w) - v,
                lambda r, v, w, e, *, gamma: gamma * (r + w * ~e - v),
            ),
        ),
        Misconception(
            "values-exchanged",
            "The two values have changed places: you discounted V(s_t) and subtracted the next value. The guess from "
            "before the step is subtracted, the guess from after it is discounted.",
            lambda r, v, w, e, *, gamma: r + gamma * v * ~e - w,
            (lambda r, v, w, e, *, gamma: r + gamma * v - w * ~e, lambda r, v, w, e, *, gamma: r + gamma * v - w),
        ),
        Misconception(
            "all-environments-end-together",
            "Where one environment terminated you dropped the next value of all. Each environment ends on its own: the flag of "
            "row t and column n decides over the next value of row t and column n.",
            lambda r, v, w, e, *, gamma: r + gamma * w * ~e.any(1, keepdim=True) - v,
        ),
        Misconception(
            "squared",
            "You squared the errors, as for the critic's loss. As a measure of an action the sign is what counts: squared, "
            "a disappointment looks as good as a success.",
            lambda r, v, w, e, *, gamma: (r + gamma * w * ~e - v) ** 2,
            (lambda r, v, w, e, *, gamma: 0.5 * (r + gamma * w * ~e - v) ** 2,),
        ),
    ),
)
