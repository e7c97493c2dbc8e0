"""Lesson 07, tables of sections 5 and 5.1 and rules of section 6: PPO's settings moved one at a time, on three tasks.

The pools of many seeds (section 3) and the random search (section 7) are at the end.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from pgcourse import ppo
from pgcourse.envs import CartPoleVectorEnv, env_seeds
from pgcourse.networks import CategoricalPolicy, ValueNetwork, mlp
from pgcourse.study.seeds import Run

from .pendulum import solved, steps_to_solved
from .ppo import CLIPFRAC, COMPARED, ENTROPY, KL, MILLI, SHORT, late_mean, steps_within
from .runs import kept_runs
from .study import IQM, OF_RETURN, TO_THRESHOLD, Metric, Study, held_out, metric_mean, metric_values, rounded

HIDDEN = ppo.CARTPOLE.hidden_sizes
OBS, ACTIONS = 4, 2  # of CartPole
SMALL, LARGE = (8, 8), (128, 128)

# CartPole, each with one setting moved. The preset itself, and what lesson 04 changed, are in claims/ppo.json.
CARTPOLE: dict[str, ppo.PPOConfig] = {
    "clip_005": replace(SHORT, clip_coef=0.05),
    "clip_01": replace(SHORT, clip_coef=0.1),
    "lr_tenth": replace(SHORT, policy_lr=SHORT.policy_lr / 10),
    "lr_third": replace(SHORT, policy_lr=SHORT.policy_lr / 3),
    "lr_triple": replace(SHORT, policy_lr=SHORT.policy_lr * 3),
    "lr_tenfold": replace(SHORT, policy_lr=SHORT.policy_lr * 10),
    "batch_256": replace(SHORT, num_steps=8, minibatch_size=256),
    "batch_4096": replace(SHORT, num_steps=128),
    "batch_8192": replace(SHORT, num_steps=256),
    "entropy_001": replace(SHORT, ent_coef=0.01),
    "entropy_01": replace(SHORT, ent_coef=0.1),
    "lambda_0": replace(SHORT, gae_lambda=0.0),
    "lambda_1": replace(SHORT, gae_lambda=1.0),
    "reward_001": replace(SHORT, reward_scale=0.01),
    "reward_100": replace(SHORT, reward_scale=100.0),
    "network_8": replace(SHORT, hidden_sizes=SMALL),
    "network_128": replace(SHORT, hidden_sizes=LARGE),
    "critic_8": SHORT,
    "critic_128": SHORT,
    "relu": SHORT,
    "never_slow": replace(SHORT, normalize_advantages="never", policy_lr=SHORT.policy_lr / 10),
}
PENDULUM: dict[str, ppo.PPOConfig] = {
    "pendulum_lr_tenth": replace(ppo.PENDULUM, policy_lr=ppo.PENDULUM.policy_lr / 10),
    "pendulum_lr_tenfold": replace(ppo.PENDULUM, policy_lr=ppo.PENDULUM.policy_lr * 10),
    "pendulum_clip_05": replace(ppo.PENDULUM, clip_coef=0.5),
    "pendulum_never": replace(ppo.PENDULUM, normalize_advantages="never"),
}
# The textbook's sparse reward: -1 a step until the hill is climbed, 200 steps at most. Observations are normalised, since
# a position below 1 and a velocity below 0.07 would be another difficulty.
MOUNTAIN_CAR = replace(
    ppo.CARTPOLE,
    env_id="MountainCar-v0",
    total_timesteps=COMPARED,
    normalize_observations=True,
    num_envs=16,
    num_steps=64,
)
PAID_FROM = 150  # step; of thousands of random episodes none lasts as long
SPARSE: dict[str, ppo.PPOConfig] = {
    "mountain_car": MOUNTAIN_CAR,
    "mountain_car_entropy": replace(MOUNTAIN_CAR, ent_coef=0.05),
    "paid_late": SHORT,
    "paid_late_entropy": replace(SHORT, ent_coef=0.05),
}
VARIANTS = CARTPOLE | PENDULUM | SPARSE


def small_critic() -> nn.Module:
    """A value network with layers of 8 beside the policy's 32."""
    return ValueNetwork(OBS, SMALL)


def large_critic() -> nn.Module:
    """A value network with layers of 128 beside the policy's 32."""
    return ValueNetwork(OBS, LARGE)


def relu_policy() -> nn.Module:
    """CartPole's policy with ReLU in place of tanh."""
    policy = CategoricalPolicy(OBS, ACTIONS, HIDDEN)
    policy.logits = mlp([OBS, *HIDDEN, ACTIONS], activation=nn.ReLU, output_gain=0.01)
    return policy


