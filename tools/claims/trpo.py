"""The study behind lesson 08: what each part of TRPO does on CartPole, over ten seeds."""

from typing import Any

import numpy as np

from pgcourse.study.seeds import Run

from .summary import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, last_mean, metric_mean, steps_to
from .trpo_variants import LOOKED_AT, SEAMS, VARIANTS

KL, ENTROPY, ACCEPTED = SHOWN = ("losses/approx_kl", "losses/entropy", "charts/step_accepted")
IMPROVEMENT = "charts/surrogate_improvement"
EARLY = 60  # updates: half of the budget, within which a healthy run learns
SOLVED = 475
MILLI = "0.001 nat"


def early_mean(run: Run, name: str) -> float:
    """Mean of a metric over the updates of the first half."""
    return float(run.metrics[name][:EARLY].mean())


def ends_above(run: Run) -> float | None:
    """Mean return of the last 100 episodes where it is at least 475; else None."""
    return last_mean(run) if last_mean(run) >= SOLVED else None


def seen(run: Run, name: str) -> float:
    """Median over the updates of a metric that the observed variant alone reports; NaN for the others."""
    return float(np.median(run.metrics[name])) if name in run.metrics else np.nan


def share_of_first(run: Run) -> float:
    """Share of the updates whose whole step the line search took; NaN where that was not observed."""
    return float((run.metrics["charts/tried"] == 1).mean()) if "charts/tried" in run.metrics else np.nan


TRAINING = {
    "steps_to_475": Metric("environment steps", TO_THRESHOLD, lambda run: steps_to(run, SOLVED)),
    "ends_above_475": Metric("return", ["count"], ends_above),
    "last_100": Metric("return", OF_RETURN, last_mean),
    "held_out": Metric("return", OF_RETURN, held_out),
    "kl": Metric(MILLI, [IQM], lambda run: 1000 * early_mean(run, KL)),
    "largest_kl": Metric(MILLI, [IQM, "worst"], lambda run: 1000 * float(run.metrics[KL].max())),
    "accepted": Metric("of the updates", [IQM, "best", "worst"], lambda run: metric_mean(run, ACCEPTED)),
    "accepted_early": Metric("of the updates", [IQM], lambda run: early_mean(run, ACCEPTED)),
    "improvement": Metric("of the surrogate", [IQM], lambda run: early_mean(run, IMPROVEMENT)),
    "end_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, ENTROPY, last=10)),
}
OBSERVED = {
    "first_kl": Metric(MILLI, [IQM], lambda run: 1000 * seen(run, "charts/first_kl")),
    "largest_first_kl": Metric(
        MILLI, [IQM, "worst"], lambda run: 1000 * float(run.metrics.get("charts/first_kl", np.array([np.nan])).max())
    ),
    "tried": Metric("steps", [IQM], lambda run: float(np.mean(run.metrics.get("charts/tried", np.nan)))),
    "whole_step": Metric("of the updates", [IQM], share_of_first),
    "cosine": Metric("cosine", [IQM], lambda run: seen(run, "charts/cosine")),
    "cg_residual": Metric("0.000001 of the norm", [IQM, "worst"], lambda run: 1e6 * seen(run, "charts/cg_residual")),
}
STUDY = Study(
    description="TRPO on CartPole-v1 for 120,000 steps: as it is, with other limits of the KL divergence, numbers of "
    f"conjugate-gradient iterations and dampings, without its line search, with PPO's policy step in its loop; a bug; and "
    f"{LOOKED_AT} updates of it observed.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics=TRAINING | OBSERVED,
    every=2000,
    until=120_000,
    x="env_step",
    window=100,
    diagnosed={
        "cartpole": SHOWN,
        "kl_01": SHOWN,
        "one_cg_iteration": SHOWN,
        "no_line_search": SHOWN,
        "clipped_step": SHOWN,
        "patient": SHOWN,
        "looked_at": ("charts/first_kl", "charts/tried", "charts/cosine", "charts/cg_residual"),
    },
    updates_a_point=5,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/trpo.json`, each variant with the numbers that it has."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    content["values"] = {
        name: entry
        for name, entry in content["values"].items()
        if name.startswith("looked_at/") == (name.partition("/")[2] in OBSERVED)
    }
    del content["curves"]["looked_at"]  # the same episodes as those of "cartpole", cut short
    return content
