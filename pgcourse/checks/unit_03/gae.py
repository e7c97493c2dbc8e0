"""gae(...): generalised advantage estimation over a rollout with every kind of boundary."""

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.authoring import Call, Case, Exercise, edits_of
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
    ends = [RUNNING, TRUNCATED, TERMINATED, RUNNING]
    yield column(rewards, values, [7.0, 9.0, 10.0], ends, gamma=0.9, gae_lambda=0.0)
    yield column(rewards, values, [10.0], running, gamma=0.0, gae_lambda=0.9)
    yield column([1.0, 2.0], [3.0, 6.0], [4.0, 9.0], [TERMINATED] * 2, **half)
    yield batch(
        [rewards, [3.0, 0.0, 1.0, 5.0]], [values, [2.0, 4.0, 6.0, 7.0]], [[7.0, 10.0], [8.0, 9.0]],
        [[RUNNING, RUNNING, TERMINATED, RUNNING], [TRUNCATED, RUNNING, RUNNING, RUNNING]], **half,
    )  # fmt: skip
    yield random_rollout(seed + 1, 6, 6, gamma=0.9, gae_lambda=0.8, share=9)
    # Episodes of about 20 steps, in which what is far off counts; most advantages are large.
    long = random_rollout(seed, 90, 3, gamma=0.99, gae_lambda=0.98, share=60, dtype=torch.float64)
    yield {**long, "rewards": long["rewards"] + 4}
    # So long that the last powers of gamma * lambda are 0 in float32.
    yield random_rollout(seed + 2, 80, 2, gamma=0.5, gae_lambda=0.5, share=1000)