def relu_critic() -> nn.Module:
    """CartPole's critic with ReLU in place of tanh."""
    critic = ValueNetwork(OBS, HIDDEN)
    critic.values = mlp([OBS, *HIDDEN, 1], activation=nn.ReLU)
    return critic


class PaidLate(CartPoleVectorEnv):
    """CartPole whose reward is 0 up to step `PAID_FROM` of an episode and 1 a step from there on."""

    scored_on = "CartPole-v1"  # `run_seeds` scores there: what is different here is for training alone

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        after, reward, terminated = super().dynamics(state, actions)
        return after, reward * (self.elapsed >= PAID_FROM), terminated


def paid_late(seed: int) -> VectorEnv:
    """As many as the preset takes, with the start states that they have."""
    envs = PaidLate(SHORT.num_envs)
    envs.reset(seed=env_seeds(seed, envs.num_envs))
    return envs


SEAMS: dict[str, dict[str, Any]] = {
    "critic_8": {"critic": small_critic},
    "critic_128": {"critic": large_critic},
    "relu": {"policy": relu_policy, "critic": relu_critic},
    "paid_late": {"envs": paid_late},
    "paid_late_entropy": {"envs": paid_late},
}


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


# --- Sections 3 and 7: two pools of many seeds, and a random search ----------------------------------------------------

STEPS = 40_960  # 40 rollouts of the preset, while it still learns
DRAWS = 12
LAST = 50  # episodes in a score
SEARCH_SEEDS = tuple(range(300, 303))
FRESH_SEEDS = tuple(range(310, 320))
POOL_SEEDS = tuple(range(200, 240))
CONFIRMED = 3  # settings that are measured again on fresh seeds
BASE = replace(ppo.CARTPOLE, total_timesteps=STEPS)
POOLS = {"pool_32": BASE, "pool_64": replace(BASE, hidden_sizes=(64, 64))}


def drawn(generator: np.random.Generator) -> dict[str, Any]:
    """One point of the search: rates on a logarithmic scale, over a decade on either side of common values."""
    return {
        "policy_lr": round(float(10 ** generator.uniform(-4, -2)), 6),
        "critic_lr": round(float(10 ** generator.uniform(-3, -1.5)), 6),
        "clip_coef": round(float(generator.uniform(0.1, 0.4)), 2),
        "update_epochs": int(generator.integers(2, 13)),
        "gae_lambda": float(generator.choice([0.9, 0.95, 0.98])),
        "num_steps": int(generator.choice([16, 32, 64])),
    }


def random_points() -> dict[str, dict[str, Any]]:
    """The search's points, the same each time."""
    generator = np.random.default_rng(7)
    return {f"search_{number}": drawn(generator) for number in range(DRAWS)}


def score(run: Run) -> float:
    """Mean return of the last 50 episodes, which every run has.

    Not of those that end within the last so many steps: short episodes end there more often than long ones.
    """
    return float(run.episodes["episodic_return"][-LAST:].mean())


def scores(runs: Sequence[Run]) -> list[float | int | None]:
    """One a run."""
    return [rounded(score(run)) for run in runs]


def search(num_seeds: int | None) -> dict[str, Any]:
    """Points, what they scored on the search's seeds, and what the best and the preset score on fresh ones."""
    points = random_points()
    configs = {name: replace(BASE, **point) for name, point in points.items()}
    found = kept_runs(configs, SEARCH_SEEDS[:num_seeds], seams={})
    means = {name: float(np.mean([score(run) for run in group])) for name, group in found.items()}
    best = sorted(means, key=lambda name: -means[name])[:CONFIRMED]
    again = kept_runs({name: configs[name] for name in best} | {"preset": BASE}, FRESH_SEEDS[:num_seeds], seams={})
    return {
        "points": points,
        "seeds": list(SEARCH_SEEDS),
        "scores": {name: scores(group) for name, group in found.items()},
        "fresh_seeds": list(FRESH_SEEDS),
        "fresh_scores": {name: scores(group) for name, group in again.items()},
    }


def pools(num_seeds: int | None) -> dict[str, Any]:
    """Scores of two networks over many seeds: to draw small experiments from."""
    seeds = POOL_SEEDS[:num_seeds]
    runs = kept_runs(POOLS, seeds, seams={})
    return {"seeds": list(seeds)} | {name: scores(group) for name, group in runs.items()}
