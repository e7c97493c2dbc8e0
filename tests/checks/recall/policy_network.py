"""Answers to policy_network, written from the lesson and the stub alone."""

import functools

import torch
from torch import nn
from torch.distributions import Bernoulli, Categorical, OneHotCategorical

from pgcourse.networks import Categorical as _CourseCategorical


class _Policy(nn.Module):
    def __init__(self, body, read=lambda z: Categorical(logits=z)):
        super().__init__()
        self.body, self.read = body, read

    def forward(self, obs):
        return self.read(self.body(obs))


def _small(linear, factor=0.01):
    with torch.no_grad():
        linear.weight.mul_(factor)
        linear.bias.zero_()
    return linear


def _body(obs_dim, num_actions, hidden=32):
    return nn.Sequential(nn.Linear(obs_dim, hidden), nn.Tanh(), _small(nn.Linear(hidden, num_actions)))


def wrong_default_weights(obs_dim, num_actions):
    """Leaves torch's default weights, with opinions from the start."""

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(obs_dim, 16)
            self.out = nn.Linear(16, num_actions)

        def forward(self, obs):
            return Categorical(logits=self.out(torch.relu(self.hidden(obs))))

    return Policy()


def wrong_orthogonal_everywhere(obs_dim, num_actions):
    """Initialises all layers with gain root two, the last one too."""
    layers = [nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, num_actions)]
    for layer in layers[::2]:
        nn.init.orthogonal_(layer.weight, 2**0.5)
        nn.init.zeros_(layer.bias)
    return _Policy(nn.Sequential(*layers))


def wrong_returns_probabilities(obs_dim, num_actions):
    """Ends in a softmax and gives a tensor, not a distribution."""
    return nn.Sequential(nn.Linear(obs_dim, 32), nn.Tanh(), _small(nn.Linear(32, num_actions)), nn.Softmax(dim=-1))


def wrong_logits_as_first_argument(obs_dim, num_actions):
    """Gives the logits to Categorical as its first argument, which is the probabilities."""
    return _Policy(_body(obs_dim, num_actions), Categorical)


def wrong_single_observation_becomes_a_batch(obs_dim, num_actions):
    """Reshapes everything to rows, and a single observation comes back as a batch of one."""

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = _body(obs_dim, num_actions)

        def forward(self, obs):
            return Categorical(logits=self.net(obs.view(-1, obs_dim)))

    return Policy()


def wrong_batch_of_one_is_squeezed(obs_dim, num_actions):
    """Squeezes the logits, and a batch of one loses its axis."""
    return _Policy(_body(obs_dim, num_actions), lambda z: Categorical(logits=z.squeeze()))


def wrong_softmax_over_axis_one(obs_dim, num_actions):
    """Names axis 1 for the softmax, which a single observation does not have."""
    return _Policy(_body(obs_dim, num_actions), lambda z: Categorical(probs=torch.softmax(z, dim=1)))


def wrong_all_weights_zero(obs_dim, num_actions):
    """Sets all layers to zero: uniform, and no gradient ever reaches a weight."""
    net = nn.Sequential(nn.Linear(obs_dim, 64), nn.Tanh(), nn.Linear(64, num_actions))
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    return _Policy(net)


@functools.cache
def wrong_always_the_same_network(obs_dim, num_actions):
    """Keeps the network for the next caller, who gets a trained one."""
    return _Policy(_body(obs_dim, num_actions))


def wrong_layers_in_a_plain_list(obs_dim, num_actions):
    """Keeps the layers in a Python list, where no optimiser finds them."""

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(obs_dim, 32), nn.Tanh(), _small(nn.Linear(32, num_actions))]

        def forward(self, obs):
            for layer in self.layers:
                obs = layer(obs)
            return Categorical(logits=obs)

    return Policy()


def wrong_forward_without_gradient(obs_dim, num_actions):
    """Switches gradients off while acting, and so while learning."""

    class Policy(_Policy):
        @torch.no_grad()
        def forward(self, obs):
            return Categorical(logits=self.body(obs))

    return Policy(_body(obs_dim, num_actions))


def wrong_made_for_cartpole(obs_dim, num_actions):
    """Writes the 4 and the 2 of CartPole into the layers."""
    return _Policy(_body(4, 2))


def wrong_a_function(obs_dim, num_actions):
    """Returns a function around the network, which has no parameters() to train."""
    net = _body(obs_dim, num_actions)

    def policy(obs):
        return Categorical(logits=net(obs))

    return policy


