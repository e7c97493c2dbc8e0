"""n_step_returns(...): a few real rewards, then the critic's guess, right at every kind of boundary."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Case, Exercise, edits_of
from pgcourse.checks.observe import CallAndKeep
from pgcourse.checks.unit_03.rollouts import (
    BOTH,
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
        column(rewards, values, [5.0, 9.0, 64.0], [RUNNING, TERMINATED, TRUNCATED, RUNNING], gamma=0.5, n=1),
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
        random_rollout(seed, 60, 3, gamma=0.98, n=20, share=40),
        random_rollout(seed + 1, 7, 7, gamma=0.97, n=4, share=9, dtype=torch.float64),
        random_rollout(seed + 2, 6, 2, gamma=0.95, n=50, share=9),
        random_rollout(seed + 3, 60, 2, gamma=0.98, n=45, share=1000),
    ]  # fmt: skip
    yield from (without(case, "values") for case in every)


def written_out(rewards, next_values, terminated, truncated, *, gamma, n):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    ends = terminated | truncated
    future = next_values * ~terminated
    steps, envs = rewards.shape
    result = torch.zeros_like(rewards)
    for t in range(steps):
        for e in range(envs):
            total, count = 0.0, 0
            for k in range(t, min(t + n, steps)):
                total += gamma**count * rewards[k, e]
                count += 1
                if ends[k, e]:
                    break
            result[t, e] = total + gamma**count * future[k, e]
    return result


mistake = edits_of(written_out, shifted_back=shifted_back, shifted_on=shifted_on)

EXERCISE = Exercise.listed(
    "n_step_returns",
    cases=cases,
    observe=CallAndKeep(SIGNATURE, axis=1),
    reference=n_step_returns,
    show_case=named_call("n_step_returns", SIGNATURE),
    hints=(
        "Take one environment and one step t. Walk forwards and collect discounted rewards. Three things stop you: you "
        "have n of them, the episode ends, or the rollout ends. Which value do you add when you stop, and when none?",
        "At the step k where the window closes, add gamma**(number of rewards collected) * next_values[k], and nothing if that "
        "step terminated. The index is k, not t + n. Two loops over t and k with a break do it for one environment. Or go from "
        "n = 1 upwards: an n-step return is a reward plus gamma times the next row's return over n - 1 steps.",
        "For each t and environment e: total, discount = 0, 1; for k in range(t, min(t + n, T)): total += discount * "
        "rewards[k, e]; discount *= gamma; if terminated[k, e] or truncated[k, e]: break. After the loop, unless "
        "terminated[k, e]: total += discount * next_values[k, e].",
    ),
    misconceptions=(
        mistake(
            "bootstraps-through-terminated",
            "You added a next value where the episode had terminated. Nothing can follow there, also where truncated is set "
            "too: terminated alone decides whether to bootstrap.",
            {" * ~terminated": ""},
            {"~terminated": "~(terminated & ~truncated)"},
        ),
        mistake(
            "bootstrap-cut-at-truncated",
            "You dropped the next value where the episode was truncated. A time limit stops our watching, not the world: the "
            "state had a future, and next_values holds the critic's guess of it.",
            {"~terminated": "~ends"},
        ),
        mistake(
            "runs-over-the-end-of-the-episode",
            "Your window does not stop where the episode ends. The next row belongs to another episode, whose rewards are no "
            "merit of this action. terminated and truncated both close a window early.",
            {"if ends[k, e]": "if False"},
            {"if ends[k, e]": "if False", " * ~terminated": ""},
            {"terminated | truncated": "terminated"},
            {"terminated | truncated": "truncated"},
            {"terminated | truncated": "terminated", "~terminated": "~(terminated | truncated)"},
        ),
        mistake(
            "all-environments-stop-together",
            "The end of an episode in one environment closed the windows of all. Each column has ends of its own.",
            {"if ends[k, e]": "if ends[k].any()"},
            {"if ends[k, e]": "if ends[k].any()", "~terminated": "~terminated.any(1, keepdim=True)"},
        ),
        mistake(
            "flags-of-another-step",
            "You looked at flags of another row. A flag at row k says that step k ended the episode: its reward is the last "
            "one of the window. And its own flag, no earlier and no later one, decides over its next value.",
            {"if ends[k, e]": "if shifted_back(ends)[k, e]"},
            {"if ends[k, e]": "if shifted_back(ends)[k, e]", "~terminated": "~shifted_back(terminated)"},
            {"if ends[k, e]": "if shifted_on(ends)[k, e]", "~terminated": "~shifted_on(terminated)"},
            {"~terminated": "~shifted_back(terminated)"},
            {"future[k, e]": "next_values[k, e] * ~terminated[t : t + n, e].any()"},
        ),
        mistake(
            "no-bootstrap-at-the-rollouts-end",
            "Windows that the rollout's end cuts short got no next value. Collecting stopped there, the episode did not: "
            "next_values of the last row says what the critic expects beyond it.",
            {"future[k, e]": "future[k, e] * (ends[k, e] or count == n)"},
            {"future[k, e]": "future[k, e] * (k < steps - 1 or count == n)"},
            {"future[k, e]": "future[k, e] * (k < steps - 1)"},
        ),
        mistake(
            "no-next-value-anywhere",
            "You added up rewards only. A window that closes before the episode has terminated leaves a future out, and "
            "next_values[k] at its last step k says what the critic expects of it: discount that and add it.",
            {" + gamma**count * future[k, e]": ""},
        ),
        mistake(
            "bootstrap-discount-wrong",
            "Your next value has the wrong power of gamma. After m rewards, discounted by gamma**0 to gamma**(m - 1), what "
            "follows lies m steps ahead of t. In a window that an end closes early, m is smaller than n.",
            {"gamma**count * future": "gamma ** (count - 1) * future"},
            {"gamma**count * future": "gamma ** (count + 1) * future"},
            {"gamma**count * future": "gamma**n * future"},
            {"gamma**count * future": "gamma * future"},
            {"gamma**count * future": "future"},
        ),
        mistake(
            "value-of-another-step",
            "Your next value is of the wrong row. next_values[k] is the value of the state that step k led to, so the last "
            "step in the window, k, gives the index: with n full rewards that is row t + n - 1.",
            {"future[k, e]": "future[min(k + 1, steps - 1), e]"},
            {"future[k, e]": "future[k if ends[k, e] else min(k + 1, steps - 1), e]"},
            {"future[k, e]": "next_values[k if ends[k, e] else min(k + 1, steps - 1), e] * ~terminated[k, e]"},
            *(
                {"future[k, e]": f"next_values[{row}, e] * ~terminated[k, e]"}
                for row in ("min(k + 1, steps - 1)", "max(k - 1, 0)", "k - 1")
            ),
            *({"future[k, e]": f"future[{row}, e]"} for row in ("max(k - 1, 0)", "k - 1")),
            {"future[k, e]": "future[t, e]"},
            {"future[k, e]": "future[-1, e]"},
        ),
        mistake(
            "last-reward-left-out",
            "The reward of the step that closes the window is missing. Add it first, then look at the flags of that step.",
            {"* rewards[k, e]": "* rewards[k, e] * ~ends[k, e]"},
        ),
        mistake(
            "n-is-off-by-one",
            "Your windows have one reward too many or too few. With n = 1 there is exactly one, then the next value.",
            {"t + n,": "t + n + 1,"},
            {"t + n,": "t + max(n - 1, 1),"},
        ),
        mistake(
            "n-ignored",
            "The number of steps has no influence on your result: you always go to the end of the episode or the rollout, or "
            "always take a single step. n says how many rewards to trust before asking the critic.",
            {"min(t + n, steps)": "steps"},
            {"min(t + n, steps)": "t + 1"},
        ),
        mistake(
            "blocks-of-n",
            "You cut the rollout into blocks of n rows, so that only the first row of each has n rewards ahead of it. The "
            "window moves with its row: it holds n rewards from t on, unless the episode or the rollout ends.",
            {"t + n,": "t - t % n + n,"},
        ),
        mistake(
            "incomplete-windows-dropped",
            "Rows near the end of the rollout have fewer than n rows ahead of them, and you left them at 0 or as they were. "
            "They are experience too: take the rewards that are there, then bootstrap.",
            {"range(steps)": "range(steps - n + 1)"},
            {"range(steps)": "range(steps - n + 1)", "torch.zeros_like(rewards)": "rewards.clone()"},
        ),
    ),
)
