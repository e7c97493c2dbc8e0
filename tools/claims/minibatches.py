"""Lesson 07, section 5.4: PPO's minibatches, with the same rollout and as many epochs."""

from dataclasses import replace
from typing import Any

from pgcourse import ppo

from .ppo import CLIPFRAC, COMPARED, KL, MILLI, SHORT, late_mean, steps_within
from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, metric_mean

# The rollout has 1,024 rows; the preset's minibatch, 512, is measured in claims/ppo.json.
VARIANTS: dict[str, ppo.PPOConfig] = {
    f"minibatch_{rows}": replace(SHORT, minibatch_size=rows) for rows in (64, 256, 1024)
}
STUDY = Study(
    description=f"PPO on CartPole-v1 for {COMPARED:,} environment steps with other minibatches, the same rollout and as many "
    "epochs.",
    variants=VARIANTS,
    metrics={
        "late": Metric("return", OF_RETURN, late_mean),
        "held_out": Metric("return", OF_RETURN, held_out),
        "steps_to_475": Metric("environment steps", TO_THRESHOLD, steps_within),
        "kl": Metric(MILLI, [IQM], lambda run: 1000 * metric_mean(run, KL)),
        "clipfrac": Metric("of the rows", [IQM], lambda run: metric_mean(run, CLIPFRAC)),
    },
    x="env_step",
    every=4096,
    until=98_304,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/minibatches.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
