"""The study behind lesson 07's small figures: PPO's settings moved one at a time, over ten seeds."""

from typing import Any

from pgcourse.study.seeds import Run

from .pendulum import solved, steps_to_solved
from .ppo import CLIPFRAC, ENTROPY, KL, MILLI, late_mean, steps_within
from .ppo_variants import COMPARED
from .runs import kept_runs
from .search import pools, search
from .sensitivity_variants import CARTPOLE, PENDULUM, SEAMS, SPARSE, VARIANTS
from .summary import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, metric_mean, metric_values

LEARNING = {
    "kl": Metric(MILLI, [IQM], lambda run: 1000 * metric_mean(run, KL)),
    "clipfrac": Metric("of the rows", [IQM], lambda run: metric_mean(run, CLIPFRAC)),
    "end_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, ENTROPY, last=10)),
}


def goals(run: Run) -> int:
    """Training episodes with a return above the one that everybody gets without reaching anything: -200, or 0."""
    returns = run.episodes["episodic_return"]
    return int((returns > (-200 if returns.min() < 0 else 0)).sum())


# What is told of some variants only.
TOLD = {
    "CartPole": (CARTPOLE, {"steps_to_475": Metric("environment steps", TO_THRESHOLD, steps_within)}),
    "Pendulum": (
        PENDULUM,
        {
            "steps_to_solved": Metric("environment steps", TO_THRESHOLD, steps_to_solved),
            "solved": Metric("return", ["count"], solved),
        },
    ),
    "sparse": (
        SPARSE,
        {
            "goals": Metric("episodes", [IQM], goals),
            "any_goal": Metric("episodes", ["count"], lambda run: goals(run) or None),
        },
    ),
}
STUDY = Study(
    description=f"PPO for {COMPARED:,} environment steps with one setting moved at a time: on CartPole-v1 (clip, learning rate, "
    "batch, entropy bonus, lambda, reward scale, networks), on Pendulum-v1 (learning rate, clip, normalisation), and with "
    "and without entropy bonus on MountainCar-v0 and on a CartPole that is paid late; a random search; two pools of many seeds.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics={
        "late": Metric("return", OF_RETURN, late_mean),
        "held_out": Metric("return", OF_RETURN, held_out),
        **LEARNING,
    },
    x="env_step",
    every=4096,
    until=98_304,
    window=50,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/sensitivity.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    runs = kept_runs(VARIANTS, content["seeds"], seams=SEAMS, num_workers=num_workers)
    for variants, metrics in TOLD.values():
        for name in variants:
            content["values"] |= {f"{name}/{key}": metric_values(metric, runs[name]) for key, metric in metrics.items()}
    return content | {"search": search(num_seeds), "pool": pools(num_seeds)}
