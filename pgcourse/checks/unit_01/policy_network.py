"""policy_network(obs_dim, num_actions): a network whose output is a distribution over actions."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.distributions import Categorical

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.networks import PolicyFactory
from pgcourse.checks.observe.record import Case
from pgcourse.checks.properties import categorical_policy
from pgcourse.checks.unit_01.policy_network_wrong import MISCONCEPTIONS, Wrapped, make_layers
from pgcourse.networks import CategoricalPolicy


def policy_network(obs_dim: int, num_actions: int) -> nn.Module:
    """Two hidden layers of 64 tanh units; a last layer scaled by 0.01 makes the start near uniform."""

    class Policy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Sequential(nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
            self.logits = nn.Linear(64, num_actions)
            nn.init.orthogonal_(self.logits.weight, gain=0.01)
            nn.init.zeros_(self.logits.bias)

        def forward(self, obs: Tensor) -> Categorical:
            return Categorical(logits=self.logits(self.hidden(obs)))

    return Policy()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    source = generator(seed)
    for obs_dim, num_actions, batch in ((2, 2, 16), (4, 3, 24)):
        # A rule that even a linear policy can learn: the sign of the first coordinate picks action 0 or the last one.
        training_obs, right = normal(source, batch, obs_dim), torch.arange(batch) % 2
        training_obs[:, 0] = 4.0 * right - 2
        yield {
            "obs_dim": obs_dim,
            "num_actions": num_actions,
            "obs": normal(source, batch, obs_dim),
            "training_obs": training_obs,
            "targets": right * (num_actions - 1),
        }


def _zero_last_layer(obs_dim: int, num_actions: int) -> nn.Module:
    return Wrapped(make_layers(obs_dim, num_actions, gain=0.0, activation=nn.ReLU), lambda x: Categorical(logits=x))


def _linear(obs_dim: int, num_actions: int) -> nn.Module:
    layer = nn.Linear(obs_dim, num_actions)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)
    return Wrapped(layer, lambda x: Categorical(logits=x))


def _with_probabilities(obs_dim: int, num_actions: int) -> nn.Module:
    return Wrapped(make_layers(obs_dim, num_actions), lambda x: Categorical(probs=x.softmax(-1)))


def _with_log_softmax(obs_dim: int, num_actions: int) -> nn.Module:
    return Wrapped(make_layers(obs_dim, num_actions), lambda x: Categorical(logits=x.log_softmax(-1)))


EXERCISE = Exercise(
    id="policy_network",
    unit="01",
    title="A policy network",
    points=2,
    minutes=15,
    difficulty=2,
    cases=cases,
    observe=PolicyFactory(),
    judge=categorical_policy,
    show_case=lambda case: (
        f"policy_network({case['obs_dim']}, {case['num_actions']}), called with unit-normal observations"
    ),
    reference=policy_network,
    alternatives=(CategoricalPolicy, _zero_last_layer, _linear, _with_probabilities, _with_log_softmax),
    hints=(
        "An nn.Module may return any object, also a torch.distributions.Categorical. Which argument of it takes "
        "unnormalised numbers? And how large may these numbers be for all probabilities to start near 1 / A?",
        "Stack nn.Linear and nn.Tanh, the last layer with num_actions outputs and no activation. Return "
        "Categorical(logits=...). Make the last layer's weights small (times 0.01) and its bias zero, so that all "
        "logits start near 0.",
        "class Policy(nn.Module): in __init__, self.layers = nn.Sequential(nn.Linear(obs_dim, 64), nn.Tanh(), "
        "nn.Linear(64, num_actions)), then under torch.no_grad(): self.layers[-1].weight.mul_(0.01) and "
        "self.layers[-1].bias.zero_(). In forward, return Categorical(logits=self.layers(obs)). Last, return Policy().",
    ),
    misconceptions=MISCONCEPTIONS,
)
