"""Lesson 06, table and figure of section 9.2: ways to find a reward that a random walk hardly ever finds.

The scale of the count bonus is chosen on seeds of its own, which the file keeps too.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pgcourse import ppo
from pgcourse.envs.key_door import EPISODE_STEPS, success_probability
from pgcourse.study.exploration import CountBonus, KeyDoorPay, PaidForPotential, PaidForProgress
from pgcourse.study.seeds import Run

from .runs import kept_runs, plain
from .study import IQM, TO_THRESHOLD, Metric, Study, band, held_out, last_mean, metric_mean, rounded

STEPS = 131_072  # 32 rollouts, each as long as an episode
POINT = 4096  # steps of a point of the curves: a rollout
SOLVED = 0.9
CONFIG = replace(
    ppo.CARTPOLE, env_id="KeyDoor-v0", total_timesteps=STEPS, num_envs=64, num_steps=EPISODE_STEPS, minibatch_size=1024,
    update_epochs=4,
)  # fmt: skip
STRAIGHT = replace(CONFIG, env_id="StraightKeyDoor-v0")
ENTROPIES = {"001": 0.01, "01": 0.1, "1": 1.0}
SCALES = {"003": 0.03, "01": 0.1, "03": 0.3}  # of the count bonus
CHOSEN = "01"  # of the scales, on the search's seeds
SEARCH_SEEDS = (90, 91)


def seams_of(pay: KeyDoorPay) -> dict[str, Any]:
    """The keyword arguments of `train` for a kind of pay."""
    return {"envs": pay, "advantage_fn": pay.advantages}


PAYS: dict[str, KeyDoorPay] = {
    "count": CountBonus(CONFIG.num_envs, SCALES[CHOSEN]),
    "potential": PaidForPotential(CONFIG.num_envs, 1.0),
    "progress": PaidForProgress(CONFIG.num_envs, 1.0),
}
VARIANTS = {
    "plain": CONFIG,
    **{f"entropy_{name}": replace(CONFIG, ent_coef=strength) for name, strength in ENTROPIES.items()},
    **dict.fromkeys(PAYS, CONFIG),
    "straight": STRAIGHT,
    "straight_entropy_01": replace(STRAIGHT, ent_coef=ENTROPIES["01"]),
}
SEAMS = {name: seams_of(pay) for name, pay in PAYS.items()}


def successes(run: Run) -> int:
    """Training episodes that ended at the door: the recorded return is the true one."""
    return int((run.episodes["episodic_return"] > 0).sum())


def first_success(run: Run) -> int | None:
    """Environment steps taken when an episode first ended at the door."""
    arrived = run.episodes["episodic_return"] > 0
    return int(run.episodes["env_step"][arrived.argmax()]) if arrived.any() else None


def solved(run: Run) -> float | None:
    """Share of the last 100 training episodes that ended at the door, where it is at least 0.9; else None."""
    share = last_mean(run)
    return share if share >= SOLVED else None


STUDY = Study(
    description=f"PPO on Key and door for {STEPS:,} environment steps: plain, with entropy bonuses, with a count bonus, with "
    "potential-based shaping, paid for progress without being charged for the way back, and plain and with an entropy bonus in "
    "corridors without switched actions. Returns are of the true reward, 1 for the door with the key.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics={
        "late": Metric("of the episodes", [IQM], last_mean),
        "held_out": Metric("of the episodes", [IQM], held_out),
        "solved": Metric("of the episodes", ["count"], solved),
        "first_success": Metric("environment steps", TO_THRESHOLD, first_success),
        "successes": Metric("episodes", [IQM], successes),
        "early_entropy": Metric("nats", [IQM], lambda run: float(run.metrics["losses/entropy"][:20].mean())),
        "end_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, "losses/entropy", last=10)),
    },
    every=POINT,
    until=STEPS,
    x="env_step",
)


def share_by_steps(run: Run) -> list[float]:
    """Share of successes among the episodes that ended within each `POINT` steps."""
    ends = np.arange(POINT, STEPS + 1, POINT)
    point = np.searchsorted(
        ends, run.episodes["env_step"]
    )  # an episode that ends with a point's last step is of that point
    arrived = run.episodes["episodic_return"] > 0
    return [round(float(arrived[point == number].mean()), 3) for number in range(len(ends))]


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/exploration.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    runs = kept_runs(VARIANTS, content["seeds"], seams=SEAMS, num_workers=num_workers)
    grid = np.arange(POINT, STEPS + 1, POINT)
    content["curves"] = {}
    for name in VARIANTS:
        shares = np.array([share_by_steps(run) for run in runs[name]])
        content["curves"][name] = {**band(grid, "env_step", shares), "per_seed": shares.tolist()}
        # The first rollout's, one of each environment.
        first = runs[name][0].episodes["episodic_return"][: CONFIG.num_envs]
        content["prefixes"][name] = plain(first)
    return content | {"random_walk": random_walk(), "search": search(num_seeds)}


def random_walk() -> dict[str, float]:
    """Exact: how probable the door is in an episode of coin tosses, and how often a run of nothing else would see it."""
    probability = success_probability()
    return {"success_probability": probability, "successes_a_run": probability * STEPS / EPISODE_STEPS}


def search(num_seeds: int | None) -> dict[str, Any]:
    """How many episodes ended at the door with each scale of the count bonus, on seeds that no figure uses."""
    configs = {f"search_{name}": CONFIG for name in SCALES}
    seams = {f"search_{name}": seams_of(CountBonus(CONFIG.num_envs, scale)) for name, scale in SCALES.items()}
    seeds: Sequence[int] = SEARCH_SEEDS[:num_seeds]
    found = kept_runs(configs, seeds, seams=seams)
    return {
        "scales": SCALES,
        "seeds": list(SEARCH_SEEDS),
        "successes": {name: [rounded(successes(run)) for run in runs] for name, runs in found.items()},
    }
