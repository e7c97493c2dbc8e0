"""td_errors(rewards, values, next_values, terminated, *, gamma): by how much one step surprised the critic."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of
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
        larger(random_rollout(seed + 1, 5, 5, gamma=0.99, dtype=torch.float64)),
    ]  # fmt: skip
    yield from (without(case, "truncated") for case in every)


def larger(case: Case) -> Case:
    """The same with rewards and values of tens."""
    return case | {name: 30 * case[name] for name in ("rewards", "values", "next_values")}


mistake = edits_of(td_errors, shifted_back=shifted_back, shifted_on=shifted_on)

EXERCISE = Exercise.listed(
    "td_errors",
    cases=cases,
    observe=Call(SIGNATURE, axis=1),
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
        mistake(
            "bootstraps-through-terminated",
            "You added the next value also where the episode had terminated. After a termination no reward can follow, so its "
            "future is worth 0, whatever number the critic gives to that last observation.",
            {" * ~terminated": ""},
        ),
        mistake(
            "mask-inverted",
            "You kept the next value where the episode terminated and dropped it everywhere else: invert your mask.",
            {"~terminated": "terminated"},
        ),
        mistake(
            "next-value-of-another-row",
            "Your next value is of another row. next_values[t] is the value of the state that step t led to. values[t + 1] is "
            "the same inside an episode only: after an end it belongs to another one, and after the last row there is none.",
            {"gamma * next_values": "gamma * torch.cat([values[1:], next_values[-1:]])"},
            {"gamma * next_values": "gamma * torch.cat([values[1:], 0 * values[-1:]])"},
            {"gamma * next_values": "gamma * torch.cat([values[1:], values[-1:]])"},
            {"gamma * next_values": "gamma * values.roll(-1, 0)"},
            {"gamma * next_values": "gamma * torch.cat([next_values[1:], next_values[-1:]])"},
            {"gamma * next_values": "gamma * torch.cat([next_values[1:], 0 * values[-1:]])"},
            {"gamma * next_values": "gamma * values"},
        ),
        mistake(
            "flag-of-another-step",
            "You looked at the flag of another step. terminated[t] decides over the next value of step t itself.",
            {"~terminated": "~shifted_back(terminated)"},
            {"~terminated": "~shifted_on(terminated)"},
            {"~terminated": "~terminated.roll(1, 0)"},
        ),
        mistake(
            "reward-lost-at-the-end",
            "Your mask removes more than the next value: the last reward of an episode too, or the value that is subtracted. "
            "Both belong to a state in which the agent really was; only the future is gone. Mind the brackets.",
            {"rewards + gamma * next_values *": "(rewards + gamma * next_values) *"},
            {"return": "return (", "* ~terminated - values": "- values) * ~terminated"},
            {"gamma * next_values * ~terminated - values": "(gamma * next_values - values) * ~terminated"},
        ),
        mistake(
            "target-for-error",
            "You returned the target. The error is how far it lies above what the critic had said before: subtract V(s_t).",
            {" - values": ""},
        ),
        mistake(
            "discount-of-too-much",
            "You discounted more than the next value. The reward of step t arrives at once, and V(s_t) is about now, whatever "
            "t is; only what comes after the step is multiplied by gamma. Look at your brackets.",
            {"rewards + gamma * next_values * ~terminated": "gamma * (rewards + next_values * ~terminated)"},
            {"gamma * next_values * ~terminated - values": "gamma * (next_values * ~terminated - values)"},
            {"gamma * next_values": "gamma * (next_values - values)", "~terminated - values": "~terminated"},
            {"return": "return gamma * (", "gamma * next_values": "next_values", "- values": "- values)"},
            {"return": "return gamma ** torch.arange(len(rewards))[:, None] * (", "- values": "- values)"},
        ),
        mistake(
            "all-environments-end-together",
            "Where one environment terminated you dropped the next value of all. Each column has flags of its own.",
            {"~terminated": "~terminated.any(1, keepdim=True)"},
        ),
    ),
)