def wrong_one_logit_less(obs_dim, num_actions):
    """Uses the sigmoid of the lesson: one number says how likely action 1 is."""
    return _Policy(_body(obs_dim, 1), lambda z: Bernoulli(logits=z.squeeze(-1)))


def wrong_one_hot_distribution(obs_dim, num_actions):
    """Takes the distribution whose samples are one-hot rows."""
    return _Policy(_body(obs_dim, num_actions), lambda z: OneHotCategorical(logits=z))


def wrong_normalises_the_batch(obs_dim, num_actions):
    """Standardises the observations over the batch, of which a batch of one has no spread."""

    class Policy(_Policy):
        def forward(self, obs):
            obs = (obs - obs.mean(dim=0)) / obs.std(dim=0)
            return Categorical(logits=self.body(obs))

    return Policy(_body(obs_dim, num_actions))


def wrong_frozen(obs_dim, num_actions):
    """Multiplies the logits by zero at the start, in a buffer that no step will ever change."""

    class Policy(_Policy):
        def __init__(self, body):
            super().__init__(body)
            self.register_buffer("scale", torch.zeros(()))

        def forward(self, obs):
            return Categorical(logits=self.scale * self.body(obs))

    return Policy(_body(obs_dim, num_actions))


def wrong_most_probable_action(obs_dim, num_actions):
    """Puts all probability on the largest logit, as one plays after training."""

    def hard(z):
        return Categorical(probs=torch.zeros_like(z).scatter(-1, z.argmax(-1, keepdim=True), 1.0) + 0 * z)

    return _Policy(_body(obs_dim, num_actions), hard)


def right_last_layer_zero(obs_dim, num_actions):
    """Only the last layer starts at zero: exactly uniform, and its weights learn at once."""
    head = nn.Linear(24, num_actions)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return _Policy(nn.Sequential(nn.Linear(obs_dim, 24), nn.SiLU(), head))


class _Linear(nn.Linear):
    def forward(self, obs):
        return Categorical(logits=super().forward(obs))


def right_no_hidden_layer(obs_dim, num_actions):
    """A subclass of nn.Linear that starts at zero and has no hidden layer."""
    policy = _Linear(obs_dim, num_actions, bias=False)
    torch.nn.init.constant_(policy.weight, 0.0)
    return policy


class _Waves(nn.Module):
    def __init__(self, obs_dim, num_actions, features=48):
        super().__init__()
        self.register_buffer("frequencies", torch.randn(obs_dim, features))
        self.register_buffer("phases", 6.2832 * torch.rand(features))
        self.head = nn.Parameter(torch.zeros(features, num_actions))

    def forward(self, obs):
        waves = torch.cos(obs @ self.frequencies + self.phases)
        return Categorical(probs=torch.softmax(waves @ self.head, dim=-1))


def right_random_waves(obs_dim, num_actions):
    """Fixed random cosines as features, one trainable matrix on top, probabilities by softmax."""
    return _Waves(obs_dim, num_actions)


class _Convolution(nn.Module):
    def __init__(self, obs_dim, num_actions):
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv1d(obs_dim, 32, 1), nn.Conv1d(32, num_actions, 1)])
        nn.init.normal_(self.layers[1].weight, std=1e-3)
        nn.init.zeros_(self.layers[1].bias)

    def forward(self, *args, **kwargs):
        (obs,) = (*args, *kwargs.values())
        first, second = self.layers
        logits = second(torch.tanh(first(obs.unsqueeze(-1)))).squeeze(-1)
        return Categorical(logits=logits.log_softmax(-1))


def right_convolutions_of_width_one(obs_dim, num_actions):
    """Convolutions over a line of length one, with the observation's numbers as channels."""
    return _Convolution(obs_dim, num_actions)


class _Scaled(nn.Sequential):
    def __init__(self, *layers):
        super().__init__(*layers)
        self.log_scale = nn.Parameter(torch.tensor(-6.0))

    def forward(self, obs):
        return _CourseCategorical(super().forward(obs) * self.log_scale.exp())


def right_learnt_temperature(obs_dim, num_actions):
    """Default weights with a learnt scale that starts small, and the lesson's own Categorical."""
    return _Scaled(nn.Linear(obs_dim, 16), nn.ELU(), nn.Linear(16, num_actions))
