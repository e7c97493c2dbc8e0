"""patient_11: the action that is stored, and its log-probability."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Normal

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_06 import seams
from pgcourse.checks.unit_06.patient import Function, Patient
from pgcourse.checks.unit_06.shared import unpatched
from pgcourse.study.traps import CLIPPED_ACTION_LOG_PROB

Acted = tuple[Tensor, Tensor]


def ill(mean, log_std, noise, *, bound):  # type: ignore[no-untyped-def]
    """What a rollout stores of an action: (action [B, D], log_prob [B]), the draw and its log-density.

    mean: [B, D]. log_std: [D]. noise: [B, D], unit normal. bound: the environment takes actions from -bound to bound, and
    clips what lies outside by itself.
    """
    std = log_std.exp()
    action = (mean + std * noise).clamp(-bound, bound)  # [B, D]
    log_prob = torch.distributions.Normal(mean, std).log_prob(action).sum(-1)
    return action, log_prob


def patient_11(mean: Tensor, log_std: Tensor, noise: Tensor, *, bound: float) -> Acted:
    """The action as it was drawn, and the log-density of that very action."""
    std = log_std.exp()
    action = mean + std * noise  # [B, D], as drawn: the environment clips for itself
    return action, Normal(mean, std).log_prob(action).sum(-1)


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first; some actions lie beyond the bound, some within."""
    yield {"mean": torch.zeros(1, 1), "log_std": torch.zeros(1), "noise": torch.tensor([[0.5]]), "bound": 2.0}
    yield {"mean": torch.tensor([[1.0]]), "log_std": torch.tensor([0.7]), "noise": torch.tensor([[1.5]]), "bound": 2.0}
    yield {
        "mean": torch.tensor([[1.0, -0.5], [0.0, 3.0]]), "log_std": torch.tensor([0.4, -0.5]),
        "noise": torch.tensor([[1.0, -0.5], [-2.5, 0.3]]), "bound": 2.0,
    }  # fmt: skip
    source = generator(seed)
    for batch, size, bound, dtype in ((6, 3, 1.0, torch.float32), (5, 2, 0.5, torch.float64)):
        yield {
            "mean": 0.5 * normal(source, batch, size, dtype=dtype),
            "log_std": 0.3 * normal(source, size, dtype=dtype),
            "noise": normal(source, batch, size, dtype=dtype),
            "bound": bound,
        }


def _build(
    stored: Function = lambda action, bound: action,
    looked_at: Function = lambda action, bound: action,
    draw: Function = lambda mean, log_std, noise: mean + log_std.exp() * noise,
    density: Function = lambda mean, log_std, action: Normal(mean, log_std.exp()).log_prob(action).sum(-1),
) -> Function:
    """The function in exchangeable parts; the defaults are right."""

    def attempt(mean: Tensor, log_std: Tensor, noise: Tensor, *, bound: float) -> Any:
        action = draw(mean, log_std, noise)
        return stored(action, bound), density(mean, log_std, looked_at(action, bound))

    return attempt


def _clip(action: Tensor, bound: float) -> Tensor:
    return action.clamp(-bound, bound)


def _from_noise(mean: Tensor, log_std: Tensor, noise: Tensor, *, bound: float) -> Acted:
    terms = -noise.square() / 2 - log_std - math.log(math.tau) / 2
    return torch.addcmul(mean, log_std.exp(), noise), terms.sum(dim=1)


def _with_loop(mean: Tensor, log_std: Tensor, noise: Tensor, *, bound: float) -> Acted:
    rows = [m + torch.exp(log_std) * z for m, z in zip(mean, noise, strict=True)]
    density = [Normal(m, torch.exp(log_std)).log_prob(a).sum() for m, a in zip(mean, rows, strict=True)]
    return torch.stack(rows), torch.stack(density)


def _in_double_precision(mean: Tensor, log_std: Tensor, noise: Tensor, *, bound: float) -> list[Tensor]:
    action = mean.double() + log_std.double().exp() * noise.double()
    normals = torch.distributions.Independent(Normal(mean.double(), log_std.double().exp().expand(mean.shape)), 1)
    return [action.to(mean.dtype), normals.log_prob(action).to(mean.dtype)]


