"""Wrong answers to gae. Each is the right function with one thing changed, detached and not detached."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_03.gae_parts import (
    Inputs,
    accumulate,
    bootstrapped,
    build,
    decayed,
    mistake,
    right_deltas,
    turned,
)
from pgcourse.checks.unit_03.gae_wrong_boundaries import BOUNDARIES
from pgcourse.returns import normalize


def _forwards(deltas: Tensor, decay: Tensor) -> Tensor:
    return accumulate(deltas.flip(0), decay.flip(0)).flip(0)


def _normalised(i: Inputs, advantages: Tensor, *, correction: int, eps: float, one_row: bool = False) -> Tensor:
    """Scaled over all steps. `one_row`: whether a single number is taken care of, whose scale is 0 or NaN."""
    if one_row and advantages.numel() == 1:
        return 0 * advantages
    return (advantages - advantages.mean()) / (advantages.std(correction=correction) + eps)


def _for_all(flags: Tensor) -> Tensor:
    return flags.any(1, keepdim=True).expand_as(flags)


def _in_place(i: Inputs, advantages: Tensor) -> Tensor:
    return i.rewards.copy_(advantages)


MISCONCEPTIONS = (
    *BOUNDARIES,
    mistake(
        "lambda-left-out",
        "gae_lambda has no influence on your result: the trace decays by gamma alone. That is the Monte Carlo end, lambda = "
        "1, with all its noise. Each step back costs gamma times gae_lambda.",
        decay=lambda i: i.gamma * (~i.ends).to(i.rewards.dtype),
    ),
    mistake(
        "gamma-left-out-of-the-trace",
        "Your trace decays by gae_lambda alone. Each step back costs gamma times gae_lambda: gamma because rewards further "
        "ahead count less, lambda because the critic is trusted more.",
        decay=lambda i: i.gae_lambda * (~i.ends).to(i.rewards.dtype),
    ),
    mistake(
        "discount-missing-in-the-error",
        "The next value in your one-step error is not discounted. The target is the reward plus gamma times the next "
        "value.",
        deltas=lambda i: i.rewards + i.next_values * ~i.terminated - i.values,
    ),
    mistake(
        "lambda-in-the-error",
        "gae_lambda found its way into your one-step error. The error is about one step and knows gamma only; lambda "
        "weighs how errors of later steps are added.",
        {"deltas": lambda i: i.rewards + i.gae_lambda * i.next_values * ~i.terminated - i.values},
        deltas=lambda i: i.rewards + i.gamma * i.gae_lambda * i.next_values * ~i.terminated - i.values,
    ),
    mistake(
        "weighted-average",
        "You multiplied by 1 - lambda. That factor makes an average of n-step advantages, and in the derivation it has "
        "cancelled against the sum of its weights: the recursion adds the one-step errors in full.",
        {"deltas": lambda i: right_deltas(i) * (1 - i.gae_lambda)},
        finish=lambda i, advantages: (1 - i.gae_lambda) * advantages,
    ),
    mistake(
        "errors-not-accumulated",
        "You returned the one-step errors, which is what lambda = 0 gives. With a larger lambda the later errors are added, "
        "each step back discounted by gamma times lambda: the recursion is missing.",
        decay=lambda i: 0 * i.rewards,
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
        recursion=_forwards,
    ),
    mistake(
        "order-not-restored",
        "You collected the advantages backwards and forgot to turn them round at the end: the last row stands first.",
        finish=lambda i, advantages: advantages.flip(0),
    ),
    mistake(
        "returns-for-advantages",
        "You returned advantage plus value, which is the target of the critic. As a weight of actions it lacks the "
        "baseline: all actions in a good state would be praised alike.",
        {"deltas": lambda i: i.rewards + i.gamma * i.next_values * ~i.terminated},
        finish=lambda i, advantages: advantages + i.values,
    ),
    mistake(
        "sign-flipped",
        "Your one-step error is value minus target. A step that went better than expected must come out positive, or the "
        "policy would avoid it.",
        finish=lambda i, advantages: -advantages,
    ),
    mistake(
        "normalised-inside",
        "You normalised the advantages here. The training loop does that, after gae and not in every algorithm; the critic's "
        "targets, advantage plus value, are made of the advantages as they are. Return them unscaled.",
        *(
            {"finish": functools.partial(_normalised, correction=correction, eps=eps, one_row=one_row)}
            for correction in (0, 1)
            for eps in (1e-8, 0.0)
            for one_row in (False, True)
        ),
        {"finish": lambda i, advantages: advantages - advantages.mean()},
        finish=lambda i, advantages: normalize(advantages),
    ),
    mistake(
        "all-environments-cut-together",
        "The end of an episode in one environment cut the others as well. Each column has ends of its own: multiply by the "
        "flags of the row, element by element.",
        {
            "decay": decayed(lambda i: ~_for_all(i.ends)),
            "deltas": bootstrapped(alive=lambda i: ~_for_all(i.terminated)),
        },
        decay=decayed(lambda i: ~_for_all(i.ends)),
    ),
    mistake(
        "along-the-environments",
        "You accumulated along the second axis. It counts environments, which know nothing of each other; time is the "
        "first axis.",
        change=turned,
        finish=lambda i, advantages: advantages.T,
    ),
    Misconception(
        "not-detached",
        "The numbers are right, but a gradient flows back into the critic's values. The policy loss would then train the "
        "critic to flatter or to blame actions. Advantages are data: cut the path.",
        build(detach=False),
        (
            build(detach=False, change=lambda i: i._replace(values=i.values.detach())),
            build(detach=False, change=lambda i: i._replace(next_values=i.next_values.detach())),
        ),
    ),
    mistake(
        "changed-in-place",
        "The numbers are right, but you wrote them into the rewards. The rollout still needs those: write to a new tensor.",
        finish=_in_place,
    ),
    mistake(
        "always-float32",
        "The numbers are right, but float64 input came back as float32: torch.zeros has the default dtype unless it is told "
        "otherwise. Make the result like the rewards.",
        finish=lambda i, advantages: advantages.float(),
    ),
)
