"""patient_09: the log-density of continuous actions."""

from __future__ import annotations

import math

from torch import Tensor
from torch.distributions import Normal

from pgcourse.checks.unit_05.gaussian_log_prob import EXERCISE as GAUSSIAN_LOG_PROB
from pgcourse.checks.unit_06 import in_training
from pgcourse.checks.unit_06.patient import Function, Patient, exercise_like, mistake, unpatched
from pgcourse.study.traps import LOG_PROB_NOT_SUMMED


def ill(mean, log_std, action):  # type: ignore[no-untyped-def]
    """Log-density [B] of actions [B, D] under independent normals, in nats; differentiable in mean and log_std.

    mean: [B, D]. log_std: [D] or [B, D]. Example: mean [[0]], log_std [0] and action [[1]] give [-1.419].
    """
    z = (action - mean) / log_std.exp()  # [B, D]
    terms = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)
    return terms.mean(dim=-1)


def of_terms(reduce: Function) -> Function:
    """A log-density from the terms [B, D] of all dimensions."""
    return lambda mean, log_std, action: reduce(Normal(mean, log_std.exp(), validate_args=False).log_prob(action))


def divided_by_the_root(terms: Tensor) -> Tensor:
    """The sum in units of the root of D."""
    return terms.sum(-1) / math.sqrt(terms.shape[-1])


PATIENT = Patient(
    "patient_09", LOG_PROB_NOT_SUMMED, ill=ill, cured=GAUSSIAN_LOG_PROB.reference, seams=in_training.density
)
EXERCISE = exercise_like(
    GAUSSIAN_LOG_PROB,
    "patient_09",
    hints=(
        "With one dimension the code is right. Work two dimensions by hand: what is the probability density of two "
        "independent numbers together?",
        "The densities of independent dimensions multiply. Their logarithms do what products turn into under a logarithm.",
        "return terms.sum(dim=-1)",
    ),
    misconceptions=(
        unpatched(
            ill, "Compare one dimension with two: what should a second, independent dimension do to the logarithm?"
        ),
        mistake(
            "combined-in-another-way",
            "You combine the dimensions in another way than by their sum. Densities of independent dimensions multiply, and "
            "under a logarithm a product becomes a sum: not a product, not a sum of densities, and divided by nothing.",
            of_terms(lambda terms: terms.prod(-1)),
            of_terms(lambda terms: terms.logsumexp(-1)),
            of_terms(divided_by_the_root),
        ),
        mistake(
            "first-dimension-alone",
            "You took one dimension and left the others out. With one motor nothing shows; with four, the update knows only "
            "a quarter of what the policy did. Sum over all of them.",
            of_terms(lambda terms: terms[:, 0]),
            of_terms(lambda terms: terms[:, -1]),
            of_terms(lambda terms: terms.amax(-1)),
        ),
    ),
)
