"""The whole state of an unfinished run on disk, so that it goes on where it stopped, also after a kill."""

import contextlib
import dataclasses
import io
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .errors import InvalidInput
from .results import to_bytes
from .storage import atomic_write

CHECKPOINT_FILE = "checkpoint.pt"


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


def describe_run(config: Any) -> str:
    """Algorithm and settings as JSON."""
    return json.dumps({"algorithm": config.algorithm, "config": dataclasses.asdict(config)})


def require_same_run(state: dict[str, Any], config: Any) -> None:
    """Raises: InvalidInput where a checkpoint is of other settings, which it would silently bring back.

    The budget may differ: a larger one prolongs the run.
    """
    saved, given = json.loads(state["description"]), json.loads(describe_run(config))
    if saved["algorithm"] != given["algorithm"]:
        raise InvalidInput(
            f"the checkpoint is of a run of {saved['algorithm']}, not {given['algorithm']}; resume it with the algorithm "
            "that wrote it"
        )
    for name, value in given["config"].items():
        was = saved["config"].get(name)
        if was != value and name not in ("total_timesteps", "num_episodes"):
            raise InvalidInput(
                f"{name}={value!r} is given, but the checkpoint was made with {name}={was!r}; resume with the same "
                "settings, of which only total_timesteps and num_episodes may change"
            )


def read_tensors(path: Path, *, missing: str) -> dict[str, Any]:
    """A dictionary of tensors, numbers and text, on the CPU; no code in the file can run.

    Raises: InvalidInput where the file is missing, damaged, or not such a dictionary.
    """
    # os.path answers False where a folder above may not be entered; Path raises PermissionError there.
    if not os.path.isdir(path.parent):
        raise InvalidInput(f"no folder {path.parent}; {missing}")
    if not os.path.exists(path):
        raise InvalidInput(f"{path.parent} holds no {path.name}; {missing}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}; give a file that you may read") from error
    content = None
    # Damage shows itself in many ways: zip, pickle and torch each raise their own.
    with contextlib.suppress(Exception), zipfile.ZipFile(io.BytesIO(data)) as archive:
        # torch.load compares no checksums: a flipped bit would come back as other weights.
        if archive.testzip() is None:
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    if not isinstance(content, dict):
        raise damaged(path)
    return content


def damaged(path: Path) -> InvalidInput:
    """The error for a file that cannot be what its name says."""
    return InvalidInput(f"{path} is damaged or was not written by pgcourse; train again, or take a copy that is whole")
