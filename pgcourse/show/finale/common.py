"""What the finales share: the learner's network with a given seed, and an optimiser that clips."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ... import optim
from ..guard import checked_policy

ROLLOUT = ("rewards", "values", "next_values", "terminated", "truncated")  # what `gae` is given, in this order


def seeded_policy(name: str, make: Callable[[], Any], obs_dim: int, seed: int) -> nn.Module:
    """The learner's network, with weights that depend on the seed alone."""
    with optim.seeded(seed):
        return checked_policy(name, make, obs_dim)


def clipping_adam(max_grad_norm: float | None) -> Callable[..., torch.optim.Optimizer]:
    """The package's Adam, which clips the gradient before each step: a learner's update then need not."""

    def make(parameters: Any, learning_rate: float) -> torch.optim.Optimizer:
        parameters = list(parameters)
        optimizer = optim.adam(iter(parameters), learning_rate)

        limit = float("inf") if max_grad_norm is None else max_grad_norm

        def clip(*step: Any) -> None:
            nn.utils.clip_grad_norm_(parameters, limit)

        optimizer.register_step_pre_hook(clip)
        return optimizer

    return make
