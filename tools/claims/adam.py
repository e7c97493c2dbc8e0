"""Lesson 06, section 4: how much of joint clipping's effect under Adam comes from its eps.

The settings are those of the story's patient (`factorial.SETTINGS`, "lr3e-4", rollouts of 128, slow critic). Its runs with
the package's eps of 1e-5 stand in claims/factorial.json, on the same seeds.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from pgcourse import optim
from pgcourse.study import traps

from . import factorial
from .study import Study

SMALL_EPS = 1e-8  # torch's default
FACTOR = 0.01  # about what one norm over both networks leaves of the patient's policy gradient
CONFIG = replace(
    factorial.config_of("128_slow_separate", "lr3e-4"), num_episodes=factorial.EPISODES, total_timesteps=None
)


def adam_of_small_eps(parameters: Iterator[nn.Parameter], learning_rate: float) -> torch.optim.Adam:
    """`optim.adam` with torch's default eps."""
    return torch.optim.Adam(parameters, lr=learning_rate, eps=SMALL_EPS, fused=True)


def scaled_step(
    policy_loss: Tensor,
    value_loss: Tensor,
    policy: nn.Module,
    critic: nn.Module,
    policy_optimizer: torch.optim.Optimizer,
    critic_optimizer: torch.optim.Optimizer,
    *,
    max_grad_norm: float | None,
) -> tuple[Tensor, Tensor]:
    """`optim.actor_critic_step` with the policy's gradient times a constant factor; its norm of about 0.1 is never clipped."""
    return optim.actor_critic_step(
        FACTOR * policy_loss,
        value_loss,
        policy,
        critic,
        policy_optimizer,
        critic_optimizer,
        max_grad_norm=max_grad_norm,
    )


JOINT = dict(traps.JOINT_CLIPPING.seams)
SEAMS: dict[str, dict[str, Any]] = {
    "small_eps_separate": {"optimizer_fn": adam_of_small_eps},
    "small_eps_joint": {"optimizer_fn": adam_of_small_eps, **JOINT},
    "scaled": {"gradient_step_fn": scaled_step},
    "small_eps_scaled": {"optimizer_fn": adam_of_small_eps, "gradient_step_fn": scaled_step},
}
STUDY = Study(
    description="PPO on CartPole-v1 with policy and critic at 3e-4 and rollouts of 16 x 128 steps in minibatches of 512, for "
    f"{factorial.EPISODES:,} episodes: gradients clipped apart, clipped together, and the policy's gradient times {FACTOR} "
    f"throughout, with Adam's eps at 1e-5 and at {SMALL_EPS}.",
    variants=dict.fromkeys(SEAMS, CONFIG),
    seams=SEAMS,
    metrics={name: factorial.METRICS[name] for name in ("at_1000", "area", "early_kl", "policy_move")},
    every=50,
    until=factorial.EPISODES,
)


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/adam.json`."""
    return STUDY.measure(num_workers=num_workers, num_seeds=num_seeds)
