"""gae(...): generalised advantage estimation over a rollout with every kind of boundary."""

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
    named_call,
    random_rollout,
    shifted_back,
    shifted_on,
)
from pgcourse.returns import gae, normalize

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


class Inputs(NamedTuple):
    """What an attempt is given; all tensors [T, N]."""

    rewards: Tensor
    values: Tensor
    next_values: Tensor
    terminated: Tensor  # bool
    truncated: Tensor  # bool
    gamma: float
    gae_lambda: float

    @property
    def ends(self) -> Tensor:
        """Where an episode ended, [T, N] bool."""
        return self.terminated | self.truncated


Part = Callable[[Inputs], Tensor]


def error(next_values: Part = lambda i: i.next_values, alive: Part = lambda i: ~i.terminated) -> Part:
    """One-step errors with another next value, or another mask over it."""
    return lambda i: i.rewards + i.gamma * next_values(i) * alive(i) - i.values


def trace(goes_on: Part) -> Part:
    """What the advantage of the next row counts, with another mask."""
    return lambda i: i.gamma * i.gae_lambda * goes_on(i).to(i.rewards.dtype)


def everywhere(i: Inputs) -> Tensor:
    """A mask that masks nothing."""
    return torch.ones_like(i.ends)


def backwards(deltas: Tensor, decay: Tensor) -> Tensor:
    """A_t = delta_t + decay_t * A_{t+1}, from the last row to the first."""
    rows: list[Tensor] = []
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + decay[t] * following
        rows.append(following)
    return torch.stack(rows[::-1])


right_error, right_trace = error(), trace(lambda i: ~i.ends)


def gae_with(
    deltas: Part = right_error,
    decay: Part = right_trace,
    recursion: Callable[[Tensor, Tensor], Tensor] = backwards,
    finish: Callable[[Inputs, Tensor], Tensor] = lambda i, advantages: advantages,
    change: Callable[[Inputs], Inputs] = lambda i: i,
) -> Callable[..., Tensor]:
    """The right function with some of its parts exchanged."""

    @torch.no_grad()
    def attempt(*tensors: Tensor, gamma: float, gae_lambda: float) -> Tensor:
        rewards, values, next_values, terminated, truncated = tensors
        i = change(Inputs(rewards, values, next_values, terminated, truncated, gamma, gae_lambda))
        return finish(i, recursion(deltas(i), decay(i)))

    return attempt


def mistake(id: str, explanation: str, *others: dict[str, Any], **changes: Any) -> Misconception:
    """A misconception from the changed parts; `others` are further spellings."""
    wrong, *variants = (gae_with(**parts) for parts in (changes, *others))
    return Misconception(id, explanation, wrong, tuple(variants))


def value_of_the_next_row(last: Part) -> Part:
    """values[t + 1], and something else in the last row, which has none."""
    return error(next_values=lambda i: torch.cat([i.values[1:], last(i)[-1:]]))


def last_kept(flags: Tensor) -> Tensor:
    """The flags of the next row, and in the last row its own."""
    return torch.cat([flags[1:], flags[-1:]])


def turned(i: Inputs) -> Inputs:
    """The inputs with time and environments exchanged."""
    rewards, values, next_values, terminated, truncated = (item.T for item in i[:5])
    return Inputs(rewards, values, next_values, terminated, truncated, i.gamma, i.gae_lambda)