def _as_tuple(mean: Tensor, log_std: Tensor, noise: Tensor, *, bound: float) -> Acted:
    action, log_prob = _in_double_precision(mean, log_std, noise, bound=bound)
    return action, log_prob


PATIENT = Patient(
    id="patient_11",
    trap=CLIPPED_ACTION_LOG_PROB,
    part="what is stored of an action",
    ill=ill,
    cured=patient_11,
    seams=lambda function: {"collect_fn": seams.ActingCollector(function)},
)
EXERCISE = Exercise(
    id="patient_11",
    unit="06",
    title="Patient 11",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    observe=Call("mean, log_std, noise, *, bound"),
    reference=patient_11,
    alternatives=(_from_noise, _with_loop, _as_tuple),
    hints=(
        "Which action did the policy draw, and whose log-probability is stored? Follow a draw that lies beyond the "
        "bound.",
        "The update asks how likely the policy's own draw was. What the environment makes of the draw is part of the "
        "environment.",
        "action = mean + std * noise, without clamp. Nothing else changes.",
    ),
    misconceptions=(
        unpatched(ill, "Look at a draw beyond the bound: is the stored action the one that the policy drew?"),
        Misconception(
            "log-prob-of-another-action",
            "You store the draw, but the log-probability is still that of the clipped action. The update evaluates "
            "the stored action, so its first ratio would differ from 1. Both have to be of the same action.",
            _build(looked_at=_clip),
        ),
        Misconception(
            "clipped-action-stored",
            "The log-probability is that of the draw, but the stored action is clipped. The update would evaluate "
            "another action than this log-probability belongs to. Store the draw itself.",
            _build(stored=_clip),
        ),
        Misconception(
            "squashed",
            "You squashed the action with tanh. That is another policy, whose log-probability needs the Jacobian; "
            "this one draws from a plain normal, and the environment clips.",
            _build(draw=lambda mean, log_std, noise: (mean + log_std.exp() * noise).tanh()),
        ),
        Misconception(
            "mean-clipped",
            "You clip the mean in place of the action. The draw then comes from another distribution than the one "
            "whose log-probability you give. The distribution was right; leave it.",
            lambda mean, log_std, noise, *, bound: (
                lambda action: (action, Normal(mean, log_std.exp()).log_prob(action).sum(-1))
            )(mean.clamp(-bound, bound) + log_std.exp() * noise),
        ),
        Misconception(
            "dimensions-not-summed",
            "You dropped the sum: one number a dimension. The dimensions are independent, so their log-probabilities "
            "add up to one number an action.",
            _build(density=lambda mean, log_std, action: Normal(mean, log_std.exp()).log_prob(action)),
        ),
        Misconception(
            "log-std-for-std",
            "You used log_std where the standard deviation belongs; take its exponential. A log_std of 0 is a "
            "standard deviation of 1, not of 0.",
            _build(draw=lambda mean, log_std, noise: mean + log_std * noise),
        ),
        Misconception(
            "noise-left-out",
            "You store the mean in place of the draw. A policy that never tries another action learns nothing about "
            "it, and the update would see the wrong one.",
            _build(draw=lambda mean, log_std, noise: mean + 0 * noise),
        ),
        Misconception(
            "density-of-clipped-law",
            "Beyond the bound you gave the probability of the whole tail. That is the law of the clipped action, and "
            "the update's density does not know of it. Store the draw and its density.",
            lambda mean, log_std, noise, *, bound: _with_tails(mean, log_std, noise, bound),
        ),
    ),
)  # fmt: skip


def _with_tails(mean: Tensor, log_std: Tensor, noise: Tensor, bound: float) -> Acted:
    law, action = Normal(mean, log_std.exp()), mean + log_std.exp() * noise
    edge = torch.as_tensor(bound, dtype=mean.dtype)
    terms = torch.where(action > bound, (1 - law.cdf(edge)).log(), law.log_prob(action))
    return action.clamp(-bound, bound), torch.where(action < -bound, law.cdf(-edge).log(), terms).sum(-1)
