"""patient_11: the action that is stored, and its log-probability."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.distributions import Normal

from pgcourse.checks.authoring import Call, Case, edits_of, generator, normal
from pgcourse.checks.unit_06.patient import Patient, exercise_of
from pgcourse.study import hooks
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


def patient_11(mean: Tensor, log_std: Tensor, noise: Tensor, *, bound: float) -> tuple[Tensor, Tensor]:
    """The draw and its log-density; what the environment clips is its own business."""
    std = log_std.exp()
    action = mean + std * noise  # [B, D]
    log_prob = Normal(mean, std).log_prob(action).sum(-1)
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
    yield {
        "mean": normal(source, 4, 2, dtype=torch.float64),
        "log_std": torch.tensor([-6.0, 3.0], dtype=torch.float64) + 0.2 * normal(source, 2, dtype=torch.float64),
        "noise": normal(source, 4, 2, dtype=torch.float64),
        "bound": 2.0,
    }


def mass_beyond(law: Normal, draw: Tensor, bound: float) -> Tensor:
    """Beyond a bound, the logarithm of all the mass that lies there, [B, D]."""
    edge = torch.full_like(draw, bound)
    terms = torch.where(draw > bound, (1 - law.cdf(edge)).log(), law.log_prob(draw))
    return torch.where(draw < -bound, law.cdf(-edge).log(), terms)


mistake = edits_of(patient_11)
MASS = {"Normal(mean, std).log_prob(action)": "mass_beyond(Normal(mean, std), action, bound)"}
PATIENT = Patient("patient_11", CLIPPED_ACTION_LOG_PROB, ill, patient_11, hooks.stored_action)
EXERCISE = exercise_of(
    PATIENT,
    "Look at a draw beyond the bound: is the stored action the one that the policy drew?",
    cases=cases,
    observe=Call("mean, log_std, noise, *, bound"),
    hints=(
        "Which action did the policy draw, and whose log-probability is stored? Follow a draw that lies beyond the bound.",
        "The update asks how likely the policy's own draw was. What the environment makes of the draw is part of the "
        "environment.",
        "action = mean + std * noise, without clamp. Nothing else changes.",
    ),
    misconceptions=(
        mistake(
            "log-prob-of-another-action",
            "You store the draw and the log-probability of the clipped action, or the other way round. The update evaluates the "
            "stored action, so its first ratio would differ from 1: both have to be of the draw.",
            {"log_prob(action)": "log_prob(action.clamp(-bound, bound))"},
            {"return action": "return action.clamp(-bound, bound)"},
        ),
        mistake(
            "clipped-otherwise",
            "You clip the mean, the noise, or at a wider bound, or squash or scale the action in place of clipping it. What is "
            "stored is then no draw of this policy, or not with its density. The environment clips, and nothing else does.",
            {"std = ": "mean = mean.clamp(-bound, bound)\n    std = "},
            {"* noise": "* noise.clamp(-bound, bound)"},
            {"mean + std * noise": "(mean + std * noise).clamp(-2 * bound, 2 * bound)"},
            {"mean + std * noise": "bound * (mean + std * noise).tanh()"},
            {"mean + std * noise": "(mean + std * noise).tanh()"},
            {"return action": "return bound * action.tanh()"},
            {"return action": "return bound * action"},
        ),
        mistake(
            "density-of-clipped-law",
            "Beyond the bound you gave the probability of the whole tail, or none at all. That is the law of the clipped action, "
            "and the update's density does not know of it. Store the draw and its density.",
            MASS | {"return action": "return action.clamp(-bound, bound)"},
            MASS,
            {"log_prob(action)": "log_prob(action).mul(action.abs() <= bound)"},
        ),
        mistake(
            "another-log-density",
            "The action is right, its log-density is not. The dimensions are independent, so their logarithms add up to one "
            "number an action; and the density of the noise alone lacks log_std, by which the draw is stretched.",
            {".sum(-1)": ""},
            {".sum(-1)": ".mean(-1)"},
            {"Normal(mean, std).log_prob(action)": "Normal(0.0, 1.0).log_prob(noise)"},
        ),
    ),
)
