"""patient_09: the log-density of continuous actions."""

from __future__ import annotations

import math

from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe import Call
from pgcourse.checks.unit_05.gaussian_log_prob import EXERCISE as GAUSSIAN_LOG_PROB
from pgcourse.checks.unit_06 import seams
from pgcourse.checks.unit_06.patient import Patient
from pgcourse.checks.unit_06.shared import chosen, unpatched
from pgcourse.study.traps import LOG_PROB_NOT_SUMMED


def ill(mean, log_std, action):  # type: ignore[no-untyped-def]
    """Log-density [B] of actions [B, D] under independent normals, in nats; differentiable in mean and log_std.

    mean: [B, D]. log_std: [D] or [B, D]. Example: mean [[0]], log_std [0] and action [[1]] give [-1.419].
    """
    z = (action - mean) / log_std.exp()  # [B, D]
    terms = -0.5 * z.square() - log_std - 0.5 * math.log(2 * math.pi)
    return terms.mean(dim=-1)


PATIENT = Patient(
    id="patient_09",
    trap=LOG_PROB_NOT_SUMMED,
    part="the log-density of an action",
    ill=ill,
    cured=GAUSSIAN_LOG_PROB.reference,
    seams=lambda function: {"policy": seams.FourMotors(function)},
)
EXERCISE = Exercise(
    id="patient_09",
    unit="06",
    title="Patient 9",
    points=2,
    minutes=8,
    difficulty=1,
    cases=GAUSSIAN_LOG_PROB.cases,
    observe=Call("mean, log_std, action", differentiable=("mean", "log_std")),
    reference=GAUSSIAN_LOG_PROB.reference,
    alternatives=GAUSSIAN_LOG_PROB.alternatives,
    hints=(
        "With one dimension the code is right. Work two dimensions by hand: what is the probability density of two "
        "independent numbers together?",
        "The densities of independent dimensions multiply. Their logarithms do what products turn into under a "
        "logarithm.",
        "return terms.sum(dim=-1)",
    ),
    misconceptions=(
        unpatched(ill, "Compare one dimension with two: what should a second, independent dimension do to the logarithm?"),
        *chosen(
            GAUSSIAN_LOG_PROB.misconceptions, "dimensions-not-summed", "summed-over-the-wrong-axis", "log-std-missing",
            "constant-missing", "constant-once",
        ),
    ),
)  # fmt: skip
