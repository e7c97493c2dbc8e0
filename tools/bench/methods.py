"""The methods that the benchmark compares: each trains once with a seed to its full budget, and gives that run's figures."""

import math
from collections.abc import Callable
from typing import Any

from pgcourse import a2c, ppo, reinforce, trpo
from tools.bench.training import TUNED_PENDULUM, ours, sb3


def linear(start: float) -> Callable[[float], float]:
    """A rate that falls linearly to 0 over the budget."""
    return lambda remaining: remaining * start


def sb3_like(config: ppo.PPOConfig) -> dict[str, Any]:
    """Our preset's hyper-parameters in SB3's words; it has one learning rate, so the policy's serves both networks."""
    network = list(config.hidden_sizes)
    return {
        "n_steps": config.num_steps, "batch_size": config.minibatch_size, "n_epochs": config.update_epochs,
        "gamma": config.gamma, "gae_lambda": config.gae_lambda, "clip_range": config.clip_coef, "ent_coef": 0.0,
        "learning_rate": linear(config.policy_lr) if config.anneal_lr else config.policy_lr,
        "max_grad_norm": config.max_grad_norm,
        "policy_kwargs": {
            "net_arch": {"pi": network, "vf": network}, "log_std_init": math.log(config.initial_std),
        },
    }  # fmt: skip


# The tuned settings are those that RL Baselines3 Zoo publishes for these tasks.
TUNED_CARTPOLE = {
    "n_steps": 32, "batch_size": 256, "gae_lambda": 0.8, "gamma": 0.98, "n_epochs": 20, "ent_coef": 0.0,
    "learning_rate": linear(0.001), "clip_range": linear(0.2),
}  # fmt: skip

METHODS: dict[str, Callable[[int], dict[str, Any]]] = {
    "cartpole/ours": lambda seed: ours(ppo.CARTPOLE, seed),
    "cartpole/sb3_tuned": lambda seed: sb3("CartPole-v1", 100_000, 8, TUNED_CARTPOLE, seed),
    "cartpole/sb3_default": lambda seed: sb3("CartPole-v1", 100_000, 1, {}, seed),
    "cartpole/sb3_our_settings": lambda seed: sb3(
        "CartPole-v1", 200_000, ppo.CARTPOLE.num_envs, sb3_like(ppo.CARTPOLE), seed
    ),
    "pendulum/ours": lambda seed: ours(ppo.PENDULUM, seed),
    "pendulum/sb3_tuned": lambda seed: sb3("Pendulum-v1", 100_000, 4, TUNED_PENDULUM, seed),
    "pendulum/sb3_our_settings": lambda seed: sb3(
        "Pendulum-v1", 100_000, ppo.PENDULUM.num_envs, sb3_like(ppo.PENDULUM), seed
    ),
    "a2c/cartpole": lambda seed: ours(a2c.CARTPOLE, seed),
    "reinforce/baseline": lambda seed: ours(reinforce.CARTPOLE, seed),
    "trpo/cartpole": lambda seed: ours(trpo.CARTPOLE, seed),
}

# Seeds of each where fewer than the command asks for are enough: what a reader compares with, and what is slow.
FEWER_SEEDS = {
    "cartpole/sb3_tuned": 10,
    "cartpole/sb3_default": 5,
    "cartpole/sb3_our_settings": 5,
    "pendulum/sb3_tuned": 10,
    "pendulum/sb3_our_settings": 5,
    "reinforce/baseline": 10,
}
