"""gaussian_policy(obs_dim, action_dim): a network whose output is a Gaussian over actions."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.gaussian import GaussianFactory
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_05.gaussian_policy_parts import Policy, make_layers
from pgcourse.checks.unit_05.gaussian_policy_properties import TARGET
from pgcourse.checks.unit_05.gaussian_policy_properties import gaussian_policy as judge
from pgcourse.checks.unit_05.gaussian_policy_wrong import MISCONCEPTIONS
from pgcourse.networks import GaussianPolicy


def gaussian_policy(obs_dim: int, action_dim: int) -> nn.Module:
    """Two hidden layers of 64 tanh units give the mean; the standard deviation is a parameter of its own."""

    class Policy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Sequential(nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
            self.mean = nn.Linear(64, action_dim)
            nn.init.orthogonal_(self.mean.weight, gain=0.01)  # small, so that all means start near 0
            nn.init.zeros_(self.mean.bias)
            self.log_std = nn.Parameter(torch.zeros(action_dim))  # a standard deviation of 1

        def forward(self, obs: Tensor) -> Independent:
            return Independent(Normal(self.mean(self.hidden(obs)), self.log_std.exp()), 1)

    return Policy()


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    source = generator(seed)
    for obs_dim, action_dim, batch in ((3, 1, 16), (4, 3, 24)):
        # A rule that even a linear policy can learn: the sign of the first coordinate is that of the first mean, and
        # the dimensions alternate.
        training_obs, sign = normal(source, batch, obs_dim), 2.0 * (torch.arange(batch) % 2) - 1
        training_obs[:, 0] = 2 * sign
        alternating = TARGET * (-1.0) ** torch.arange(action_dim)
        yield {
            "obs_dim": obs_dim,
            "action_dim": action_dim,
            "obs": normal(source, batch, obs_dim),
            "log_std": torch.linspace(-0.9, 0.4, action_dim),
            "training_obs": training_obs,
            "targets": sign[:, None] * alternating,
        }


def _zero_last_layer(obs_dim: int, action_dim: int) -> nn.Module:
    return Policy(make_layers(obs_dim, action_dim, gain=0.0, activation=nn.ReLU), action_dim, initial=-0.5)


def _linear(obs_dim: int, action_dim: int) -> nn.Module:
    layer = nn.Linear(obs_dim, action_dim)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)
    return Policy(layer, action_dim)


def _clamped_log_std(obs_dim: int, action_dim: int) -> nn.Module:
    return Policy(make_layers(obs_dim, action_dim), action_dim, spread=lambda log_std: log_std.clamp(-5, 2).exp())


def _expanded_in_full(obs_dim: int, action_dim: int) -> nn.Module:
    def forward(mean: Tensor, std: Tensor) -> Independent:
        return Independent(Normal(mean, std.expand_as(mean).clone(), validate_args=False), reinterpreted_batch_ndims=1)

    return Policy(make_layers(obs_dim, action_dim), action_dim, output=forward)


EXERCISE = Exercise(
    id="gaussian_policy",
    unit="05",
    title="A Gaussian policy",
    points=2,
    minutes=15,
    difficulty=2,
    cases=cases,
    observe=GaussianFactory(),
    judge=judge,
    show_case=lambda case: (
        f"gaussian_policy({case['obs_dim']}, {case['action_dim']}), called with unit-normal observations"
    ),
    reference=gaussian_policy,
    alternatives=(GaussianPolicy, _zero_last_layer, _linear, _clamped_log_std, _expanded_in_full),
    hints=(
        "Compare with your policy network of unit 01: the last layer now gives a mean for each action dimension. What "
        "must an nn.Module hold so that an optimizer finds it, although no layer computes it?",
        "self.log_std = nn.Parameter(torch.zeros(action_dim)) is a standard deviation of 1. Give its exp to Normal "
        "beside the mean [B, action_dim], without an activation on the mean, and wrap it: Independent(..., 1) makes "
        "the last axis one action. Scale the mean's last layer by 0.01, its bias 0.",
        "In forward: return Independent(Normal(self.layers(obs), self.log_std.exp()), 1). In __init__, after the "
        "layers: under torch.no_grad(), self.layers[-1].weight.mul_(0.01) and self.layers[-1].bias.zero_(), then the "
        "parameter log_std.",
    ),
    misconceptions=MISCONCEPTIONS,
)
