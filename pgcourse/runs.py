"""Runs on disk: loading what `Result.save` wrote, and refusing what it did not write with one clear line."""

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from torch import nn

from .algorithms import a2c, ppo, reinforce, trpo
from .checkpoint import CHECKPOINT_FILE, read_tensors
from .episodes import unpack_episodes
from .errors import InvalidInput
from .networks import build_network
from .results import FORMAT_VERSION, RUN_FILE, Result

CONFIGS: dict[str, type] = {
    config.algorithm: config for config in (reinforce.ReinforceConfig, a2c.A2CConfig, ppo.PPOConfig, trpo.TRPOConfig)
}


def load(
    directory: str | os.PathLike[str], *, policy: nn.Module | None = None, critic: nn.Module | None = None
) -> Result:
    """The run that `Result.save` wrote to `directory`, on the CPU.

    Args: policy, critic: networks to fill with the saved weights, needed where the run was trained with networks of
    the learner's own.
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
        assert fitted[0] is not None
        return Result(fitted[0], fitted[1], build_config(description), device, interrupted, episodes, metrics)
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


def build_config(description: dict[str, Any]) -> Any:
    """The config of a run's JSON description. Raises: InvalidInput for an unknown algorithm."""
    name = description["algorithm"]
    if name not in CONFIGS:
        raise InvalidInput(f"unknown algorithm {name!r}; known are {', '.join(CONFIGS)}")
    fields = {field.name: field for field in dataclasses.fields(CONFIGS[name])}
    values = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in description["config"].items()
        if key in fields
    }
    return CONFIGS[name](**values)


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