EXERCISE = Exercise.listed(
    "gae",
    cases=cases,
    observe=Call(SIGNATURE, constant=("values", "next_values")),
    reference=gae,
    show_case=named_call("gae", SIGNATURE),
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
    misconceptions=(
        mistake(
            "bootstraps-through-terminated",
            "Your one-step error adds the next value also where the episode terminated. Nothing can follow there, so the "
            "future is worth 0, whatever number the critic gives to that last observation.",
            deltas=error(alive=everywhere),
        ),
        mistake(
            "bootstrap-cut-at-truncated",
            "You dropped the next value where the episode was truncated. A time limit stops our watching, not the world: the "
            "state has a future, and next_values holds the critic's guess of it. Only the trace is cut there.",
            deltas=error(alive=lambda i: ~i.ends),
        ),
        mistake(
            "both-flags-as-truncated",
            "Where both flags are set you bootstrapped. Both means that the time limit fell on a step that terminated: "
            "nothing follows. For the next value, terminated alone decides.",
            deltas=error(alive=lambda i: ~(i.terminated & ~i.truncated)),
        ),
        mistake(
            "masks-exchanged",
            "Your two masks have changed places. Whether a future is there to bootstrap from, terminated alone decides; the "
            "trace is cut at both kinds of end, because the next row belongs to another episode after either.",
            {"deltas": error(alive=lambda i: ~i.truncated), "decay": trace(everywhere)},
            {"deltas": error(alive=lambda i: ~i.truncated), "decay": trace(lambda i: ~i.terminated)},
            {"deltas": error(alive=lambda i: ~i.truncated)},
            deltas=error(alive=lambda i: ~i.ends),
            decay=trace(lambda i: ~i.terminated),
        ),
        mistake(
            "trace-runs-through-truncated",
            "Your trace is cut at terminated only. After a truncation the next row belongs to another episode too, so its "
            "advantage must not flow back: the trace is cut where either flag is set.",
            decay=trace(lambda i: ~i.terminated),
        ),
        mistake(
            "trace-never-cut",
            "The advantage of the next row flows back over the ends of episodes. The row after an end belongs to a new "
            "episode, which this action did not bring about. The recursion needs a factor that is 0 at every end.",
            {"decay": trace(lambda i: ~i.truncated)},
            {"decay": trace(everywhere), "deltas": error(alive=everywhere)},
            {"decay": trace(everywhere), "deltas": error(alive=lambda i: ~i.ends)},
            decay=trace(everywhere),
        ),
        mistake(
            "whole-advantage-masked",
            "At an end you set the whole advantage to 0, the step's own error included: your mask stands outside of the "
            "bracket. The last step of an episode has a reward and an error like any other; only what flows back is cut.",
            {"deltas": lambda i: right_error(i) * ~i.terminated, "decay": trace(lambda i: ~i.terminated)},
            {"deltas": lambda i: error(alive=everywhere)(i) * ~i.ends},
            deltas=lambda i: right_error(i) * ~i.ends,
        ),
        mistake(
            "flags-of-another-step",
            "Your flags are of another row, as in code that stores done beside the observation that follows it. Here "
            "terminated[t] says that step t ended the episode: it decides over the next value of step t itself, and over "
            "whether the advantage of row t + 1 flows back into row t.",
            {"decay": trace(lambda i: ~shifted_on(i.ends))},
            {"deltas": error(alive=lambda i: ~shifted_back(i.terminated))},
            {"deltas": error(alive=lambda i: ~shifted_on(i.terminated))},
            {
                "change": lambda i: i._replace(
                    terminated=shifted_back(i.terminated), truncated=shifted_back(i.truncated)
                )
            },
            {"change": lambda i: i._replace(terminated=last_kept(i.terminated), truncated=last_kept(i.truncated))},
            {"change": lambda i: i._replace(terminated=shifted_on(i.terminated), truncated=shifted_on(i.truncated))},
            decay=trace(lambda i: ~shifted_back(i.ends)),
        ),
        mistake(
            "value-of-the-same-step-as-the-next",
            "You used V(s_t) where the value of the next state belongs. The error would then compare a state with itself. "
            "values holds V(s_t), next_values holds V(s_t+1).",
            deltas=error(next_values=lambda i: i.values),
        ),
        mistake(
            "next-value-from-the-next-row",
            "You took values[t + 1] for the next value. Inside an episode it is the same number; after a truncation it is the "
            "start of another episode, and after the last row there is none. next_values[t] is of the true next observation.",
            {"deltas": value_of_the_next_row(lambda i: 0 * i.values)},
            {"deltas": value_of_the_next_row(lambda i: i.values)},
            deltas=value_of_the_next_row(lambda i: i.next_values),
        ),
        mistake(
            "no-bootstrap-at-the-rollouts-end",
            "The last row got no next value. Collecting stopped there, the episode did not: next_values of the last row says "
            "what the critic expects beyond it.",
            deltas=error(next_values=lambda i: torch.cat([i.next_values[:-1], 0 * i.values[-1:]])),
        ),
        mistake(
            "gamma-left-out-of-the-trace",
            "Your trace decays by gae_lambda alone. Each step back costs gamma times gae_lambda: gamma because rewards further "
            "ahead count less, lambda because the critic is trusted more.",
            decay=lambda i: i.gae_lambda * (~i.ends).to(i.rewards.dtype),
        ),
        mistake(
            "lambda-in-the-error",
            "gae_lambda found its way into your one-step error. The error is about one step and knows gamma only; lambda "
            "weighs how errors of later steps are added.",
            deltas=lambda i: i.rewards + i.gamma * i.gae_lambda * i.next_values * ~i.terminated - i.values,
        ),
        mistake(
            "weighted-average",
            "You multiplied by 1 - lambda. That factor makes an average of n-step advantages, and in the derivation it has "
            "cancelled against the sum of its weights: the recursion adds the one-step errors in full.",
            {"finish": lambda i, advantages: (1 - i.gae_lambda if i.gae_lambda < 1 else 1) * advantages},
            finish=lambda i, advantages: (1 - i.gae_lambda) * advantages,
        ),
        mistake(
            "only-one-step-ahead",
            "You added the next row's one-step error and stopped there. What flows back is the next row's advantage, in which "
            "all later errors are collected: keep a running value and go backwards.",
            recursion=lambda deltas, decay: deltas + decay * torch.cat([deltas[1:], 0 * deltas[:1]]),
        ),
        mistake(
            "accumulated-forwards",
            "You went through time forwards, so each step collects the errors of those before it. An action can only have "
            "caused what comes after it: begin with the last row.",
            {"recursion": lambda deltas, decay: backwards(deltas.flip(0), shifted_on(decay).flip(0)).flip(0)},
            recursion=lambda deltas, decay: backwards(deltas.flip(0), decay.flip(0)).flip(0),
        ),
        mistake(
            "returns-for-advantages",
            "You returned advantage plus value, which is the target of the critic. As a weight of actions it lacks the "
            "baseline: all actions in a good state would be praised alike.",
            {"deltas": lambda i: right_error(i) + i.values},
            finish=lambda i, advantages: advantages + i.values,
        ),
        mistake(
            "normalised-inside",
            "You normalised the advantages here. The training loop does that, after gae and not in every algorithm; the "
            "critic's targets, advantage plus value, are made of the advantages as they are. Return them unscaled.",
            {"finish": lambda i, advantages: (advantages - advantages.mean()) / (advantages.std() + 1e-8)},
            finish=lambda i, advantages: normalize(advantages),
        ),
        mistake(
            "all-environments-cut-together",
            "The end of an episode in one environment cut the others as well. Each column has ends of its own: multiply by the "
            "flags of the row, element by element.",
            {
                "decay": trace(lambda i: ~i.ends.any(1, keepdim=True).expand_as(i.ends)),
                "deltas": error(alive=lambda i: ~i.terminated.any(1, keepdim=True).expand_as(i.ends)),
            },
            decay=trace(lambda i: ~i.ends.any(1, keepdim=True).expand_as(i.ends)),
        ),
        mistake(
            "along-the-environments",
            "You accumulated along the second axis. It counts environments, which know nothing of each other; time is the "
            "first axis.",
            change=turned,
            finish=lambda i, advantages: advantages.T,
        ),
    ),
)
