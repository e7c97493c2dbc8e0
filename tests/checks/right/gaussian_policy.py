"""Right answers to gaussian_policy in other styles."""

import itertools
import math

import torch
from torch import nn
from torch.distributions import Independent, Normal


def right_with_last_layer_zero(obs_dim, action_dim):
    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.mean = nn.Sequential(nn.Linear(obs_dim, 64), nn.ReLU(), nn.Linear(64, action_dim))
            for parameter in self.mean[-1].parameters():
                nn.init.zeros_(parameter)
            self.log_std = nn.Parameter(torch.full((action_dim,), -0.5))

        def forward(self, obs):
            return Independent(Normal(self.mean(obs), self.log_std.exp()), 1)

    return Policy()


class right_without_hidden_layers(nn.Module):
    """A class that is called like a function; its log_std is clamped."""

    def __init__(self, obs_dim, action_dim):
        super().__init__()
        self.mean = nn.Linear(obs_dim, action_dim)
        nn.init.normal_(self.mean.weight, std=0.01)
        nn.init.zeros_(self.mean.bias)
        self.log_std = nn.Parameter(torch.zeros(action_dim))

    def forward(self, obs):
        return Independent(Normal(self.mean(obs), self.log_std.clamp(-5, 2).exp()), 1)


def right_with_expanded_std(obs_dim, action_dim):
    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(obs_dim, 32), nn.Linear(32, action_dim)
            with torch.no_grad():
                self.second.weight *= 0.01
                self.second.bias *= 0
            self.register_parameter("log_std", nn.Parameter(torch.zeros(action_dim)))

        def forward(self, obs):
            mean = self.second(torch.tanh(self.first(obs)))
            std = self.log_std.exp().expand_as(mean).clone()
            return Independent(Normal(mean, std, validate_args=False), reinterpreted_batch_ndims=1)

    return Policy()


def right_with_a_scaled_output(obs_dim, action_dim):
    # It learns slowly, and starts at the smallest standard deviation that is allowed.
    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, action_dim))
            self.log_std = nn.Parameter(torch.full((action_dim,), math.log(0.3)))

        def forward(self, obs):
            return Independent(Normal(0.01 * self.layers(obs), self.log_std.exp()), 1)

    return Policy()


def right_with_many_relu_units(obs_dim, action_dim):
    """Large steps throw it about."""

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            widths = (obs_dim, 256, 256, 256)
            layers = [
                layer
                for width, following in itertools.pairwise(widths)
                for layer in (nn.Linear(width, following), nn.ReLU())
            ]
            self.hidden, self.mean = nn.Sequential(*layers), nn.Linear(256, action_dim)
            nn.init.normal_(self.mean.weight, std=0.001)
            nn.init.zeros_(self.mean.bias)
            self.log_std = nn.Parameter(torch.zeros(action_dim))

        def forward(self, obs):
            return Independent(Normal(self.mean(self.hidden(obs)), self.log_std.exp()), 1)

    return Policy()


def right_with_two_layers_of_sigmoids(obs_dim, action_dim):
    """Large steps leave few of its units between 0 and 1, and each of these moves the mean by one weight."""

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Sequential(nn.Linear(obs_dim, 32), nn.Sigmoid(), nn.Linear(32, 32), nn.Sigmoid())
            self.mean = nn.Linear(32, action_dim)
            nn.init.normal_(self.mean.weight, std=0.001)
            nn.init.zeros_(self.mean.bias)
            self.log_std = nn.Parameter(torch.zeros(action_dim))

        def forward(self, obs):
            return Independent(Normal(self.mean(self.hidden(obs)), self.log_std.exp()), 1)

    return Policy()
