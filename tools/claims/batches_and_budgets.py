"""Lesson 07, section 5.4: minibatches, the shape and the size of PPO's rollouts, and what a budget of steps buys."""

from dataclasses import replace
from typing import Any

from pgcourse import a2c, ppo, reinforce
from pgcourse.config import Config

from .pendulum import solved, steps_to_solved
from .ppo import CLIPFRAC, COMPARED, KL, MILLI, SHORT, late_mean, steps_within
from .runs import PREFIX, kept_runs, plain
from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, metric_mean, metric_values

MINIBATCHES = (32, 64, 128, 256, 1024)  # rows; the preset has 512
SLOWER = 4  # times, both learning rates of the smallest minibatch: the square root of 512 / 32

# CartPole. The preset's rollout is 32 environments x 32 steps.
MINIBATCH: dict[str, ppo.PPOConfig] = {
    **{f"minibatch_{rows}": replace(SHORT, minibatch_size=rows) for rows in MINIBATCHES},
    "minibatch_32_slow": replace(
        SHORT, minibatch_size=32, policy_lr=SHORT.policy_lr / SLOWER, critic_lr=SHORT.critic_lr / SLOWER
    ),
}
# As many rows. Of a rollout over many environments few episodes end, and among them the short ones: only held-out episodes say
# how good these are, and the same holds for short budgets.
SHAPES = {
    "envs_8": replace(SHORT, num_envs=8, num_steps=128),
    "envs_128": replace(SHORT, num_envs=128, num_steps=8),
    "envs_1024": replace(SHORT, num_envs=1024, num_steps=1),
}
TINY_RATE = 10  # times slower, both rates
TINY = {  # fewer rows
    "tiny_1_32": replace(SHORT, num_envs=1, num_steps=32, minibatch_size=32),
    "tiny_1_128": replace(SHORT, num_envs=1, num_steps=128, minibatch_size=128),
    "tiny_32_1": replace(SHORT, num_envs=32, num_steps=1, minibatch_size=32),
    "tiny_1_32_slow": replace(
        SHORT,
        num_envs=1,
        num_steps=32,
        minibatch_size=32,
        policy_lr=SHORT.policy_lr / TINY_RATE,
        critic_lr=SHORT.critic_lr / TINY_RATE,
    ),
}
# Pendulum: an episode is 200 steps, and the preset's rollout of 12 x 200 holds 12 whole ones.
ENVS = ppo.PENDULUM.num_envs
PENDULUM = {
    "pendulum_16": replace(ppo.PENDULUM, num_steps=16, minibatch_size=ENVS * 16),
    "pendulum_300_envs": replace(ppo.PENDULUM, num_envs=300, num_steps=8),  # as many rows as the preset
    "pendulum_8": replace(ppo.PENDULUM, num_steps=8, minibatch_size=ENVS * 8),
}
BUDGETS = {"25k": 25_000, "50k": 50_000, "100k": 100_000}  # environment steps
AGENTS: dict[str, Config] = {"reinforce": reinforce.CARTPOLE, "a2c": a2c.CARTPOLE, "ppo": ppo.CARTPOLE}
BUDGETED = {
    f"{agent}_{name}": replace(config, total_timesteps=steps, num_episodes=None)
    for agent, config in AGENTS.items()
    for name, steps in BUDGETS.items()
}
VARIANTS: dict[str, Config] = {**MINIBATCH, **SHAPES, **TINY, **PENDULUM, **BUDGETED}

UPDATES = {
    "kl": Metric(MILLI, [IQM], lambda run: 1000 * metric_mean(run, KL)),
    "clipfrac": Metric("of the rows", [IQM], lambda run: metric_mean(run, CLIPFRAC)),
}
TOLD = (
    (
        MINIBATCH | TINY,
        {
            "late": Metric("return", OF_RETURN, late_mean),
            "steps_to_475": Metric("environment steps", TO_THRESHOLD, steps_within),
            **UPDATES,
        },
    ),
    (
        PENDULUM,
        {
            "steps_to_solved": Metric("environment steps", TO_THRESHOLD, steps_to_solved),
            "solved": Metric("return", ["count"], solved),
            **UPDATES,
        },
    ),
    (SHAPES, UPDATES),
)
STUDY = Study(
    description=f"PPO on CartPole-v1 for {COMPARED:,} environment steps with other minibatches, with rollouts of another shape "
    "and with fewer rows; on Pendulum-v1 with rollouts much shorter than an episode; REINFORCE, A2C and PPO on CartPole-v1 "
    "with budgets of 25,000, 50,000 and 100,000 steps.",
    variants=VARIANTS,
    metrics={"held_out": Metric("return", OF_RETURN, held_out)},
    x="env_step",
    every=4096,
    until=98_304,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/batches_and_budgets.json`."""
    seeds = STUDY.seeds[:num_seeds]
    runs = kept_runs(VARIANTS, seeds, seams={}, num_workers=num_workers)
    values = {
        f"{name}/{key}": metric_values(metric, runs[name]) for name in VARIANTS for key, metric in STUDY.metrics.items()
    }
    for names, metrics in TOLD:
        for name in names:
            values |= {f"{name}/{key}": metric_values(metric, runs[name]) for key, metric in metrics.items()}
    return {
        "description": STUDY.description,
        "seeds": list(seeds),
        "configs": {name: STUDY.describe_config(name) for name in VARIANTS},
        "values": values,
        "curves": {},
        "prefixes": {name: plain(runs[name][0].episodes["episodic_return"][:PREFIX]) for name in VARIANTS},
    }
