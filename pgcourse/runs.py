"""A finished run on disk: `Result.save` writes it, `read_result` reads it back, and what is no run is refused in one line.

`pgcourse.load` is `read_result` with the configs of the algorithms.
"""

import contextlib
import dataclasses
import io
import json
import os
import platform
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from . import storage
from .config import Config
from .episodes import EPISODE_FIELDS, pack_episodes, unpack_episodes
from .errors import InvalidInput
from .networks import build_network, describe_network, share_trunk

# Files of a run's folder, beside config.json and episodes.csv, which are to be read by people.
RUN_FILE = "run.pt"
CHECKPOINT_FILE = "checkpoint.pt"
FORMAT_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Result:
    """A finished run: networks, settings, and what happened."""

    policy: nn.Module
    critic: nn.Module | None
    config: Config  # as trained: with `envs` of one's own, their number, and their id where they have one
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


def read_result(
    directory: str | os.PathLike[str],
    build_config: Callable[[dict[str, Any]], Config],
    *,
    policy: nn.Module | None = None,
    critic: nn.Module | None = None,
) -> Result:
    """The run that `Result.save` wrote to `directory`, on the CPU.

    Args: build_config: the config of the run's description, as `config.json` holds it. policy,
    critic: networks to fill with the saved weights, needed where the run was trained with networks of the learner's own.
    Raises: InvalidInput where the folder holds no run, the file is damaged or foreign, or the networks do not fit.
    """
    path = Path(directory) / RUN_FILE
    content, description = _read(path)
    try:
        fitted = [
            _network(path, role, given, description[role], content[role])
            for role, given in (("policy", policy), ("critic", critic))
        ]
        episodes = unpack_episodes(content["episodes"])
        metrics = {name: values.numpy() for name, values in content["metrics"].items()}
        device, interrupted = description["device"], description["interrupted"]
        config = build_config(description)
        assert fitted[0] is not None
        if getattr(config, "shared_trunk", False) and fitted[1] is not None and policy is None and critic is None:
            share_trunk(fitted[0], fitted[1])
        return Result(fitted[0], fitted[1], config, device, interrupted, episodes, metrics)
    except InvalidInput:
        raise
    except (KeyError, TypeError, AttributeError, RuntimeError, ValueError) as error:
        first_line = str(error).strip().splitlines()[0].rstrip(":")
        raise InvalidInput(
            f"{path} is a run file, but its parts do not fit together ({first_line}); train again, or give fitting networks"
        ) from error


def _network(
    path: Path, role: str, given: nn.Module | None, built_from: dict[str, Any] | None, weights: dict[str, Any]
) -> nn.Module | None:
    """The network of this role with its saved weights; None where the run had none."""
    network = given if given is not None or built_from is None else build_network(built_from)
    if network is None and (weights or role == "policy"):
        raise InvalidInput(
            f"{path} was trained with a {role} of your own; give a network of the same shape: load(directory, {role}=...)"
        )
    if network is not None:
        network.load_state_dict(weights)
    return network


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    content = read_tensors(path, missing="give the folder that `pgcourse train --out` or save() wrote")
    try:
        description = json.loads(content["description"])
        version = description["format"]
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(
            f"{path} is damaged or was not written by pgcourse; train again, or take a copy that is whole"
        ) from None
    if version != FORMAT_VERSION:
        raise InvalidInput(
            f"{path} has format {version}, this version reads {FORMAT_VERSION}; use the version of pgcourse that wrote it"
        )
    return content, description


def require_new_run_folder(directory: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """The folder for a new run, made and proved writable before any training.

    Raises: InvalidInput where it holds a run already (unless `overwrite`), is a file, or cannot be written.
    """
    folder = Path(directory)
    # os.path answers False where a folder above may not be entered; Path.exists raises PermissionError there.
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise InvalidInput(f"{folder} is a file; give a folder for the run")
    if os.path.exists(folder / RUN_FILE) and not overwrite:
        raise InvalidInput(f"{folder} holds a run already; choose another folder, or replace it with --overwrite")
    unfinished = os.path.exists(folder / CHECKPOINT_FILE)
    if unfinished and not overwrite:
        raise InvalidInput(
            f"{folder} holds an unfinished run; go on with pgcourse resume {folder}, choose another folder, or replace it "
            "with --overwrite"
        )
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
        if unfinished:  # or a later resume would go on with the run that this one replaces
            (folder / CHECKPOINT_FILE).unlink()
    except OSError as error:
        raise InvalidInput(f"cannot write to {folder}: {error.strerror}; choose a folder you may write to") from error
    return folder


def to_bytes(content: dict[str, Any]) -> bytes:
    """Tensors, numbers, text and containers of them as bytes that `torch.load(weights_only=True)` reads."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


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


def versions() -> dict[str, str]:
    """Versions that a figure or a saved run depends on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "gymnasium": gymnasium.__version__,
        "numpy": np.__version__,
    }
