"""patient_11: the action that is stored, and its log-probability."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.distributions import Normal

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_06 import in_training
from pgcourse.checks.unit_06.patient import Function, Patient, mistake, unpatched
from pgcourse.study.traps import CLIPPED_ACTION_LOG_PROB


def ill(mean, log_std, noise, *, bound):  # type: ignore[no-untyped-def]
    """What a rollout stores of an action: (action [B, D], log_prob [B]), the draw and its log-density.

    mean: [B, D]. log_std: [D]. noise: [B, D], unit normal. bound: the environment takes actions from -bound to bound, and
    clips what lies outside by itself.
    """
    std = log_std.exp()
    action = (mean + std * noise).clamp(-bound, bound)  # [B, D]
    log_prob = torch.distributions.Normal(mean, std).log_prob(action).sum(-1)
    return action, log_prob


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


def clip(x: Tensor, bound: float) -> Tensor:
    """Within the bounds."""
    return x.clamp(-bound, bound)


def squash(x: Tensor, bound: float) -> Tensor:
    """Within the bounds, smoothly."""
    return bound * x.tanh()


def mass_beyond(law: Normal, draw: Tensor, bound: float) -> Tensor:
    """Beyond a bound, the logarithm of all the mass that lies there, [B, D]."""
    edge = torch.full_like(draw, bound)
    terms = torch.where(draw > bound, (1 - law.cdf(edge)).log(), law.log_prob(draw))
    return torch.where(draw < -bound, law.cdf(-edge).log(), terms)


def stored_with(
    stored: Function = lambda draw, bound: draw,
    terms: Function = lambda law, draw, bound: law.log_prob(draw),
    reduce: Function = lambda terms: terms.sum(-1),
    mean_as: Function = lambda mean, bound: mean,
    noise_as: Function = lambda noise, bound: noise,
) -> Function:
    """The function in parts; the defaults are right. Args: terms: of the log-probability, [B, D]."""

    def attempt(mean: Tensor, log_std: Tensor, noise: Tensor, *, bound: float) -> tuple[Tensor, Tensor]:
        law = Normal(mean_as(mean, bound), log_std.exp())
        draw = law.mean + law.stddev * noise_as(noise, bound)
        return stored(draw, bound), reduce(terms(law, draw, bound))

    return attempt


def density_of(change: Function) -> Function:
    """The terms at a changed draw."""
    return lambda law, draw, bound: law.log_prob(change(draw, bound))


def twice_as_wide(draw: Tensor, bound: float) -> Tensor:
    """Within twice the bounds."""
    return clip(draw, 2 * bound)


PATIENT = Patient("patient_11", CLIPPED_ACTION_LOG_PROB, ill=ill, cured=stored_with(), seams=in_training.stored_action)
EXERCISE = Exercise.listed(
    "patient_11",
    cases=cases,
    observe=Call("mean, log_std, noise, *, bound"),
    reference=PATIENT.cured,
    hints=(
        "Which action did the policy draw, and whose log-probability is stored? Follow a draw that lies beyond the bound.",
        "The update asks how likely the policy's own draw was. What the environment makes of the draw is part of the "
        "environment.",
        "action = mean + std * noise, without clamp. Nothing else changes.",
    ),
    misconceptions=(
        unpatched(ill, "Look at a draw beyond the bound: is the stored action the one that the policy drew?"),
        mistake(
            "log-prob-of-another-action",
            "You store the draw, but the log-probability is still that of the clipped action. The update evaluates the stored "
            "action, so its first ratio would differ from 1. Both have to be of the same action.",
            stored_with(terms=density_of(clip)),
        ),
        mistake(
            "clipped-action-stored",
            "The log-probability is that of the draw, but the stored action is clipped. The update would evaluate another action "
            "than this log-probability belongs to. Store the draw itself.",
            stored_with(clip),
        ),
        mistake(
            "clipped-elsewhere",
            "You clip something else in place of the action: the mean, the noise, or at a wider bound. What is stored is then no "
            "draw of this policy, or not with its density. Nothing is clipped here; the environment does that.",
            stored_with(mean_as=clip),
            stored_with(noise_as=clip),
            stored_with(twice_as_wide, density_of(twice_as_wide)),
        ),
        mistake(
            "squashed",
            "You squashed the action with tanh. That is another policy, whose log-probability needs the Jacobian; this one draws "
            "from a plain normal, and the environment clips.",
            stored_with(squash, density_of(squash)),
            stored_with(squash),
            stored_with(lambda draw, bound: draw.tanh(), density_of(lambda draw, bound: draw.tanh())),
        ),
        mistake(
            "density-of-clipped-law",
            "Beyond the bound you gave the probability of the whole tail, or none at all. That is the law of the clipped action, "
            "and the update's density does not know of it. Store the draw and its density.",
            stored_with(clip, mass_beyond),
            stored_with(terms=mass_beyond),
            stored_with(terms=lambda law, draw, bound: law.log_prob(draw) * (draw.abs() <= bound)),
        ),
        mistake(
            "dimensions-not-summed",
            "You dropped the sum over the dimensions, or averaged. They are independent, so their log-probabilities add up to "
            "one number an action.",
            stored_with(reduce=lambda terms: terms),
            stored_with(reduce=lambda terms: terms.mean(-1)),
        ),
        mistake(
            "density-of-the-noise",
            "You took the density of the noise. The action is stretched by the standard deviation, so its density is lower where "
            "that is large: log_std is subtracted for each dimension.",
            stored_with(terms=lambda law, draw, bound: law.log_prob(draw) + law.stddev.log()),
        ),
    ),
)
