"""Right answers to policy_network in other styles."""

from torch import nn
from torch.distributions import Categorical


class Policy(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, obs):
        return Categorical(logits=self.layers(obs))


def started(policy, init, **settings):
    init(policy.layers[-1].weight, **settings)
    nn.init.zeros_(policy.layers[-1].bias)
    return policy


def right_with_last_layer_of_zeros(obs_dim, num_actions):
    return started(Policy(nn.Linear(obs_dim, 64), nn.ReLU(), nn.Linear(64, num_actions)), nn.init.zeros_)


def right_without_hidden_layers(obs_dim, num_actions):
    return started(Policy(nn.Linear(obs_dim, num_actions)), nn.init.normal_, std=0.01)


def right_as_the_lesson_says(obs_dim, num_actions):
    hidden = (nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
    return started(Policy(*hidden, nn.Linear(64, num_actions)), nn.init.orthogonal_, gain=0.01)


class Scaled(Policy):
    def forward(self, obs):
        return Categorical(logits=0.02 * self.layers(obs))


def right_with_small_logits(obs_dim, num_actions):
    """Torch's default weights and logits times 0.02: near uniform for ever at small learning rates, and trainable."""
    return Scaled(nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, num_actions))


def right_with_few_relu_units(obs_dim, num_actions):
    """Of some actions only the bias is left to learn, where no unit answers."""
    return started(Policy(nn.Linear(obs_dim, 8), nn.ReLU(), nn.Linear(8, num_actions)), nn.init.normal_, std=0.01)