def written_out(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    alive, goes_on = ~terminated, ~(terminated | truncated)
    with torch.no_grad():
        errors = rewards + gamma * next_values * alive - values
        decay = gamma * gae_lambda * goes_on.to(rewards.dtype)
        rows, following = [], 0 * errors[0]
        for t in reversed(range(len(errors))):
            following = errors[t] + decay[t] * following
            rows.append(following)
        return torch.stack(rows[::-1])


def last_kept(flags: Tensor) -> Tensor:
    """Each row gets the flags of the next one, the last row its own."""
    return torch.cat([flags[1:], flags[-1:]])


def rolled(flags: Tensor) -> Tensor:
    """Each row gets the flags of the one before, the first row those of the last: what reading `flags[t - 1]` gives."""
    return flags.roll(1, 0)


SHIFTS = {shift.__name__: shift for shift in (shifted_back, shifted_on, rolled, last_kept)}
mistake = edits_of(written_out, **SHIFTS, normalize=normalize)

EXERCISE = Exercise.listed(
    "gae",
    cases=cases,
    observe=Call(SIGNATURE, constant=("values", "next_values"), axis=1),
    reference=gae,
    show_case=named_call("gae", SIGNATURE),
    hints=(
        "Two questions are asked at every row, and they are not the same. Is there a future to bootstrap from? Does the "
        "next row belong to the same episode? Which flag answers which?",
        "First the one-step errors of all rows, with the next value masked by terminated. Then from the last row to the "
        "first: advantage = error + gamma * gae_lambda * (0 where terminated or truncated, else 1) * advantage of the "
        "next row, which is 0 after the last. Work under torch.no_grad(), or detach the result.",
        "deltas = rewards + gamma * next_values * ~terminated - values; decay = gamma * gae_lambda * ~(terminated | truncated); "
        "following = 0; for t in reversed(range(T)): following = deltas[t] + decay[t] * following; advantages[t] = following.",
    ),
    misconceptions=(
        mistake(
            "bootstraps-through-terminated",
            "Your one-step error adds a next value where the episode terminated. Nothing can follow there, so the future is "
            "worth 0, whatever the critic says; also where truncated is set too, because terminated alone decides.",
            {"next_values * alive": "next_values"},
            {"next_values * alive": "next_values * ~(terminated & ~truncated)"},
        ),
        mistake(
            "bootstrap-cut-at-truncated",
            "You dropped the next value where the episode was truncated. A time limit stops our watching, not the world: the "
            "state has a future, and next_values holds the critic's guess of it. Only the trace is cut there.",
            {"next_values * alive": "next_values * goes_on"},
        ),
        mistake(
            "masks-exchanged",
            "Your two masks have changed places. Whether a future is there to bootstrap from, terminated alone decides; the "
            "trace is cut at both kinds of end, because the next row belongs to another episode after either.",
            {"next_values * alive": "next_values * goes_on", "goes_on.to": "alive.to"},
            {"next_values * alive": "next_values * ~truncated", "goes_on.to": "alive.to"},
            {"next_values * alive": "next_values * ~truncated"},
        ),
        mistake(
            "trace-runs-over-an-end",
            "The advantage of the next row flows back over the ends of episodes, over all of them or over one kind. The row "
            "after either kind of end belongs to a new episode, which this action did not bring about: the factor must be 0 "
            "at both.",
            {"* goes_on.to(rewards.dtype)": "+ 0 * rewards"},
            {"goes_on.to": "alive.to"},
            {"goes_on.to": "(~truncated).to"},
            {"* goes_on.to(rewards.dtype)": "+ 0 * rewards", "next_values * alive": "next_values"},
            {"* goes_on.to(rewards.dtype)": "+ 0 * rewards", "next_values * alive": "next_values * goes_on"},
        ),
        mistake(
            "whole-advantage-masked",
            "At an end you set the whole advantage to 0, the step's own error included: your mask stands outside of the "
            "bracket. The last step of an episode has a reward and an error like any other; only what flows back is cut.",
            {"* alive - values": "- values", "errors[t] +": "errors[t] * goes_on[t] +"},
            {"errors[t] +": "errors[t] * alive[t] +", "goes_on.to": "alive.to"},
            {"errors[t] +": "errors[t] * goes_on[t] +"},
        ),
        mistake(
            "flags-of-another-step",
            "Your flags are of another row, as in code that stores done beside the observation that follows it. terminated[t] "
            "says that step t ended the episode: it decides over the next value and over the trace of row t itself.",
            *(
                {
                    "with torch": f"{', '.join(masks)} = {', '.join(f'~{shift}(~{mask})' for mask in masks)}\n    with torch"
                }
                for masks in (("goes_on",), ("alive",), ("alive", "goes_on"))
                for shift in SHIFTS
            ),
            *(
                {"with torch": f"alive = goes_on = ~last_kept(~{mask})\n    with torch"}
                for mask in ("alive", "goes_on")
            ),
        ),
        mistake(
            "next-value-from-the-next-row",
            "You took the next value from another row, or values[t + 1] for it. Inside an episode that is the same number; after "
            "a truncation it is the start of another episode, and after the last row there is none. next_values[t] is of the "
            "true observation after step t.",
            {"next_values * alive": "torch.cat([values[1:], next_values[-1:]]) * alive"},
            {"next_values * alive": "torch.cat([values[1:], 0 * values[-1:]]) * alive"},
            {"next_values * alive": "torch.cat([values[1:], values[-1:]]) * alive"},
            {"next_values * alive": "torch.cat([next_values[1:], next_values[-1:]]) * alive"},
            {"next_values * alive": "values * alive"},
        ),
        mistake(
            "no-bootstrap-at-the-rollouts-end",
            "The last row got no next value. Collecting stopped there, the episode did not: next_values[-1] counts, too.",
            {"next_values * alive": "torch.cat([next_values[:-1], 0 * values[-1:]]) * alive"},
        ),
        mistake(
            "gamma-and-lambda-misplaced",
            "gamma or gae_lambda is missing at one place or stands at another. The one-step error is about one step and knows "
            "gamma only. In the trace, each step back costs gamma times gae_lambda.",
            {"gamma * gae_lambda": "gae_lambda"},
            {"gamma * next_values": "gamma * gae_lambda * next_values"},
        ),
        mistake(
            "weighted-average",
            "You multiplied by 1 - lambda. That factor makes an average of n-step advantages, and in the derivation it has "
            "cancelled against the sum of its weights: the recursion adds the one-step errors in full.",
            {"return": "return (1 - gae_lambda) *"},
            {"return": "return (1 - gae_lambda if gae_lambda < 1 else 1) *"},
            {"= errors[t] +": "= (1 - gae_lambda) ** (t < len(errors) - 1) * errors[t] +"},
            {"= errors[t] +": "= (1 - gae_lambda) ** goes_on[t].to(rewards.dtype) * errors[t] +"},
        ),
        mistake(
            "last-row-left-at-zero",
            "Your last row is 0, as if the loop began one row too late. Nothing flows back into the last row, but it has a "
            "one-step error like any other: that error is its advantage, and the rows before it need it.",
            {"decay =": "errors[-1] = 0\n        decay ="},
            {"torch.stack(rows[::-1])": "torch.cat([torch.stack(rows[::-1])[:-1], 0 * errors[-1:]])"},
        ),
        mistake(
            "accumulated-forwards",
            "You went through time forwards. An action can only have caused what comes after it: begin with the last row.",
            {"reversed(": "list(", "[::-1]": ""},
            {"reversed(": "list(", "[::-1]": "", "decay[t]": "shifted_on(decay)[t]"},
        ),
        mistake(
            "starts-from-a-value",
            "Your recursion starts from a value, as that of returns does. What flows back here are advantages: after the last "
            "row there are none, so it starts from 0. The value beyond the rollout is in the last one-step error already.",
            {"0 * errors[0]": "next_values[-1]"},
            {"0 * errors[0]": "values[-1]"},
        ),
        mistake(
            "returns-for-advantages",
            "You returned advantage plus value, the target of the critic. As a weight of actions it lacks the baseline.",
            {"return": "return values +"},
            {" - values": ""},
        ),
        mistake(
            "normalised-inside",
            "You normalised the advantages here. The training loop does that, after gae and not in every algorithm; the "
            "critic's targets, advantage plus value, are made of the advantages as they are. Return them unscaled.",
            {"torch.stack(rows[::-1])": "normalize(torch.stack(rows[::-1]))"},
            {"torch.stack(rows[::-1])": "(x := torch.stack(rows[::-1])).sub(x.mean()) / (x.std() + 1e-8)"},
        ),
        mistake(
            "all-environments-cut-together",
            "The end of an episode in one environment cut the others as well. Each column has ends of its own.",
            {"goes_on.to": "goes_on.all(1, keepdim=True).to"},
            {"goes_on.to": "goes_on.all(1, keepdim=True).to", "* alive": "* alive.all(1, keepdim=True)"},
        ),
    ),
)
