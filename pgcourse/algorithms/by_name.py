"""The algorithms by name, for the command line, for studies of many seeds, and for runs that are read from disk."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from torch import nn

from .. import optim
from ..config import Config
from ..errors import InvalidInput
from ..runs import Result, read_result
from . import a2c, ppo, reinforce, trpo
from . import recurrent as recurrent  # its networks are then among those that a saved run is rebuilt from

ALGORITHMS: dict[str, ModuleType] = {"reinforce": reinforce, "a2c": a2c, "ppo": ppo, "trpo": trpo}
TRAIN: dict[str, Callable[..., Result]] = {name: module.train for name, module in ALGORITHMS.items()}
CONFIGS: dict[str, type[Config]] = {
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
    return read_result(directory, build_config, policy=policy, critic=critic)


def build_config(description: dict[str, Any]) -> Config:
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


def made_fresh(config: Config, seams: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `train` for one run: what is a function in place of networks or environments is called."""
    made = dict(seams)
    with optim.seeded(config.seed):
        for name in ("policy", "critic"):
            if name in made and not isinstance(made[name], nn.Module):
                made[name] = made[name]()
    if callable(made.get("envs")):
        made["envs"] = made["envs"](config.seed)
    return made
