"""ppo_clip_loss(log_prob, old_log_prob, advantages, *, clip_coef): the clipped surrogate, as a loss."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_04.ppo_clip_loss_wrong import MISCONCEPTIONS
from pgcourse.checks.unit_04.ratios import call_with_ratios
from pgcourse.losses import ppo_clip_loss


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first. No ratio lies on the edge of the interval, where two gradients would both be right."""
    yield _from_ratios([1.1], [2.0], clip_coef=0.2)
    yield _from_ratios([1.5, 1.5], [2.0, -2.0], clip_coef=0.2)
    yield _from_ratios([0.5, 0.5, 1.5, 1.5], [1.0, -2.0, 4.0, -3.0], clip_coef=0.2)
    yield _from_ratios([1.1, 0.1], [5.0, -6.0], clip_coef=0.2)
    # Here the unclipped mean is the smaller one, and means taken first differ from the clipped ratio alone.
    yield _from_ratios([1.5, 0.5], [-3.0, 1.0], clip_coef=0.2)
    # The first minibatch of an update: the policy is still the old one, and one advantage is 0.
    yield _from_ratios([1.0, 1.0, 1.0, 1.0], [3.0, 0.0, -1.0, 4.0], clip_coef=0.2)
    same = torch.tensor([-200.0, -200.0, -199.0])
    yield {
        "log_prob": same,
        "old_log_prob": torch.full((3,), -200.0),
        "advantages": torch.tensor([1.0, -2.0, 3.0]),
        "clip_coef": 0.3,
    }
    source = generator(seed)
    yield _random(source, 16, clip_coef=0.3)
    yield _random(source, 12, clip_coef=0.1, dtype=torch.float64)


def _from_ratios(ratios: list[float], advantages: list[float], *, clip_coef: float) -> Case:
    old = torch.linspace(0.2, 0.5, len(ratios), dtype=torch.float64)
    return {
        "log_prob": (old * torch.tensor(ratios, dtype=torch.float64)).log().float(),
        "old_log_prob": old.log().float(),
        "advantages": torch.tensor(advantages),
        "clip_coef": clip_coef,
    }


def _random(source: torch.Generator, batch: int, *, clip_coef: float, dtype: torch.dtype = torch.float32) -> Case:
    old = -normal(source, batch, dtype=torch.float64).abs() - 0.3
    # Ratios below, inside and above the interval in turn, away from its edges; each side meets both signs of A.
    side = torch.arange(batch) % 3 - 1.0
    distance = 0.2 + 0.6 * torch.rand(batch, generator=source, dtype=torch.float64)
    ratio = 1 + side * (clip_coef + distance * (1 - clip_coef)) + (side == 0) * clip_coef * (distance - 0.4)
    advantages = normal(source, batch, dtype=torch.float64).abs() * (1 - 2 * (torch.arange(batch) // 3 % 2)) * 2
    return {
        "log_prob": (old + ratio.log()).to(dtype),
        "old_log_prob": old.to(dtype),
        "advantages": advantages.to(dtype),
        "clip_coef": clip_coef,
    }


def _with_loop(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    terms = []
    for new, old, advantage in zip(log_prob, old_log_prob.tolist(), advantages.tolist(), strict=True):
        ratio = torch.exp(new - old)
        clipped = min(max(float(ratio), 1 - clip_coef), 1 + clip_coef)
        terms.append(
            ratio * advantage if float(ratio) * advantage <= clipped * advantage else 0 * new + clipped * advantage
        )
    return -torch.stack(terms).mean()


def _by_sign(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """Min of the two as a limit that depends on the advantage's sign, as Spinning Up writes it."""
    advantages = advantages.detach()
    ratio = torch.exp(log_prob - old_log_prob.detach())
    bound = torch.where(advantages > 0, ratio.clamp(max=1 + clip_coef), ratio.clamp(min=1 - clip_coef))
    return torch.mean(-bound * advantages)


def _maximum_of_losses(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    """The larger of two losses, as CleanRL writes it."""
    with torch.no_grad():
        old, weight = old_log_prob.clone(), advantages.clone()
    ratio = (log_prob - old).exp()
    return torch.max(-weight * ratio, -weight * torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef)).mean()


def _in_double_precision(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    weight = advantages.detach().double()
    ratio = (log_prob.double() - old_log_prob.detach().double()).exp()
    stacked = torch.stack([ratio, ratio.clip(1 - clip_coef, 1 + clip_coef)]) * weight  # [2, B]
    return -(stacked.amin(dim=0).sum() / len(weight)).to(log_prob.dtype)


def _with_mask(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
    ratio = (log_prob - old_log_prob.detach()).exp()
    weight = advantages.detach()
    too_far = ((ratio > 1 + clip_coef) & (weight > 0)) | ((ratio < 1 - clip_coef) & (weight < 0))
    edge = 1 + clip_coef * weight.sign()
    return -(torch.where(too_far, edge, ratio) * weight).mean()


EXERCISE = Exercise(
    id="ppo_clip_loss",
    unit="04",
    title="The clipped loss",
    points=3,
    minutes=15,
    difficulty=2,
    cases=cases,
    show_case=call_with_ratios("ppo_clip_loss", "log_prob, old_log_prob, advantages, *, clip_coef"),
    observe=Call(
        "log_prob, old_log_prob, advantages, *, clip_coef",
        differentiable=("log_prob",),
        constant=("old_log_prob", "advantages"),
    ),
    reference=ppo_clip_loss,
    alternatives=(_with_loop, _by_sign, _maximum_of_losses, _in_double_precision, _with_mask),
    hints=(
        "Take a ratio of 1.5, a clip of 0.2 and work two actions by hand, a good one with A = 2 and a bad one with "
        "A = -2. Which of r * A and clip(r) * A is the smaller, and for which of the two does a gradient remain?",
        "Three steps: the ratio [B]; two objectives [B], one with the ratio as it is and one with the ratio clamped to "
        "1 - clip_coef ... 1 + clip_coef, each times the advantage; the smaller of the two element by element. Then the "
        "mean over the batch, and a minus. Detach advantages and old log-probabilities.",
        "ratio = (log_prob - old_log_prob.detach()).exp(); advantages = advantages.detach(); return "
        "-torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()",
    ),
    misconceptions=MISCONCEPTIONS,
)
