"""What a training run leaves behind, and how it is written to disk."""

import dataclasses
import io
import json
import os
import platform
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from . import storage
from .episodes import EPISODE_FIELDS, pack_episodes
from .networks import describe_network

RUN_FILE = "run.pt"
FORMAT_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Result:
    """A finished run: networks, settings, and what happened."""

    policy: nn.Module
    critic: nn.Module | None
    config: Any
    device: str
    interrupted: bool
    episodes: NDArray[Any]  # fields env_step, wall_time [s], episodic_return, length; in order of completion
    metrics: dict[str, NDArray[np.float64]]  # one entry an iteration

    def save(self, directory: str | os.PathLike[str]) -> Path:
        """Write the run: `config.json` and `episodes.csv` to read, `run.pt` with everything for `pgcourse.load`.

        Each file is written atomically, `run.pt` last. Files hold tensors and JSON only. Returns: the directory.
        """
        folder = Path(directory)
        description = {
            "format": FORMAT_VERSION,
            "algorithm": self.config.algorithm,
            "config": dataclasses.asdict(self.config),
            "policy": describe_network(self.policy),
            "critic": describe_network(self.critic),
            "device": self.device,
            "interrupted": self.interrupted,
            "versions": versions(),
        }
        content = {
            "description": json.dumps(description),
            "policy": self.policy.state_dict(),
            "critic": self.critic.state_dict() if self.critic is not None else {},
            "episodes": pack_episodes(self.episodes),
            "metrics": {name: torch.from_numpy(values) for name, values in self.metrics.items()},
        }
        lines = [",".join(EPISODE_FIELDS.names or ())] + [
            ",".join(str(value) for value in row) for row in self.episodes
        ]
        storage.write_json(folder / "config.json", description)
        storage.atomic_write(folder / "episodes.csv", "\n".join(lines) + "\n")
        storage.atomic_write(folder / RUN_FILE, to_bytes(content))
        return folder


def to_bytes(content: dict[str, Any]) -> bytes:
    """Tensors, numbers, text and containers of them as bytes that `torch.load(weights_only=True)` reads."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def versions() -> dict[str, str]:
    """Versions that a figure or a saved run depends on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "gymnasium": gymnasium.__version__,
        "numpy": np.__version__,
    }
