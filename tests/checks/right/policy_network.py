"""Right answers to policy_network in other styles."""

import torch
from torch import nn
from torch.distributions import Categorical


class Policy(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, obs):
        return Categorical(logits=self.layers(obs))


def near_zero(layer, std=0.01):
    nn.init.normal_(layer.weight, std=std)
    nn.init.zeros_(layer.bias)
    return layer


def right_with_last_layer_of_zeros(obs_dim, num_actions):
    return Policy(nn.Sequential(nn.Linear(obs_dim, 64), nn.ReLU(), near_zero(nn.Linear(64, num_actions), std=0.0)))


def right_without_hidden_layers(obs_dim, num_actions):
    return Policy(near_zero(nn.Linear(obs_dim, num_actions)))


def right_as_the_lesson_says(obs_dim, num_actions):
    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Sequential(nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
            self.logits = nn.Linear(64, num_actions)
            torch.nn.init.orthogonal_(self.logits.weight, gain=0.01)
            torch.nn.init.zeros_(self.logits.bias)

        def forward(self, obs):
            return Categorical(logits=self.logits(self.hidden(obs)))

    return Mine()
