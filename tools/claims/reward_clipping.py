"""Lesson 05, section 6.5: rewards clipped to [-1, 1], and divided by a running scale, on Pendulum and in a walk to a prize.

Pendulum's rewards scaled by a constant, and those left as they are, are in claims/pendulum.json.
"""

from dataclasses import replace
from typing import Any

import torch
from gymnasium.envs.registration import register
from torch import Tensor

from pgcourse.algorithms.ppo import PENDULUM
from pgcourse.config import Config
from pgcourse.envs import PendulumVectorEnv
from pgcourse.evaluation import evaluate
from pgcourse.registration import NAMESPACE
from pgcourse.study import comparison
from pgcourse.study.seeds import Run

from .decoy import DECOY, LARGE, DecoyVectorEnv
from .pendulum import SOLVED, early_explained_variance
from .runs import kept_runs
from .study import IQM, OF_RETURN, Metric, Study, metric_values

LIMIT = 1.0


class ClippedPendulumVectorEnv(PendulumVectorEnv):
    """Pendulum whose rewards are clipped to [-1, 1]."""

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        after, rewards, terminated = super().dynamics(state, actions)
        return after, rewards.clamp(-LIMIT, LIMIT), terminated


class ClippedDecoyVectorEnv(DecoyVectorEnv):
    """The walk of `decoy.py` whose rewards are clipped to [-1, 1]."""

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        after, rewards, terminated = super().dynamics(state, actions)
        return after, rewards.clamp(-LIMIT, LIMIT), terminated


register(f"{NAMESPACE}ClippedPendulum-v0", vector_entry_point=ClippedPendulumVectorEnv)
register(f"{NAMESPACE}ClippedDecoy-v0", vector_entry_point=ClippedDecoyVectorEnv)

UNCLIPPED = {"ClippedPendulum-v0": "Pendulum-v1", "ClippedDecoy-v0": "Decoy-v0"}
WALK = replace(DECOY, ent_coef=1.0)
PENDULUMS: dict[str, Config] = {
    "clipped": replace(PENDULUM, env_id="ClippedPendulum-v0", reward_scale=1.0),
    "normalised": replace(PENDULUM, normalize_rewards=True, reward_scale=1.0),
}
WALKS: dict[str, Config] = {
    "walk_clipped": replace(WALK, env_id="ClippedDecoy-v0"),
    "walk_scaled": replace(WALK, reward_scale=0.1, ent_coef=0.1),
    "walk_scaled_alone": replace(WALK, reward_scale=0.1),
}
VARIANTS = WALKS | PENDULUMS


def on_the_task(run: Run, config: Config) -> float:
    """Held-out return in the rewards of the task itself, whatever the agent was trained on."""
    env_id = UNCLIPPED.get(config.env_id, config.env_id)
    return evaluate(comparison.policy_of(run, config), env_id, num_episodes=100, seed=run.seed).mean


def solved(run: Run) -> float | None:
    """The same for Pendulum where it is good enough; else None."""
    return found if (found := on_the_task(run, PENDULUMS["clipped"])) >= SOLVED else None


def large(run: Run) -> float | None:
    """The same for the walk where it leads to the large prize; else None."""
    return found if (found := on_the_task(run, WALKS["walk_clipped"])) == LARGE else None


def clipped_share(run: Run) -> float:
    """Share of a random agent's rewards on Pendulum that lie beyond the limit."""
    envs = PendulumVectorEnv(100)
    envs.reset(seed=run.seed)
    draws = torch.Generator().manual_seed(run.seed)
    rewards = [envs.step(4 * torch.rand(100, 1, generator=draws) - 2)[1] for _ in range(200)]
    return float((torch.stack(rewards) < -LIMIT).float().mean())


STUDY = Study(
    description="PPO on Pendulum-v1 with rewards clipped to [-1, 1], and with rewards divided by the running scale of the "
    "returns; A2C in the walk of claims/decoy.json with a bonus of 1: rewards clipped, scaled by 0.1 with the bonus, and alone.",
    variants=VARIANTS,
    metrics={},
    x="env_step",
    every=2400,
    until=98_400,
    window=24,
)
TOLD: list[tuple[dict[str, Config], dict[str, Metric]]] = [
    (
        PENDULUMS,
        {
            "held_out": Metric("return", OF_RETURN, lambda run: on_the_task(run, PENDULUMS["clipped"])),
            "solved": Metric("return", ["count"], solved),
            "early_explained_variance": Metric("of the variance", [IQM], early_explained_variance),
        },
    ),
    (
        WALKS,
        {
            "held_out": Metric("return", OF_RETURN, lambda run: on_the_task(run, WALKS["walk_clipped"])),
            "large": Metric("return", ["count"], large),
        },
    ),
]


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/reward_clipping.json`."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    runs = kept_runs(VARIANTS, content["seeds"], seams={}, num_workers=num_workers)
    for variants, metrics in TOLD:
        for name in variants:
            content["values"] |= {f"{name}/{key}": metric_values(metric, runs[name]) for key, metric in metrics.items()}
    content["values"]["random/clipped_share"] = metric_values(
        Metric("of the rewards", [IQM], clipped_share), runs["clipped"]
    )
    return content
