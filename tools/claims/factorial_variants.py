"""What the study of lesson 06 runs: three suspects, each taken or left, under Adam and under plain SGD."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import torch
from torch import nn

from pgcourse import ppo
from pgcourse.study import traps

EPISODES = 1000  # the first budget
STEPS = 100_000  # the second, under Adam
SGD_STEPS = 61_440  # 120 rollouts of 512 steps, 30 of 2,048
FACTORS = ("rollout", "critic", "clipping")  # in the order of a corner's key
# What each level is called in a variant's name: the healthy one, then the trap.
LEVELS = (("32", "128"), ("fast", "slow"), ("separate", "joint"))
CORNERS: dict[tuple[bool, ...], str] = {
    key: "_".join(level[trap] for level, trap in zip(LEVELS, key, strict=True))
    for key in product((False, True), repeat=len(FACTORS))
}
# Every set of factors has an effect: one alone a main effect, several together an interaction.
EFFECTS = tuple(names for size in (1, 2, 3) for names in combinations(FACTORS, size))

CRITIC_LR = {"fast": 1e-2, "slow": 3e-4}
# Plain SGD has no rates of its own in the literature. These did best on the corner without a trap, on seeds that the
# study does not use (`SEARCH`); the slow critic is as many times slower as under Adam.
SGD_POLICY_LR, SGD_CRITIC_LR = 0.1, 0.3
SLOWER = CRITIC_LR["slow"] / CRITIC_LR["fast"]


def sgd(parameters: Iterator[nn.Parameter], learning_rate: float) -> torch.optim.SGD:
    """Plain stochastic gradient descent: a step is the gradient times the rate, with nothing rescaled."""
    return torch.optim.SGD(parameters, lr=learning_rate)


def config_of(corner: str, *, optimizer: str) -> ppo.PPOConfig:
    """Settings of a corner; the third factor is no setting but a seam."""
    rollout, critic, _ = corner.split("_")
    if optimizer == "sgd":
        critic_lr = SGD_CRITIC_LR * (1 if critic == "fast" else SLOWER)
        budget: dict[str, Any] = {"num_episodes": None, "total_timesteps": SGD_STEPS}
        return replace(
            ppo.BUGGY, num_steps=int(rollout), policy_lr=SGD_POLICY_LR, critic_lr=round(critic_lr, 6), **budget
        )
    # Runs that learn late have short episodes: more of them, so that each also reaches the budget of steps.
    episodes = EPISODES if critic == "fast" else 1200
    return replace(ppo.BUGGY, num_steps=int(rollout), critic_lr=CRITIC_LR[critic], num_episodes=episodes)


def seams_of(corner: str, *, optimizer: str) -> dict[str, Callable[..., Any]]:
    """Functions that a corner's run replaces."""
    seams: dict[str, Callable[..., Any]] = {"optimizer_fn": sgd} if optimizer == "sgd" else {}
    return seams | (dict(traps.JOINT_CLIPPING.seams) if corner.endswith("joint") else {})


OPTIMIZERS = ("adam", "sgd")
VARIANTS = {f"{name}_{corner}": config_of(corner, optimizer=name) for name in OPTIMIZERS for corner in CORNERS.values()}
SEAMS: Mapping[str, Mapping[str, Any]] = {
    f"{name}_{corner}": seams_of(corner, optimizer=name) for name in OPTIMIZERS for corner in CORNERS.values()
}

# The search for SGD's rates, on seeds of its own.
SEARCH_SEEDS = tuple(range(90, 95))
SEARCH_STEPS = 40_960
SEARCH = {
    f"sgd_search_{policy_lr:g}_{critic_lr:g}": replace(
        ppo.BUGGY,
        num_steps=32,
        policy_lr=policy_lr,
        critic_lr=critic_lr,
        num_episodes=None,
        total_timesteps=SEARCH_STEPS,
    )
    for policy_lr in (0.03, 0.1, 0.3)
    for critic_lr in (0.1, 0.3, 1.0, 3.0)
}
SEARCH_SEAMS = {name: {"optimizer_fn": sgd} for name in SEARCH}
