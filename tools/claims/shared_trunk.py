"""Lesson 07, tables of sections 5.1, 5.5 and 6: policy and critic apart, and as two heads on a shared trunk.

PPO and A2C on CartPole, PPO on Pendulum: how they learn, and how long the two losses' gradients on the trunk are.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from pgcourse import a2c, ppo
from pgcourse.study.seeds import Run

from .pendulum import solved, steps_to_solved
from .ppo import COMPARED, KL, MILLI, SHORT, late_mean, steps_within
from .runs import kept_runs
from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, metric_mean, metric_values, steps_to

SHARE, COSINE = SHOWN = ("losses/trunk_value_share", "losses/trunk_cosine")
A2C_STEPS = 200_000
A2C = replace(a2c.CARTPOLE, num_episodes=None, total_timesteps=A2C_STEPS)
# Of our value loss, half of the mean squared error: 1 is what Stable-Baselines3 takes by default, 0.5 CleanRL.
WEIGHTS = {"05": 0.5, "01": 0.1, "001": 0.01, "0001": 0.001}


def shared(config: Any, **changes: Any) -> Any:
    """The config with one trunk."""
    return replace(config, shared_trunk=True, **changes)


PPO_CARTPOLE: dict[str, Any] = {
    "ppo": SHORT,
    # What a shared trunk has besides: one rate for both, the policy's, which is a seventh of the critic's own.
    "ppo_same_rate": replace(SHORT, critic_lr=SHORT.policy_lr),
    **{f"ppo_{name}": shared(SHORT, vf_coef=weight) for name, weight in WEIGHTS.items()},
    # One rate for everything, the one that the critic has by itself: fast enough for values of 100.
    "ppo_05_fast": shared(SHORT, vf_coef=0.5, policy_lr=SHORT.critic_lr),
    "ppo_0001_fast": shared(SHORT, vf_coef=0.001, policy_lr=SHORT.critic_lr),
    # Rewards of 0.05 make values of 5 instead of 100: the value loss is 400 times as small.
    "ppo_scaled": shared(SHORT, vf_coef=0.5, reward_scale=0.05),
    "ppo_apart_scaled": replace(SHORT, reward_scale=0.05),
    # Nothing is clipped: what is left of the harm is not the clip's.
    "ppo_05_unclipped": shared(SHORT, vf_coef=0.5, max_grad_norm=None),
}
A2C_CARTPOLE: dict[str, Any] = {
    "a2c": A2C,
    "a2c_same_rate": replace(A2C, critic_lr=A2C.policy_lr),
    **{f"a2c_{name}": shared(A2C, vf_coef=weight) for name, weight in WEIGHTS.items()},
    "a2c_01_fast": shared(A2C, vf_coef=0.1, policy_lr=A2C.critic_lr),
    "a2c_scaled": shared(A2C, vf_coef=0.5, reward_scale=0.05),
}
PPO_PENDULUM: dict[str, Any] = {
    "pendulum": ppo.PENDULUM,
    **{f"pendulum_{name}": shared(ppo.PENDULUM, vf_coef=WEIGHTS[name]) for name in ("05", "001")},
}
VARIANTS = PPO_CARTPOLE | A2C_CARTPOLE | PPO_PENDULUM
TRUNKS = tuple(name for name, config in VARIANTS.items() if config.shared_trunk)


def value_over_policy(run: Run) -> float:
    """How many times as long the value loss's gradient on the trunk is: the median over the updates."""
    share = run.metrics[SHARE]
    return float(np.median(share / (1 - share).clip(1e-9)))


def a2c_late(run: Run) -> float:
    """Mean return of the episodes that ended in the last fifth of the run."""
    return float(run.episodes["episodic_return"][run.episodes["env_step"] > 0.8 * A2C_STEPS].mean())


EVERY = {
    "held_out": Metric("return", OF_RETURN, held_out),
    "explained_variance": Metric(
        "of Var(G)", [IQM], lambda run: float(np.nanmean(run.metrics["losses/explained_variance"]))
    ),
}
OF_TRUNK = {
    "value_share": Metric("of the trunk's gradient", [IQM], lambda run: float(np.median(run.metrics[SHARE]))),
    "value_over_policy": Metric("times", [IQM], value_over_policy),
    "cosine": Metric("cosine", [IQM], lambda run: float(run.metrics[COSINE].mean())),
    "opposed": Metric("of the updates", [IQM], lambda run: float((run.metrics[COSINE] < 0).mean())),
}
TOLD: tuple[tuple[Any, dict[str, Metric]], ...] = (
    (
        PPO_CARTPOLE,
        {
            "steps_to_475": Metric("environment steps", TO_THRESHOLD, steps_within),
            "late": Metric("return", OF_RETURN, late_mean),
            "kl": Metric(MILLI, [IQM], lambda run: 1000 * metric_mean(run, KL)),
        },
    ),
    (
        A2C_CARTPOLE,
        {
            "steps_to_475": Metric("environment steps", TO_THRESHOLD, lambda run: steps_to(run, 475)),
            "late": Metric("return", OF_RETURN, a2c_late),
        },
    ),
    (
        PPO_PENDULUM,
        {
            "steps_to_solved": Metric("environment steps", TO_THRESHOLD, steps_to_solved),
            "solved": Metric("return", ["count"], solved),
        },
    ),
    (TRUNKS, OF_TRUNK),
)
STUDY = Study(
    description=f"PPO on CartPole-v1 ({COMPARED:,} steps) and Pendulum-v1, A2C on CartPole-v1 ({A2C_STEPS:,} steps): policy "
    "and critic as two networks, and as two heads on one trunk with one optimiser and one norm for clipping, for several weights "
    "of the value loss and for smaller rewards.",
    variants=VARIANTS,
    metrics=EVERY,
    x="env_step",
    every=4096,
    until=98_304,
    window=50,
    diagnosed=dict.fromkeys(TRUNKS, SHOWN),
    updates_a_point=1,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/shared_trunk.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    runs = kept_runs(VARIANTS, content["seeds"], seams={}, num_workers=num_workers)
    for variants, metrics in TOLD:
        for name in variants:
            content["values"] |= {f"{name}/{key}": metric_values(metric, runs[name]) for key, metric in metrics.items()}
    return content
