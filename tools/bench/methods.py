"""The methods that the benchmark compares: each trains once with a seed to its full budget, and gives that run's figures."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from pgcourse import a2c, optim, ppo, reinforce, trpo
from pgcourse.config import Config
from pgcourse.training import Progress
from tools.bench.solving import PendulumWatch, cartpole_outcome

TRAIN = {"reinforce": reinforce.train, "a2c": a2c.train, "ppo": ppo.train, "trpo": trpo.train}


def ours(config: Config, seed: int) -> dict[str, Any]:
    """One run of a preset of ours."""
    config = replace(config, seed=seed)
    watch: PendulumWatch | None = None

    def look(progress: Progress) -> None:
        nonlocal watch
        if watch is None:
            watch = PendulumWatch(_mode_of(progress.policy))
        # `seconds` leaves out the time spent here, so the watch's own is added for it to subtract.
        watch(progress.env_step, progress.seconds + watch.spent)

    pendulum = config.env_id == "Pendulum-v1"
    optim.load_fully()  # torch's imports are no part of training; below, SB3's clock starts after its model is made too
    start = time.perf_counter()
    result = TRAIN[config.algorithm](config, device="cpu", on_iteration=look if pendulum else None)
    seconds = time.perf_counter() - start - (watch.spent if watch else 0.0)
    episodes = result.episodes
    outcome = (
        watch.outcome()
        if watch is not None
        else cartpole_outcome(episodes["episodic_return"], episodes["env_step"], episodes["wall_time"])
    )
    steps = int(result.metrics["charts/env_step"][-1])
    return outcome | {
        "steps": steps,
        "episodes": len(episodes),
        "seconds": seconds,
        "steps_per_second": steps / seconds,
    }


def _mode_of(policy: torch.nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    def act(obs: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return policy(torch.as_tensor(obs)).mode.numpy()

    return act


def sb3(env_id: str, total_timesteps: int, num_envs: int, settings: dict[str, Any], seed: int) -> dict[str, Any]:
    """One run of Stable-Baselines3's PPO on its own DummyVecEnv."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env

    class Record(BaseCallback):
        """Episodes with the time and step at which they ended."""

        def __init__(self) -> None:
            super().__init__()
            self.rows: list[tuple[float, int, float]] = []
            self.watch: PendulumWatch | None = None

        def _on_training_start(self) -> None:
            if env_id == "Pendulum-v1":
                self.watch = PendulumWatch(lambda obs: self.model.predict(obs, deterministic=True)[0])
            self.start = time.perf_counter()

        def _on_step(self) -> bool:
            for info in self.locals["infos"]:
                if "episode" in info:
                    self.rows.append((info["episode"]["r"], self.num_timesteps, time.perf_counter() - self.start))
            return True

        def _on_rollout_start(self) -> None:
            if self.watch is not None and self.num_timesteps:
                self.watch(self.num_timesteps, time.perf_counter() - self.start)

    record = Record()
    model = PPO("MlpPolicy", make_vec_env(env_id, n_envs=num_envs, seed=seed), seed=seed, device="cpu", **settings)
    start = time.perf_counter()
    model.learn(total_timesteps, callback=record)
    seconds = time.perf_counter() - start - (record.watch.spent if record.watch else 0.0)
    returns, steps, times = (np.array(column) for column in zip(*record.rows, strict=True))
    outcome = record.watch.outcome() if record.watch else cartpole_outcome(returns, steps, times)
    count = model.num_timesteps
    return outcome | {
        "steps": count,
        "episodes": len(returns),
        "seconds": seconds,
        "steps_per_second": count / seconds,
    }


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
TUNED_PENDULUM = {
    "n_steps": 1024, "gae_lambda": 0.95, "gamma": 0.9, "n_epochs": 10, "ent_coef": 0.0, "learning_rate": 1e-3,
    "clip_range": 0.2, "use_sde": True, "sde_sample_freq": 4,
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
