"""What the study of lesson 03 runs: A2C on CartPole, one change at a time, and the long corridor."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from pgcourse import a2c
from pgcourse.envs.long_corridor import EPISODE_STEPS, NUM_PLACES
from pgcourse.returns import gae
from pgcourse.rollout import Batch

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
