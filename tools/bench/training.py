"""One training run of ours or of Stable-Baselines3's, with the figures that the benchmark and the studies take of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from pgcourse import optim
from pgcourse.algorithms.by_name import TRAIN
from pgcourse.config import Config
from pgcourse.training import Progress
from tools.bench.solving import BENCH, Grid, PendulumWatch, cartpole_outcome

# As RL Baselines3 Zoo publishes it for Pendulum-v1.
TUNED_PENDULUM = {
    "n_steps": 1024, "gae_lambda": 0.95, "gamma": 0.9, "n_epochs": 10, "ent_coef": 0.0, "learning_rate": 1e-3,
    "clip_range": 0.2, "use_sde": True, "sde_sample_freq": 4,
}  # fmt: skip


def ours(config: Config, seed: int, grid: Grid = BENCH) -> dict[str, Any]:
    """One run of a preset of ours."""
    config = replace(config, seed=seed)
    watch: PendulumWatch | None = None

    def look(progress: Progress) -> None:
        nonlocal watch
        if watch is None:
            watch = PendulumWatch(_mode_of(progress.policy), grid)
        watch(progress.env_step, grid.clock() - start)

    pendulum = config.env_id == "Pendulum-v1"
    optim.load_fully()  # torch's imports are no part of training; below, SB3's clock starts after its model is made too
    start = grid.clock()
    result = TRAIN[config.algorithm](config, device="cpu", on_iteration=look if pendulum else None)
    seconds = grid.clock() - start - (watch.spent if watch else 0.0)
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


def sb3(
    env_id: str,
    total_timesteps: int,
    num_envs: int,
    settings: dict[str, Any],
    seed: int,
    *,
    algorithm: str = "PPO",
    grid: Grid = BENCH,
) -> dict[str, Any]:
    """One run of an algorithm of Stable-Baselines3's on its own DummyVecEnv.

    Args: settings: keyword arguments of the algorithm, and "noise_std", RL Baselines3 Zoo's name for the standard
    deviation of Gaussian noise on the actions.
    """
    import stable_baselines3
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.noise import NormalActionNoise

    class Record(BaseCallback):
        """Episodes with the time and step at which they ended."""

        def __init__(self) -> None:
            super().__init__()
            self.rows: list[tuple[float, int, float]] = []
            self.watch: PendulumWatch | None = None

        def _on_training_start(self) -> None:
            if env_id == "Pendulum-v1":
                self.watch = PendulumWatch(lambda obs: self.model.predict(obs, deterministic=True)[0], grid)
            self.start = grid.clock()

        def _on_step(self) -> bool:
            for info in self.locals["infos"]:
                if "episode" in info:
                    self.rows.append((info["episode"]["r"], self.num_timesteps, grid.clock() - self.start))
            return True

        def _on_rollout_start(self) -> None:
            if self.watch is not None and self.num_timesteps:
                self.watch(self.num_timesteps, grid.clock() - self.start)

        def _on_training_end(self) -> None:
            if self.watch is not None and grid.to_the_end:  # what was learnt from the last rollout
                self.watch(self.num_timesteps, grid.clock() - self.start)

    record, envs = Record(), make_vec_env(env_id, n_envs=num_envs, seed=seed)
    if "noise_std" in settings:
        size = envs.action_space.shape
        noise = NormalActionNoise(np.zeros(size), np.full(size, settings["noise_std"]))
        settings = {key: value for key, value in settings.items() if key != "noise_std"} | {"action_noise": noise}
    model = getattr(stable_baselines3, algorithm)("MlpPolicy", envs, seed=seed, device="cpu", **settings)
    start = grid.clock()
    model.learn(total_timesteps, callback=record)
    seconds = grid.clock() - start - (record.watch.spent if record.watch else 0.0)
    returns, steps, times = (np.array(column) for column in zip(*record.rows, strict=True))
    outcome = record.watch.outcome() if record.watch else cartpole_outcome(returns, steps, times)
    count = model.num_timesteps
    return outcome | {
        "steps": count,
        "episodes": len(returns),
        "seconds": seconds,
        "steps_per_second": count / seconds,
    }
