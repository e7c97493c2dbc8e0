"""Lesson 03, tables of sections 4.6, 5.2, 6.4, 7.1 and 9: A2C on CartPole and in the long corridor, one change at a time.

What changes: lambda, what counts as an episode's end, updates after every step, the entropy bonus.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pgcourse import a2c
from pgcourse.envs.long_corridor import EPISODE_STEPS, NUM_PLACES
from pgcourse.returns import gae
from pgcourse.rollout import Batch
from pgcourse.study.seeds import Run

from .study import (
    IQM,
    OF_RETURN,
    TO_THRESHOLD,
    Metric,
    Study,
    best_mean,
    episodes_to,
    held_out,
    last_mean,
    metric_mean,
    steps_to,
)

# One table entry for each place, no discount, and rollouts of exactly one episode, so that lambda = 1 is Monte Carlo.
CORRIDOR = a2c.A2CConfig(
    env_id="LongCorridor-v0", num_envs=8, num_steps=EPISODE_STEPS, num_episodes=2000, gamma=1.0, ent_coef=0.0,
    normalize_advantages=True, policy_lr=2e-2, critic_lr=5e-2, hidden_sizes=(),
)  # fmt: skip
CORRIDOR_LAMBDAS = {"corridor_0": 0.0, "corridor_05": 0.5, "corridor_09": 0.9, "corridor_1": 1.0}

VARIANTS = {
    "cartpole": a2c.CARTPOLE,
    "no_entropy": replace(a2c.CARTPOLE, ent_coef=0.0),
    "lambda_0": replace(a2c.CARTPOLE, gae_lambda=0.0),
    "lambda_1": replace(a2c.CARTPOLE, gae_lambda=1.0),
    "truncation_ends": a2c.CARTPOLE,
    "patient": a2c.CARTPOLE,
    **{name: replace(CORRIDOR, gae_lambda=gae_lambda) for name, gae_lambda in CORRIDOR_LAMBDAS.items()},
}
# An update after every step costs far more time than one after 128, so this one is compared early.
ONLINE_STEPS = 10_000
ONLINE = replace(a2c.ONLINE, num_episodes=None, total_timesteps=ONLINE_STEPS)
VARIANTS["online"] = replace(ONLINE, max_grad_norm=0.5)
VARIANTS["online_unclipped"] = replace(ONLINE, max_grad_norm=None)

PRIZE_PROBABILITY = "charts/prize_probability"


def truncation_ends(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, **options: float
) -> Tensor:
    """GAE that takes a time limit for a real end: no bootstrap from a truncated step."""
    return gae(rewards, values, next_values, terminated | truncated, truncated, **options)


def nothing_ends(
    rewards: Tensor, values: Tensor, next_values: Tensor, terminated: Tensor, truncated: Tensor, **options: float
) -> Tensor:
    """The lesson's patient: every end bootstraps, as if the pole had not fallen."""
    return gae(rewards, values, next_values, torch.zeros_like(terminated), terminated | truncated, **options)


def update_and_watch_the_fork(
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: a2c.A2CConfig,
    **functions: Any,
) -> dict[str, Tensor]:
    """`a2c.update`, and after it the probability of the corridor with the prize."""
    metrics = a2c.update(policy, critic, policy_optimizer, critic_optimizer, batch, config, **functions)
    with torch.no_grad():
        metrics[PRIZE_PROBABILITY] = policy(torch.eye(NUM_PLACES)[:1]).probs[0, 1]
    return metrics


SEAMS: dict[str, dict[str, Any]] = {
    "truncation_ends": {"advantage_fn": truncation_ends},
    "patient": {"advantage_fn": nothing_ends},
    **{name: {"update_fn": update_and_watch_the_fork} for name in CORRIDOR_LAMBDAS},
}


EPISODES = 1000  # the last update of a run may bring more
ENTROPY, EXPLAINED = "losses/entropy", "losses/explained_variance"
OF_THE_CORRIDOR = ("prize_probability", "wrong_corridor", "updates_to_90")
VALUE, RETURN = "charts/value_mean", "charts/return_mean"


def prize_probability(run: Run) -> float | None:
    """Probability of the right corridor after the last update; None on CartPole."""
    series = run.metrics.get(PRIZE_PROBABILITY)
    return None if series is None else float(series[-1])


def wrong_corridor(run: Run) -> float | None:
    """The same where it is below one half; else None."""
    probability = prize_probability(run)
    return probability if probability is not None and probability < 0.5 else None


def updates_to_90(run: Run) -> int | None:
    """Updates after which the right corridor first has a probability of 0.9; None where it never has."""
    series = run.metrics.get(PRIZE_PROBABILITY)
    if series is None or series.max() < 0.9:
        return None
    return int(np.argmax(series >= 0.9)) + 1


def explained_late(run: Run) -> float | None:
    """Mean explained variance over the last half of the updates where it is defined; None where it never is."""
    series = run.metrics[EXPLAINED]
    late = series[len(series) // 2 :]
    return float(np.nanmean(late)) if np.isfinite(late).any() else None  # a batch of one row has no variance


def early_return(run: Run) -> float:
    """Mean return of the last 20 episodes that ended within the steps of the online variant."""
    early = run.episodes["env_step"] <= ONLINE_STEPS
    return float(run.episodes["episodic_return"][early][-20:].mean())


STUDY = Study(
    description="A2C on CartPole-v1 for 1,000 episodes, with one change at a time (no entropy bonus, lambda 0 and 1, truncation "
    "taken for an end, every end bootstrapped), the long corridor with four values of lambda, and the online actor-critic "
    "for 10,000 steps with and without clipped gradients.",
    variants=VARIANTS,
    seams=SEAMS,
    metrics={
        "episodes_to_475": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 475, EPISODES)),
        "episodes_to_195": Metric("episodes", TO_THRESHOLD, lambda run: episodes_to(run, 195, EPISODES)),
        "steps_to_475": Metric("steps", [IQM, "count"], lambda run: steps_to(run, 475)),
        "last_100": Metric("return", OF_RETURN, lambda run: last_mean(run, EPISODES)),
        "best_100": Metric("return", OF_RETURN, lambda run: best_mean(run, EPISODES)),
        "early": Metric("return", OF_RETURN, early_return),
        "held_out": Metric("return", OF_RETURN, held_out),
        "last_entropy": Metric("nats", [IQM], lambda run: metric_mean(run, ENTROPY, last=100)),
        "last_value": Metric("reward", [IQM], lambda run: metric_mean(run, VALUE, last=100)),
        "explained_late": Metric("of the variance", [IQM], explained_late),
        "prize_probability": Metric("probability", [IQM, "count"], prize_probability),
        "wrong_corridor": Metric("probability", ["count"], wrong_corridor),
        "updates_to_90": Metric("updates", [IQM, "count"], updates_to_90),
    },
    every=10,
    until=EPISODES,
    diagnosed={
        "cartpole": (ENTROPY, EXPLAINED, VALUE, RETURN),
        "no_entropy": (ENTROPY,),
        "patient": (ENTROPY, EXPLAINED, VALUE, RETURN),
        **{name: (PRIZE_PROBABILITY,) for name in VARIANTS if name.startswith("corridor")},
    },
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/a2c.json`, each environment with the numbers that it has."""
    content = STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
    content["values"] = {
        name: entry
        for name, entry in content["values"].items()
        if name.startswith("corridor") == (name.partition("/")[2] in OF_THE_CORRIDOR)
    }
    return content
