"""ppo_clip_loss(log_prob, old_log_prob, advantages, *, clip_coef): the clipped surrogate, as a loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_04.ratios import Formula, call_with_ratios, mistake
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
    yield {
        "log_prob": torch.tensor([-200.0, -200.0, -199.0]),
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


Ratio = Callable[[Tensor, Tensor], Tensor]  # of log_prob and old_log_prob
Clip = Callable[[Tensor, float], Tensor]  # of the ratio and clip_coef
Combine = Callable[[Tensor, Tensor, Tensor], Tensor]  # of the ratio, the clipped ratio and the advantages


def exponential(new: Tensor, old: Tensor) -> Tensor:
    """Right: the ratio as the exponential of a difference."""
    return (new - old).exp()


def interval(ratio: Tensor, c: float) -> Tensor:
    """Right: the interval around 1."""
    return ratio.clamp(1 - c, 1 + c)


def smaller(ratio: Tensor, clipped: Tensor, a: Tensor) -> Tensor:
    """Right: the smaller objective, row by row."""
    return torch.minimum(ratio * a, clipped * a)


def loss_with(ratio: Ratio = exponential, clip: Clip = interval, combine: Combine = smaller) -> Formula:
    """The right loss with some of its parts exchanged."""

    def loss(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, *, clip_coef: float) -> Tensor:
        r = ratio(log_prob, old_log_prob)
        return -combine(r, clip(r, clip_coef), advantages).mean()

    return loss


def changed(
    id: str,
    explanation: str,
    ratio: Sequence[Ratio] = (exponential,),
    clip: Sequence[Clip] = (interval,),
    combine: Sequence[Combine] = (smaller,),
) -> Misconception:
    """A misconception with other parts; several in one place are spellings of the same mistake."""
    return mistake(id, explanation, *(loss_with(*parts) for parts in product(ratio, clip, combine)))


EXERCISE = Exercise.listed(
    "ppo_clip_loss",
    cases=cases,
    observe=Call(
        "log_prob, old_log_prob, advantages, *, clip_coef",
        differentiable=("log_prob",),
        constant=("old_log_prob", "advantages"),
    ),
    reference=ppo_clip_loss,
    show_case=call_with_ratios("ppo_clip_loss", "log_prob, old_log_prob, advantages, *, clip_coef"),
    hints=(
        "Take a ratio of 1.5, a clip of 0.2 and work two actions by hand, a good one with A = 2 and a bad one with "
        "A = -2. Which of r * A and clip(r) * A is the smaller, and for which of the two does a gradient remain?",
        "Three steps: the ratio [B]; two objectives [B], one with the ratio as it is and one with the ratio clamped to "
        "1 - clip_coef ... 1 + clip_coef, each times the advantage; the smaller of the two element by element. Then the "
        "mean over the batch, and a minus. Detach advantages and old log-probabilities.",
        "ratio = (log_prob - old_log_prob.detach()).exp(); advantages = advantages.detach(); return "
        "-torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages).mean()",
    ),
    misconceptions=(
        changed(
            "minus-sign-missing",
            "The minus is missing. An optimizer minimises, so this loss makes good actions rarer, and the clip then guards "
            "the wrong side.",
            combine=[lambda ratio, clipped, a: -smaller(ratio, clipped, a)],
        ),
        changed(
            "larger-of-the-two",
            "You took the larger of the two objectives. That is the optimist: where the policy has moved too far, it keeps "
            "pushing. Take the smaller one, so that going beyond the interval never pays, but a way back always does. (With "
            "losses, which have a minus, it is the larger.)",
            combine=[lambda ratio, clipped, a: torch.maximum(ratio * a, clipped * a)],
        ),
        changed(
            "clipped-ratio-alone",
            "You used the clipped ratio alone. Look at ratio 1.5 with a negative advantage: a bad action has become more "
            "likely, and your gradient is 0, so nothing brings it back. The minimum with the unclipped objective does.",
            combine=[lambda ratio, clipped, a: clipped * a],
        ),
        changed(
            "not-clipped",
            "Your loss is not clipped anywhere. Its first step is right, but after several epochs on the same data the "
            "ratio runs away: nothing says that the data are only about policies near the old one.",
            combine=[lambda ratio, clipped, a: ratio * a],
        ),
        mistake(
            "objective-clipped",
            "You clipped the objective, ratio times advantage. Its size says nothing about how far the policy has moved: "
            "large advantages would be clipped at a ratio of 1. Clip the ratio, then multiply.",
            lambda new, old, a, *, clip_coef: (
                -torch.minimum((new - old).exp() * a, interval((new - old).exp() * a, clip_coef)).mean()
            ),
            lambda new, old, a, *, clip_coef: -interval((new - old).exp() * a, clip_coef).mean(),
        ),
        changed(
            "rows-outside-left-out",
            "You left out the rows whose ratio is outside of the interval. Some of them have moved against their advantage, and "
            "these need their gradient to come back; the others count with the clipped ratio. The minimum decides which.",
            combine=[
                lambda ratio, clipped, a: (ratio * a)[ratio == clipped] if (ratio == clipped).any() else 0 * ratio,
                lambda ratio, clipped, a: ratio * a * (ratio == clipped),
            ],
        ),
        changed(
            "one-sided-clip",
            "You limited the ratio on one side only. With a positive advantage it must not go above 1 + clip_coef, with a "
            "negative one not below 1 - clip_coef: the interval has two ends.",
            clip=[lambda ratio, c: ratio.clamp(max=1 + c), lambda ratio, c: ratio.clamp(min=1 - c)],
        ),
        changed(
            "interval-of-another-width",
            "Your interval has another width. clip_coef is half of it: on each side of 1 the ratio may go clip_coef far, from "
            "1 - clip_coef to 1 + clip_coef.",
            clip=[lambda ratio, c: interval(ratio, c / 2), lambda ratio, c: interval(ratio, 2 * c)],
        ),
        changed(
            "logarithm-clipped",
            "You clipped the difference of the log-probabilities. An interval that is symmetric there is not symmetric around 1: "
            "exp(0.2) is 1.22 and exp(-0.2) is 0.82. Take the exponential first and clip the ratio.",
            clip=[lambda ratio, c: ratio.log().clamp(-c, c).exp(), lambda ratio, c: ratio.clamp(1 / (1 + c), 1 + c)],
        ),
        changed(
            "exponential-missing",
            "You used the difference of the log-probabilities as the ratio. It is the ratio's logarithm, 0 where nothing has "
            "changed. The exponential is missing.",
            ratio=[lambda new, old: new - old],
        ),
        changed(
            "probabilities-divided",
            "You turned both into probabilities and divided. With log-probabilities of -200 this is 0 / 0. Subtract the "
            "logarithms first and take the exponential last.",
            ratio=[lambda new, old: new.exp() / (old.exp() + 1e-8), lambda new, old: new.exp() / old.exp()],
        ),
        changed(
            "ratio-upside-down",
            "Your ratio is the old probability over the new one, so the step goes the wrong way: making a good action more "
            "likely lowers your objective. The new policy stands on top.",
            ratio=[lambda new, old: (old - new).exp()],
        ),
        changed(
            "no-ratio",
            "You weighted the log-probability by the advantage, as in A2C. That is right for one step on fresh data. The "
            "ratio is what makes the second and third step on the same data right, and there is nothing to clip without it.",
            ratio=[lambda new, old: new, lambda new, old: new.exp()],
            combine=[lambda ratio, clipped, a: ratio * a, smaller],
        ),
        changed(
            "means-before-the-minimum",
            "You took the means first and the minimum of the two numbers afterwards. Whether a row is clipped is then "
            "decided by all the others. Take the minimum row by row, the mean last.",
            combine=[lambda ratio, clipped, a: torch.minimum((ratio * a).mean(), (clipped * a).mean())],
        ),
        changed(
            "minimum-before-the-advantage",
            "You took the smaller of the two ratios and multiplied it by the advantage afterwards. A negative advantage turns "
            "smaller into larger: multiply both ratios first, then take the smaller product.",
            combine=[lambda ratio, clipped, a: torch.minimum(ratio, clipped) * a],
        ),
        changed(
            "advantages-normalised-inside",
            "You normalised the advantages inside the loss. That is the update's business, minibatch by minibatch; the loss "
            "uses them as they are given, so that it can be tested and used without.",
            combine=[
                lambda ratio, clipped, a: smaller(ratio, clipped, (a - a.mean()) / (a.std(correction=0) + 1e-8)),
                lambda ratio, clipped, a: smaller(ratio, clipped, (a - a.mean()) / (a.std() + 1e-8)),
            ],
        ),
    ),
)
