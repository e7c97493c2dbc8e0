"""Wrong answers to n_step_returns. Each is a right window with one thing changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_03.n_step_returns_parts import Attempt, build, incomplete, only_truncated, right
from pgcourse.checks.unit_03.rollouts import columns, shifted_back, shifted_on


def _mistake(id: str, explanation: str, *more: Attempt | dict[str, Any], **changes: Any) -> Misconception:
    """A misconception from changed parts, or from the attempts given; `more` are further spellings."""
    spellings = [build(**changes)] if changes else []
    spellings += [build(**item) if isinstance(item, dict) else item for item in more]
    return Misconception(id, explanation, spellings[0], tuple(spellings[1:]))


def _in_place(r: Tensor, w: Tensor, e: Tensor, u: Tensor, *, gamma: float, n: int) -> Tensor:
    return r.copy_(right(r, w, e, u, gamma=gamma, n=n))


def _n(change: Callable[[int, int], int]) -> Attempt:
    return lambda r, w, e, u, *, gamma, n: right(r, w, e, u, gamma=gamma, n=change(n, len(r)))


MISCONCEPTIONS = (
    _mistake(
        "bootstraps-through-terminated",
        "You added a next value where the episode had terminated. Nothing can follow there: the window closes with its "
        "last reward alone.",
        bootstrap=lambda i: i.next_values,
    ),
    _mistake(
        "bootstrap-cut-at-truncated",
        "You dropped the next value where the episode was truncated. A time limit stops our watching, not the world: the "
        "state had a future, and next_values holds the critic's guess of it.",
        bootstrap=lambda i: i.next_values * ~(i.terminated | i.truncated),
    ),
    _mistake(
        "both-flags-as-truncated",
        "Where both flags are set you added the next value. Both means that the time limit fell on a step that "
        "terminated: nothing follows it. terminated alone decides whether to bootstrap.",
        bootstrap=lambda i: i.next_values * ~(i.terminated & ~i.truncated),
    ),
    _mistake(
        "runs-over-the-end-of-the-episode",
        "Your window does not stop where the episode ends. The next row belongs to another episode, whose rewards are no "
        "merit of this action. terminated and truncated both close a window early.",
        {"ends": lambda i: torch.zeros_like(i.terminated), "bootstrap": lambda i: i.next_values},
        {"ends": lambda i: i.terminated},
        {"ends": lambda i: i.truncated},
        {"ends": lambda i: i.terminated, "bootstrap": lambda i: i.next_values * ~(i.terminated | i.truncated)},
        ends=lambda i: torch.zeros_like(i.terminated),
    ),
    _mistake(
        "all-environments-stop-together",
        "The end of an episode in one environment closed the windows of all. Each column has ends of its own: keep a flag "
        "for each environment, or loop over them.",
        {
            "ends": lambda i: (i.terminated | i.truncated).any(1, keepdim=True).expand_as(i.terminated),
            "bootstrap": lambda i: i.next_values * ~i.terminated.any(1, keepdim=True),
        },
        ends=lambda i: (i.terminated | i.truncated).any(1, keepdim=True).expand_as(i.terminated),
    ),
    _mistake(
        "flag-of-another-step",
        "You looked at the flags of the step before or after. A flag at row k says that step k ended the episode: its "
        "reward is the last one of the window, and its own next value decides.",
        {
            "ends": lambda i: shifted_back(i.terminated | i.truncated),
            "bootstrap": lambda i: i.next_values * ~shifted_back(i.terminated),
        },
        {
            "ends": lambda i: shifted_on(i.terminated | i.truncated),
            "bootstrap": lambda i: i.next_values * ~shifted_on(i.terminated),
        },
        {"bootstrap": lambda i: i.next_values * ~shifted_back(i.terminated)},
        ends=lambda i: shifted_back(i.terminated | i.truncated),
    ),
    _mistake(
        "never-bootstraps",
        "You added rewards and no next value. What comes after the window is then taken for 0, which is right only after a "
        "termination. Elsewhere the critic's guess stands for it.",
        bootstrap=lambda i: torch.zeros_like(i.rewards),
    ),
    _mistake(
        "no-bootstrap-at-the-rollouts-end",
        "Windows that the rollout's end cuts short got no next value. Collecting stopped there, the episode did not: "
        "next_values of the last row says what the critic expects beyond it.",
        {"bootstrap": lambda i: torch.cat([i.next_values[:-1] * ~i.terminated[:-1], 0 * i.rewards[-1:]])},
        {"bootstrap": lambda i: torch.cat([i.next_values[:-1] * ~i.terminated[:-1], only_truncated(i)[-1:]])},
        {"at_the_end": lambda i, behind: 0 * behind},
        {
            "at_the_end": lambda i, behind: 0 * behind,
            "bootstrap": lambda i: i.next_values * ~(i.terminated | i.truncated),
        },
        {"at_the_end": lambda i, behind: 0 * behind, "bootstrap": lambda i: i.next_values},
        {
            "bootstrap": lambda i: torch.cat(
                [i.next_values[:-1] * ~(i.terminated | i.truncated)[:-1], 0 * i.rewards[-1:]]
            )
        },
        at_the_end=lambda i, behind: behind * (i.terminated | i.truncated),
    ),
    _mistake(
        "always-gamma-to-the-n",
        "You discounted every bootstrap by gamma**n. A window that an end closes after m rewards reaches m steps ahead: "
        "its next value is discounted by gamma**m.",
        power=lambda i, taken: i.n,
    ),
    _mistake(
        "bootstrap-discount-wrong",
        "Your next value has the wrong power of gamma. After m rewards, discounted by gamma**0 to gamma**(m - 1), what "
        "follows lies m steps ahead of t. Work the first case by hand: 1 + 0.5 * 4.",
        {"power": lambda i, taken: 0},
        {"power": lambda i, taken: taken + 1},
        {"power": lambda i, taken: 1},
        power=lambda i, taken: taken - 1,
    ),
    _mistake(
        "value-of-another-step",
        "Your next value is of the wrong row. next_values[k] is the value of the state that step k led to, so the last "
        "step in the window, k, gives the index: with n full rewards that is row t + n - 1.",
        {"value_of": lambda t, k, last: t},
        {"value_of": lambda t, k, last: max(k - 1, 0)},
        {"value_of": lambda t, k, last: last},
        value_of=lambda t, k, last: min(k + 1, last),
    ),
    _mistake(
        "last-reward-left-out",
        "The reward of the step that closes the window is missing. A step that ends an episode still pays its reward: "
        "add first, then look at the flags.",
        {"reward_kept": lambda stops: torch.ones_like(stops)},
        reward_kept=lambda stops: stops,
    ),
    _mistake(
        "n-is-off-by-one",
        "Your windows have one reward too many or too few. With n = 1 there is exactly one reward, then the next value: "
        "look at the bounds of your range.",
        _n(lambda n, steps: n + 1),
        _n(lambda n, steps: max(n - 1, 1)),
    ),
    _mistake(
        "n-ignored",
        "The number of steps has no influence on your result: you always go to the end of the episode or the rollout, or "
        "always take a single step. n says how many rewards to trust before asking the critic.",
        _n(lambda n, steps: steps),
        _n(lambda n, steps: 1),
    ),
    _mistake(
        "rewards-not-discounted",
        "The rewards in the window count in full however far ahead they lie. The k-th reward after the first is "
        "multiplied by gamma**k, as in every return.",
        {"reward_discount": lambda gamma: 1.0, "power": lambda i, taken: 1},
        {"reward_discount": lambda gamma: 1.0, "power": lambda i, taken: 0},
        reward_discount=lambda gamma: 1.0,
    ),
    _mistake(
        "own-reward-discounted",
        "Everything is gamma times too small: you discounted the step's own reward too. It arrives at once; the discount "
        "begins with the next one.",
        lambda r, w, e, u, *, gamma, n: gamma * right(r, w, e, u, gamma=gamma, n=n),
    ),
    _mistake(
        "incomplete-windows-dropped",
        "Rows near the end of the rollout have fewer than n rows ahead of them, and you left them at 0 or as they were. "
        "They are experience too: take the rewards that are there, then bootstrap.",
        incomplete(lambda r, w: torch.zeros_like(r)),
        incomplete(lambda r, w: r),
        incomplete(lambda r, w: w),
    ),
    _mistake(
        "along-the-environments",
        "You went along the second axis. It counts environments, which know nothing of each other; time is the first axis.",
        columns(right),
    ),
    _mistake(
        "changed-in-place",
        "The numbers are right, but you wrote them into the rewards. The rollout still needs those: write to a new tensor.",
        _in_place,
    ),
    _mistake(
        "always-float32",
        "The numbers are right, but float64 input came back as float32: torch.zeros has the default dtype unless it is told "
        "otherwise. Make the result like the rewards.",
        lambda r, w, e, u, *, gamma, n: right(r, w, e, u, gamma=gamma, n=n).float(),
    ),
)
