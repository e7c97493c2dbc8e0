"""Explainers that need data of a run, with data that a test can make quickly: name -> function that makes one."""

from collections.abc import Callable

import numpy as np

from pgcourse.show.live.explainer import Explainer
from pgcourse.show.live.explainers.experiment import experiment
from pgcourse.show.live.explainers.fault_effects import fault_effects
from pgcourse.show.live.explainers.step_length import step_length
from pgcourse.show.live.explainers.trap_signatures import trap_signatures
from pgcourse.study.claims import load_claims
from pgcourse.study.traps import TRAPS


def line_search() -> Explainer:
    """A direction on which the models are good nearby only, and the surrogate falls in the end."""
    lengths = np.linspace(0, 11, 111)
    return step_length(
        lengths,
        kl=0.009413 * lengths**2 + 0.000817 * lengths**3,
        improvement=0.01207 * lengths - 0.000913 * lengths**2,
        curvature=0.0188,
        slope=0.012,
        max_kl=0.01,
        backtracks=10,
        shrink=0.8,
    )


def pools() -> Explainer:
    """Two pools of forty runs."""
    draw = np.random.default_rng(1).normal
    return experiment({"narrow": draw(300, 20, 40), "wide": draw(280, 60, 40)}, x_label="mean return")


def effects() -> Explainer:
    """Outcomes of three faults and of five, from the course's claims."""
    values = load_claims("factorial")["values"]
    return fault_effects(
        values,
        {"story": ("story", "late", "return"), "KL": ("course", "early_kl", "KL"), "five": ("five", "late", "return")},
    )


def signatures() -> Explainer:
    """All traps of the course."""
    return trap_signatures(TRAPS, load_claims("traps"), first=TRAPS[1])


SAMPLES: dict[str, Callable[[], Explainer]] = {
    "experiment": pools,
    "fault_effects": effects,
    "step_length": line_search,
    "trap_signatures": signatures,
}
