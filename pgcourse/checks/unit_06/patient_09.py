"""patient_09: the log-density of continuous actions."""

import math

from pgcourse.checks.authoring import edits_of
from pgcourse.checks.unit_05.gaussian_log_prob import EXERCISE as GAUSSIAN_LOG_PROB
from pgcourse.checks.unit_06.patient import Patient, exercise_of
from pgcourse.study import hooks
from pgcourse.study.traps import LOG_PROB_NOT_SUMMED


def ill(mean, log_std, action):  # type: ignore[no-untyped-def]
    """Log-density [B] of actions [B, D] under independent normals, in nats; differentiable in mean and log_std.

    mean: [B, D]. log_std: [D] or [B, D]. Example: mean [[0]], log_std [0] and action [[1]] give [-1.419].
    """
    z = (action - mean) / log_std.exp()  # [B, D]
    terms = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)
    return terms.mean(dim=-1)


mistake = edits_of(ill)
PATIENT = Patient("patient_09", LOG_PROB_NOT_SUMMED, ill, GAUSSIAN_LOG_PROB.reference, hooks.density)
EXERCISE = exercise_of(
    PATIENT,
    "Compare one dimension with two: what should a second, independent dimension do to the logarithm?",
    like=GAUSSIAN_LOG_PROB,
    hints=(
        "With one dimension the code is right. Work two dimensions by hand: what is the probability density of two "
        "independent numbers together?",
        "The densities of independent dimensions multiply. Their logarithms do what products turn into under a logarithm.",
        "return terms.sum(dim=-1)",
    ),
    misconceptions=(
        mistake(
            "combined-in-another-way",
            "You combine the dimensions in another way than by their sum, or take one alone. Densities of independent dimensions "
            "multiply, and under a logarithm a product becomes a sum, of all dimensions, divided by nothing.",
            {"terms.mean(dim=-1)": "2 * terms.mean(-1)"},
            {"terms.mean(dim=-1)": "len(terms) * terms.mean(-1)"},
            {"terms.mean(dim=-1)": "terms.prod(-1)"},
            {"terms.mean(dim=-1)": "terms.logsumexp(-1)"},
            {"terms.mean(dim=-1)": "terms.sum(-1) / math.sqrt(terms.shape[-1])"},
            *({"terms.mean(dim=-1)": f"terms{one}"} for one in ("[:, 0]", "[:, -1]", ".amax(-1)")),
        ),
    ),
)
