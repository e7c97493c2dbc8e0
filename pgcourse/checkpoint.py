"""Checkpoints: the whole state of an unfinished run on disk, so that it goes on where it stopped, also after a kill."""

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config import Config
from .errors import InvalidInput
from .runs import CHECKPOINT_FILE, damaged, read_tensors, to_bytes
from .storage import atomic_write


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often to write the state of a run: `train(config, checkpoint=Checkpoint("runs/r1", every=50))`."""

    directory: str | os.PathLike[str]
    every: int = 50  # iterations
    resume: bool = False  # go on from the state that the directory holds

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InvalidInput(f"every={self.every} is not positive; write a checkpoint every 1 iterations or more")

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.directory) / CHECKPOINT_FILE

    def write(self, content: dict[str, Any]) -> None:
        """Replace the file atomically: a kill leaves the old state or the new one, never a torn one."""
        atomic_write(self.path, to_bytes(content))

    def read(self) -> dict[str, Any]:
        """The state. Raises: InvalidInput where there is none, or the file is damaged or something else."""
        state = read_tensors(self.path, missing="give the folder of a run that was trained with checkpoints")
        if not {"description", "modules", "optimizers", "envs", "random", "counters", "log"} <= state.keys():
            raise damaged(self.path)
        return state


def describe_run(config: Config) -> str:
    """Algorithm and settings as JSON."""
    return json.dumps({"algorithm": config.algorithm, "config": dataclasses.asdict(config)})


def require_same_run(state: dict[str, Any], config: Config) -> None:
    """Raises: InvalidInput where a checkpoint is of other settings, which it would silently bring back.

    The budget may differ: a larger one prolongs the run.
    """
    saved, given = json.loads(state["description"]), json.loads(describe_run(config))
    if saved["algorithm"] != given["algorithm"]:
        raise InvalidInput(
            f"the checkpoint is of a run of {saved['algorithm']}, not {given['algorithm']}; resume it with the algorithm "
            "that wrote it"
        )
    # A setting that is younger than the checkpoint had its default, which does what was done before.
    defaults = {field.name: field.default for field in dataclasses.fields(config)}
    for name, value in given["config"].items():
        was = saved["config"].get(name, defaults[name])
        if was != value and name not in ("total_timesteps", "num_episodes"):
            raise InvalidInput(
                f"{name}={value!r} is given, but the checkpoint was made with {name}={was!r}; resume with the same "
                "settings, of which only total_timesteps and num_episodes may change"
            )
