"""Settings of the runs of a batch: numbers may differ from row to row, all else is the batch's."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...config import Config

# Numbers that each run of a batch may have for itself, where an algorithm has them at all. Whether one is None is the
# same in a batch.
NUMBERS = frozenset({
    "gamma", "gae_lambda", "clip_coef", "target_kl", "ent_coef", "policy_lr", "critic_lr", "max_grad_norm", "reward_scale",
    "initial_std", "total_timesteps", "num_episodes", "anneal_lr", "vf_coef",
})  # fmt: skip


def structure(config: Config) -> str:
    """What the runs of one batch have in common: everything but the seed and the numbers that may differ."""
    settings = dataclasses.asdict(config)
    settings.pop("seed")
    common = {name: value is None if name in NUMBERS else value for name, value in settings.items()}
    return json.dumps([config.algorithm, common], sort_keys=True)


class Settings:
    """Settings of S configs of one structure."""

    def __init__(self, configs: Sequence[Config], device: torch.device) -> None:
        self.configs, self.device = list(configs), device

    def common(self, name: str) -> Any:
        """A setting that is the batch's."""
        return getattr(self.configs[0], name)

    def number(self, name: str) -> Any:
        """A setting of each run: one number where all have the same, else a column [S, 1]; None where they have none."""
        values = [getattr(config, name) for config in self.configs]
        return values[0] if len(set(values)) == 1 else self.column(name)

    def column(self, name: str) -> Tensor:
        """A setting of each run as a column [S, 1]."""
        values = [[float(getattr(config, name))] for config in self.configs]
        return torch.tensor(values, device=self.device)

    def any(self, name: str) -> bool:
        """Whether a setting is anything but 0 in any run."""
        return any(getattr(config, name) for config in self.configs)

    def select(self, rows: Sequence[int]) -> None:
        """Keep these rows alone."""
        self.configs = [self.configs[row] for row in rows]
