"""Lesson 07, section 6.4: Stable-Baselines3's DQN on CartPole, a value method beside the course's agents.

Needs the extra "bench". Finished runs are kept in build/claims, as those of the other studies.
"""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pgcourse.evaluation import evaluate
from pgcourse.networks import Categorical
from pgcourse.runs import versions
from pgcourse.statistics import episodes_to_threshold, moving_average
from pgcourse.storage import atomic_write
from pgcourse.study.source import digest_of, files_behind

from .runs import KEPT
from .study import IQM, OF_RETURN, SEEDS, TO_THRESHOLD, Study, band, rounded

STEPS = 50_000  # the budget that goes with the settings
SOLVED, WINDOW = 475, 50
# As the authors of Stable-Baselines3 publish them for CartPole-v1 in their collection of tuned settings.
SETTINGS: dict[str, Any] = {
    "learning_rate": 2.3e-3, "batch_size": 64, "buffer_size": 100_000, "learning_starts": 1000, "gamma": 0.99,
    "target_update_interval": 10, "train_freq": 256, "gradient_steps": 128, "exploration_fraction": 0.16,
    "exploration_final_eps": 0.04, "policy_kwargs": {"net_arch": [256, 256]},
}  # fmt: skip
STUDY = Study(
    description=f"Stable-Baselines3's DQN on CartPole-v1 for {STEPS:,} environment steps, with the settings that its authors "
    "publish for it: a value method beside the course's agents.",
    variants={},  # nothing that `run_seeds` could train
    metrics={},
    every=1000,
    until=STEPS,
    x="env_step",
    window=WINDOW,
)


class Greedy(nn.Module):
    """Q-values as logits, so that `evaluate` acts by the largest."""

    def __init__(self, q_net: nn.Module) -> None:
        super().__init__()
        self.q_net = q_net

    def forward(self, obs: Tensor) -> Categorical:
        return Categorical(self.q_net(obs))


def train(seed: int) -> dict[str, Any]:
    """One run: its episodes' returns and the steps at which they ended, and 100 held-out returns."""
    from stable_baselines3 import DQN
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env

    class Record(BaseCallback):
        """Episodes with the step at which they ended."""

        def __init__(self) -> None:
            super().__init__()
            self.rows: list[tuple[float, int]] = []

        def _on_step(self) -> bool:
            self.rows += [(i["episode"]["r"], self.num_timesteps) for i in self.locals["infos"] if "episode" in i]
            return True

    torch.set_num_threads(1)
    record = Record()
    model = DQN("MlpPolicy", make_vec_env("CartPole-v1", n_envs=1, seed=seed), seed=seed, device="cpu", **SETTINGS)
    model.learn(STEPS, callback=record)
    returns, steps = zip(*record.rows, strict=True)
    found = evaluate(Greedy(model.q_net), "CartPole-v1", num_episodes=100, seed=seed)
    return {"returns": [float(r) for r in returns], "steps": list(steps), "held_out": found.returns.tolist()}


def kept(seed: int) -> dict[str, Any]:
    """The run of this seed, from build/claims where it is there."""
    identity = [SETTINGS, STEPS, version("stable-baselines3"), versions(), digest_of(files_behind([Path(__file__)]))]
    key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:12]
    path = KEPT / f"dqn-{seed}-{key}.json"
    if not path.exists():
        atomic_write(path, json.dumps(train(seed)))
        print(f"dqn, seed {seed}", flush=True)
    return json.loads(path.read_text())


def steps_to(run: dict[str, Any]) -> int | None:
    """Environment steps taken when the mean of the last 100 episodes first reached 475."""
    episode = episodes_to_threshold(run["returns"], threshold=SOLVED)
    return None if episode is None else run["steps"][episode - 1]


def study(*, num_workers: int = 1, num_seeds: int | None = None) -> dict[str, Any]:
    """Run or read all runs. Returns: the content of `claims/dqn.json`."""
    seeds = SEEDS[:num_seeds]
    runs = [kept(seed) for seed in seeds]
    grid = np.arange(2000, STEPS + 1, 1000)
    curves = np.stack(
        [moving_average(run["returns"], WINDOW)[np.searchsorted(run["steps"], grid, side="right") - 1] for run in runs]
    ).round(1)
    numbers = {
        "last_100": ("return", OF_RETURN, [float(np.mean(run["returns"][-100:])) for run in runs]),
        "held_out": ("return", OF_RETURN, [float(np.mean(run["held_out"])) for run in runs]),
        "steps_to_475": ("environment steps", TO_THRESHOLD, [steps_to(run) for run in runs]),
        "episodes": ("episodes", [IQM], [len(run["returns"]) for run in runs]),
    }
    return {
        "description": STUDY.description,
        "seeds": list(seeds),
        "configs": {},
        "settings": SETTINGS,
        "values": {
            f"dqn/{name}": {"unit": unit, "statistics": list(statistics), "per_seed": [rounded(x) for x in per_seed]}
            for name, (unit, statistics, per_seed) in numbers.items()
        },
        "curves": {"dqn": {**band(grid, "env_step", curves), "window": WINDOW, "per_seed": curves.tolist()}},
        "prefixes": {},
    }
