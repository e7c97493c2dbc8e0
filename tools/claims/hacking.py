"""Lesson 06, table of section 9 (reward hacking): Pendulum paid for speed, at growing rates, and for gaining speed."""

from dataclasses import replace
from typing import Any

from pgcourse import ppo
from pgcourse.study.shaping import ShapedEnvs

from .pendulum import solved
from .study import OF_RETURN, Metric, Study, held_out, last_mean

STEPS = 72_000  # 30 rollouts
CONFIG = replace(ppo.PENDULUM, total_timesteps=STEPS)
BONUSES = {"0": 0.0, "05": 0.5, "1": 1.0, "15": 1.5, "2": 2.0}  # reward for each rad/s and step


SEAMS: dict[str, dict[str, Any]] = {
    **{f"bonus_{name}": {"envs": ShapedEnvs(CONFIG.num_envs, bonus)} for name, bonus in BONUSES.items()},
    "gain_2": {"envs": ShapedEnvs(CONFIG.num_envs, 2.0, CONFIG.gamma)},
}
STUDY = Study(
    description=f"PPO on Pendulum-v1 for {STEPS:,} steps with a bonus for speed of 0 to 2 for each rad/s, and with a bonus of 2 "
    "for gaining speed as a difference of potentials. The training return counts the bonus, the held-out return does not.",
    variants=dict.fromkeys(SEAMS, CONFIG),
    seams=SEAMS,
    metrics={
        "training": Metric("return", OF_RETURN, last_mean),
        "held_out": Metric("return", OF_RETURN, held_out),
        "solves": Metric("return", ["count"], solved),
    },
    every=2400,
    until=STEPS,
    x="env_step",
    window=24,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/hacking.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
