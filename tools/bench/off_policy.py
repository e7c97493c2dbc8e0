"""Off-policy methods of Stable-Baselines3's beside PPO on Pendulum: `python -m tools.bench.off_policy METHOD SEED`.

One run in this process, its figures and its curve of held-out returns as JSON on the last line. Seconds are the
processor time of its one thread: a run that shares a core with other work is no slower by this clock.
"""

import json
import sys
import time
from typing import Any

import torch

from pgcourse import optim, ppo
from tools.bench.solving import Grid
from tools.bench.training import TUNED_PENDULUM, ours, sb3

# Every method is looked at after its first update behind each point: SAC takes one a step, PPO one a rollout.
GRID = Grid(every=500, clock=time.process_time, to_the_end=True)
# As RL Baselines3 Zoo publishes them for Pendulum (hyperparams/sac.yml, td3.yml and ddpg.yml), budgets too, but for
# SAC's: its published 20,000 steps are twice what its curve needs, and with 10,000 each of the three learns in 10,000.
SETTINGS: dict[str, dict[str, Any]] = {
    "sac": {"algorithm": "SAC", "total_timesteps": 10_000, "learning_rate": 1e-3},
    "td3": {
        "algorithm": "TD3", "total_timesteps": 20_000, "gamma": 0.98, "buffer_size": 200_000, "learning_starts": 10_000,
        "noise_std": 0.1, "gradient_steps": -1, "train_freq": (1, "episode"), "learning_rate": 1e-3,
        "policy_kwargs": {"net_arch": [400, 300]},
    },
    "ddpg": {
        "algorithm": "DDPG", "total_timesteps": 20_000, "gamma": 0.98, "buffer_size": 200_000, "learning_starts": 10_000,
        "noise_std": 0.1, "gradient_steps": -1, "train_freq": (1, "episode"), "learning_rate": 1e-3,
        "policy_kwargs": {"net_arch": [400, 300]},
    },
    "sb3_ppo": {"algorithm": "PPO", "total_timesteps": 100_000, "num_envs": 4, **TUNED_PENDULUM},
}  # fmt: skip
METHODS = ("ppo", *SETTINGS)


def run(method: str, seed: int, grid: Grid = GRID) -> dict[str, Any]:
    """One run of a method to the end of its budget."""
    optim.load_fully()  # torch's imports are no part of training, whoever trains
    if method == "ppo":
        return ours(ppo.PENDULUM, seed, grid)
    settings = dict(SETTINGS[method])
    algorithm, steps, num_envs = (settings.pop(key, 1) for key in ("algorithm", "total_timesteps", "num_envs"))
    return sb3("Pendulum-v1", steps, num_envs, settings, seed, algorithm=algorithm, grid=grid)


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(run(sys.argv[1], int(sys.argv[2]))))
