"""Making the parts of a run: what policy and critic may share."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pgcourse.networks import Categorical
from pgcourse.normalization import ObservationNorm
from tests.algorithms.test_every_algorithm import TINY, train
from tests.recording import refused


class Head(nn.Module):
    """A network on top of layers that somebody else may use too."""

    def __init__(self, trunk: nn.Module, inputs: int, outputs: int) -> None:
        super().__init__()
        self.trunk, self.head = trunk, nn.Linear(inputs, outputs)

    def forward(self, obs: Tensor) -> Any:
        out = self.head(self.trunk(obs))
        return Categorical(out) if out.shape[-1] == 2 else out.squeeze(-1)


@pytest.mark.parametrize("name", TINY)
def test_a_shared_trunk_is_refused(name: str) -> None:
    """Two optimisers would step it twice in each update, and two limits clip it twice."""
    trunk = nn.Sequential(nn.Linear(4, 8), nn.Tanh())
    policy, critic = Head(trunk, 8, 2), Head(trunk, 8, 1)
    before = trunk[0].weight.clone()
    with refused(r"policy and critic share 2 parameters \(trunk.0.weight, ...\).*give each network layers of its own"):
        train(TINY[name], policy=policy, critic=critic)
    assert torch.equal(trunk[0].weight, before)


@pytest.mark.parametrize("name", TINY)
def test_what_no_optimiser_steps_may_be_shared(name: str) -> None:
    """Buffers, modules without parameters, and layers that are frozen."""
    norm, frozen = ObservationNorm(4), nn.Linear(4, 8).requires_grad_(False)
    trunk = nn.Sequential(norm, nn.Tanh()) if name == "trpo" else nn.Sequential(norm, frozen, nn.Tanh())
    inputs = 4 if name == "trpo" else 8
    policy, critic = Head(trunk, inputs, 2), Head(trunk, inputs, 1)
    before = policy.head.weight.clone()
    train(TINY[name], policy=policy, critic=critic)
    assert not torch.equal(policy.head.weight, before)
