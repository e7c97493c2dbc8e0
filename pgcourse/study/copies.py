"""The patient of lesson 06: an optimiser that steps, and a network that stays."""

from collections.abc import Iterator

import torch
from torch import nn

from .. import optim


def copied_adam(parameters: Iterator[nn.Parameter], learning_rate: float) -> torch.optim.Adam:
    """Adam on copies: gradients reach the network's own parameters, and the copies have none to step along."""
    return optim.adam((nn.Parameter(parameter.detach().clone()) for parameter in parameters), learning_rate)
