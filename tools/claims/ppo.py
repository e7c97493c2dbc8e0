"""The study behind lesson 04: what each part of PPO does on CartPole, over ten seeds."""

from typing import Any

import numpy as np

from pgcourse.study.seeds import Run

from .ppo_epochs import epoch_curves
from .ppo_variants import AT_UPDATE, COMPARED, SEAMS, STEPS, VARIANTS
from .summary import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, last_mean, metric_mean, steps_to

KL, CLIPFRAC, ENTROPY = SHOWN = ("losses/approx_kl", "losses/clipfrac", "losses/entropy")
UPDATES = 98  # of 1,024 steps: within COMPARED
SOLVED = 475
MILLI = "0.001 nat"  # one gradient step moves a policy by less than a ten-thousandth of a nat
LONG = ("cartpole", "no_clip", "wide_network", "no_clip_wide_network")  # runs of 200,000 steps


def steps_within(run: Run) -> int | None:
    """Steps until the mean of 100 episodes is at least 475; None where that takes more than COMPARED steps."""
    steps = steps_to(run, SOLVED)
    return steps if steps is not None and steps <= COMPARED else None


def late_mean(run: Run) -> float:
    """Mean return of the episodes that ended in the last fifth of COMPARED steps; NaN for a run that is shorter."""
    ended = run.episodes["env_step"]
    late = (ended > 0.8 * COMPARED) & (ended <= COMPARED)
    return float(run.episodes["episodic_return"][late].mean()) if late.any() else np.nan


def in_the_end(run: Run) -> float:
    """Mean return of the episodes that ended in the last ten updates."""
    ended = run.episodes["env_step"]
    return float(run.episodes["episodic_return"][ended > ended[-1] - 10 * 1024].mean())


def mean_within(run: Run, name: str) -> float:
    """Mean of a metric over the updates within COMPARED steps."""
    return float(run.metrics[name][:UPDATES].mean())


def only(run: Run, name: str) -> float:
    """A metric that one update alone reported; NaN for a run without it."""
    return float(run.metrics[name][0]) if name in run.metrics else np.nan


TRAINING = {
    "steps_to_475": Metric("environment steps", TO_THRESHOLD, steps_within),
    "late": Metric("return", OF_RETURN, late_mean),
    "kl": Metric(MILLI, [IQM], lambda run: 1000 * mean_within(run, KL)),
    "largest_kl": Metric(MILLI, [IQM, "worst"], lambda run: 1000 * float(run.metrics[KL][:UPDATES].max())),
    "clipfrac": Metric("of the rows", [IQM], lambda run: mean_within(run, CLIPFRAC)),
    "early_stop": Metric("of the updates", [IQM], lambda run: mean_within(run, "charts/early_stop")),
    "epochs": Metric("epochs an update", [IQM], lambda run: mean_within(run, "charts/epochs")),
}
WHOLE = {
    "last_100": Metric("return", OF_RETURN, last_mean),
    "held_out": Metric("return", OF_RETURN, held_out),
    "steps_to_475_of_200k": Metric("environment steps", TO_THRESHOLD, lambda run: steps_to(run, SOLVED)),
    "ends_above_475": Metric("return", ["count"], lambda run: last_mean(run) if last_mean(run) >= SOLVED else None),
}
ONE_STEP = {
    "before": Metric("return", OF_RETURN, lambda run: only(run, "charts/return_before")),
    "after": Metric("return", OF_RETURN, lambda run: only(run, "charts/return_after")),
    "step_kl": Metric(MILLI, [IQM], lambda run: 1000 * float(run.metrics[KL][AT_UPDATE - 1])),
    "in_the_end": Metric("return", OF_RETURN, in_the_end),
    "end_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, ENTROPY, last=10)),
    "dead": Metric("return", ["count"], lambda run: in_the_end(run) if in_the_end(run) < 30 else None),
}
STUDY = Study(
    description="PPO on CartPole-v1: as it is and without its clip for 200,000 steps, its other parts taken out or changed one "
    "by one for 100,000; one gradient step of update 30 made larger; one update followed over 30 epochs.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics=TRAINING | WHOLE | ONE_STEP,
    every=2000,
    until=200_000,
    x="env_step",
    window=100,
    diagnosed=dict.fromkeys(("cartpole", "no_clip", "many_epochs", "patient"), SHOWN),
    updates_a_point=5,
)


def metrics_of(name: str) -> dict[str, Metric]:
    """What is told of a variant."""
    return ONE_STEP if name in STEPS else TRAINING | (WHOLE if name in LONG else {})


def up_to(curve: dict[str, Any], last: int) -> dict[str, Any]:
    """A curve of the claims file, cut where the runs end."""
    keep = sum(x <= last for x in curve["x"])
    per_seed = {"per_seed": [line[:keep] for line in curve["per_seed"]]} if "per_seed" in curve else {}
    return {**curve, **{key: curve[key][:keep] for key in ("x", "mean", "low", "high")}, **per_seed}


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs, and follow one update. Returns: the content of `claims/ppo.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    told = [f"{name}/{key}" for name in VARIANTS for key in metrics_of(name)]
    content["values"] = {key: content["values"][key] for key in told}
    budgets = {name: config.total_timesteps or 0 for name, config in VARIANTS.items()}
    content["curves"] = {
        name: up_to(curve, budgets[name.partition("/")[0]])
        for name, curve in content["curves"].items()
        if name not in STEPS
    }
    content["curves"] |= epoch_curves(content["seeds"])
    return content
