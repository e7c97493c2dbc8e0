"""n_step_returns(...): a few real rewards, then the critic's guess, right at every kind of boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_03.rollouts import (
    BOTH,
    RUNNING,
    TERMINATED,
    TRUNCATED,
    batch,
    column,
    columns,
    named_call,
    random_rollout,
    shifted_back,
    shifted_on,
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


class Inputs(NamedTuple):
    """What an attempt is given."""

    rewards: Tensor  # [T, N]
    next_values: Tensor  # [T, N]
    terminated: Tensor  # [T, N] bool
    truncated: Tensor  # [T, N] bool
    gamma: float
    n: int


Attempt = Callable[..., Tensor]


def windows(
    *,
    ends: Callable[[Inputs], Tensor] = lambda i: i.terminated | i.truncated,
    bootstrap: Callable[[Inputs], Tensor] = lambda i: i.next_values * ~i.terminated,
    at_the_end: Callable[[Inputs, Tensor], Tensor] | None = None,
    power: Callable[[Inputs, int], int] = lambda i, taken: taken,
    value_of: Callable[[int, int, int], int] = lambda t, k, last: k,
    length: Callable[[Inputs], int] = lambda i: i.n,
    reward_kept: Callable[[Tensor], Tensor] | None = None,
) -> Attempt:
    """A window from each step, with some of its parts exchanged.

    Args: ends: where a window stops. bootstrap: what stands behind each step. at_the_end: the bootstrap of windows that
    the rollout's end closes early. power: of gamma before the bootstrap, from the number of rewards. value_of: row of the
    bootstrap, from t, the closing step and the last row. reward_kept: of a closing step, from its end flags.
    """

    def attempt(
        rewards: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, *, gamma: float, n: int
    ) -> Tensor:
        i = Inputs(rewards, next_values, terminated, truncated, gamma, n)
        stops, behind, last = ends(i), bootstrap(i), len(rewards) - 1
        early = behind if at_the_end is None else at_the_end(i, behind)
        result = torch.zeros_like(rewards)
        for t in range(len(rewards)):
            inside = torch.ones_like(stops[0])
            for taken in range(1, length(i) + 1):
                k = t + taken - 1
                full = taken == length(i)
                closing = inside & (stops[k] | (k == last) | full)
                kept = inside if reward_kept is None else inside & ~(closing & reward_kept(stops[k]))
                result[t] += kept * gamma ** (taken - 1) * rewards[k]
                value = (behind if full or k < last else early)[value_of(t, k, last)]
                result[t] += closing * gamma ** power(i, taken) * value
                inside = inside & ~closing
                if k == last:
                    break
        return result

    return attempt


right = windows()


def incomplete(fill: Callable[..., Tensor]) -> Attempt:
    """Only rows with n rows from them on are computed; the others are filled."""

    def attempt(r: Tensor, w: Tensor, e: Tensor, u: Tensor, *, gamma: float, n: int) -> Tensor:
        full = (torch.arange(len(r)) + n <= len(r))[:, None]
        return torch.where(full, right(r, w, e, u, gamma=gamma, n=n), fill(r, w))

    return attempt


def mistake(id: str, explanation: str, *more: Attempt | dict[str, Any], **changes: Any) -> Misconception:
    """A misconception from changed parts, or from the attempts given; `more` are further spellings."""
    spellings = [windows(**changes)] if changes else []
    spellings += [windows(**item) if isinstance(item, dict) else item for item in more]
    return Misconception(id, explanation, spellings[0], tuple(spellings[1:]))


def with_n(change: Callable[[int, int], int]) -> Attempt:
    """The right window of another length."""
    return lambda r, w, e, u, *, gamma, n: right(r, w, e, u, gamma=gamma, n=change(n, len(r)))


EXERCISE = Exercise.listed(
    "n_step_returns",
    cases=cases,
    observe=Call(SIGNATURE),
    reference=n_step_returns,
    show_case=named_call("n_step_returns", SIGNATURE),
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
    misconceptions=(
        mistake(
            "bootstraps-through-terminated",
            "You added a next value where the episode had terminated. Nothing can follow there: the window closes with its "
            "last reward alone.",
            bootstrap=lambda i: i.next_values,
        ),
        mistake(
            "bootstrap-cut-at-truncated",
            "You dropped the next value where the episode was truncated. A time limit stops our watching, not the world: the "
            "state had a future, and next_values holds the critic's guess of it.",
            bootstrap=lambda i: i.next_values * ~(i.terminated | i.truncated),
        ),
        mistake(
            "both-flags-as-truncated",
            "Where both flags are set you added the next value. Both means that the time limit fell on a step that "
            "terminated: nothing follows it. terminated alone decides whether to bootstrap.",
            bootstrap=lambda i: i.next_values * ~(i.terminated & ~i.truncated),
        ),
        mistake(
            "runs-over-the-end-of-the-episode",
            "Your window does not stop where the episode ends. The next row belongs to another episode, whose rewards are no "
            "merit of this action. terminated and truncated both close a window early.",
            {"ends": lambda i: torch.zeros_like(i.terminated), "bootstrap": lambda i: i.next_values},
            {"ends": lambda i: i.terminated},
            {"ends": lambda i: i.truncated},
            {"ends": lambda i: i.terminated, "bootstrap": lambda i: i.next_values * ~(i.terminated | i.truncated)},
            ends=lambda i: torch.zeros_like(i.terminated),
        ),
        mistake(
            "all-environments-stop-together",
            "The end of an episode in one environment closed the windows of all. Each column has ends of its own: keep a flag "
            "for each environment, or loop over them.",
            {
                "ends": lambda i: (i.terminated | i.truncated).any(1, keepdim=True).expand_as(i.terminated),
                "bootstrap": lambda i: i.next_values * ~i.terminated.any(1, keepdim=True),
            },
            ends=lambda i: (i.terminated | i.truncated).any(1, keepdim=True).expand_as(i.terminated),
        ),
        mistake(
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
        mistake(
            "no-bootstrap-at-the-rollouts-end",
            "Windows that the rollout's end cuts short got no next value. Collecting stopped there, the episode did not: "
            "next_values of the last row says what the critic expects beyond it.",
            {"bootstrap": lambda i: torch.cat([i.next_values[:-1] * ~i.terminated[:-1], 0 * i.rewards[-1:]])},
            {"at_the_end": lambda i, behind: 0 * behind},
            at_the_end=lambda i, behind: behind * (i.terminated | i.truncated),
        ),
        mistake(
            "always-gamma-to-the-n",
            "You discounted every bootstrap by gamma**n. A window that an end closes after m rewards reaches m steps ahead: "
            "its next value is discounted by gamma**m.",
            power=lambda i, taken: i.n,
        ),
        mistake(
            "bootstrap-discount-wrong",
            "Your next value has the wrong power of gamma. After m rewards, discounted by gamma**0 to gamma**(m - 1), what "
            "follows lies m steps ahead of t. Work the first case by hand: 1 + 0.5 * 4.",
            {"power": lambda i, taken: 0},
            {"power": lambda i, taken: taken + 1},
            {"power": lambda i, taken: 1},
            power=lambda i, taken: taken - 1,
        ),
        mistake(
            "value-of-another-step",
            "Your next value is of the wrong row. next_values[k] is the value of the state that step k led to, so the last "
            "step in the window, k, gives the index: with n full rewards that is row t + n - 1.",
            {"value_of": lambda t, k, last: t},
            {"value_of": lambda t, k, last: max(k - 1, 0)},
            {"value_of": lambda t, k, last: last},
            value_of=lambda t, k, last: min(k + 1, last),
        ),
        mistake(
            "last-reward-left-out",
            "The reward of the step that closes the window is missing. A step that ends an episode still pays its reward: "
            "add first, then look at the flags.",
            {"reward_kept": lambda stops: torch.ones_like(stops)},
            reward_kept=lambda stops: stops,
        ),
        mistake(
            "n-is-off-by-one",
            "Your windows have one reward too many or too few. With n = 1 there is exactly one reward, then the next value: "
            "look at the bounds of your range.",
            with_n(lambda n, steps: n + 1),
            with_n(lambda n, steps: max(n - 1, 1)),
        ),
        mistake(
            "n-ignored",
            "The number of steps has no influence on your result: you always go to the end of the episode or the rollout, or "
            "always take a single step. n says how many rewards to trust before asking the critic.",
            with_n(lambda n, steps: steps),
            with_n(lambda n, steps: 1),
        ),
        mistake(
            "incomplete-windows-dropped",
            "Rows near the end of the rollout have fewer than n rows ahead of them, and you left them at 0 or as they were. "
            "They are experience too: take the rewards that are there, then bootstrap.",
            incomplete(lambda r, w: torch.zeros_like(r)),
            incomplete(lambda r, w: r),
            incomplete(lambda r, w: w),
        ),
        mistake(
            "along-the-environments",
            "You went along the second axis. It counts environments, which know nothing of each other; time is the first axis.",
            columns(right),
        ),
    ),
)
