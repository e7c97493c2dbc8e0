"""Observation and action spaces: what training takes, and how structured observations become flat vectors.

Everything but a Box is flattened as Gymnasium does: one-hot for Discrete and MultiDiscrete, the parts of a Dict or Tuple
one after the other. A Dict observation may say which actions are allowed, under the key "action_mask".
"""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .errors import InvalidInput


class MaskedBox(spaces.Box):
    """A flat Box [D] in which the elements from `mask_start` on, one for each action, are 1 where it is allowed, else 0."""

    def __init__(self, box: spaces.Box, mask_start: int, mask_size: int) -> None:
        super().__init__(box.low, box.high, dtype=box.dtype)
        self.mask_start, self.mask_size = mask_start, mask_size


def flattened(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """The space of observations as networks see them: a Box of at least one dimension as it is, all else flat.

    Returns: a `MaskedBox` for a Dict with the key "action_mask"; the space itself where there is no flat Box for it.
    """
    if isinstance(space, spaces.Box) and space.shape:
        return space
    flat = spaces.flatten_space(space)
    if not isinstance(flat, spaces.Box):
        return space
    if not isinstance(space, spaces.Dict) or "action_mask" not in space.spaces:
        return flat
    names = list(space.spaces)
    sizes = [spaces.flatdim(part) for part in space.spaces.values()]
    position = names.index("action_mask")
    return MaskedBox(flat, sum(sizes[:position]), sizes[position])


def to_env_actions(actions: NDArray[Any], space: spaces.Space[Any]) -> NDArray[Any]:
    """A policy's actions as the environment takes them: [N] or [N, A] for the space of one environment, or without N.

    Discrete ones count from 0 and are shifted to the space's start. Continuous ones are clipped: the sample, which the
    log-probability is of, stays as it was.
    """
    if isinstance(space, spaces.Box):
        return np.clip(actions, space.low, space.high)
    if isinstance(space, spaces.MultiBinary):
        return actions.astype(space.dtype)
    assert isinstance(space, spaces.Discrete | spaces.MultiDiscrete)
    return (actions + space.start).astype(space.dtype)


def require_supported_spaces(observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> None:
    """Raises: InvalidInput unless observations are a Box, flattened or of an image, and actions have a policy."""
    observation_space = flattened(observation_space)
    if not isinstance(observation_space, spaces.Box) or not observation_space.shape:
        raise InvalidInput(
            f"observations are {type(observation_space).__name__} ({describe(observation_space)}), pgcourse takes Box, "
            "Discrete, MultiDiscrete, MultiBinary, and Dict or Tuple of these: choose another environment, or write a "
            "gymnasium.ObservationWrapper that gives one of them"
        )
    kinds = spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary
    vector = isinstance(action_space, kinds) and len(action_space.shape) == 1
    if not vector and not isinstance(action_space, spaces.Discrete):
        raise InvalidInput(
            f"actions are {type(action_space).__name__} ({describe(action_space)}), pgcourse takes Discrete, and Box, "
            "MultiDiscrete or MultiBinary of shape (A,): choose another environment, or write a gymnasium.ActionWrapper "
            "that maps one of them to yours"
        )


def describe(space: spaces.Space[Any]) -> str:
    """A space in one short line, without the bounds of every element."""
    return f"Box{space.shape}" if isinstance(space, spaces.Box) else " ".join(str(space).split())
