"""Answers to gaussian_policy, written from the lesson and the stub alone."""

import functools
import math

import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal
from torch.nn import functional


def _small(linear, factor=0.01):
    with torch.no_grad():
        linear.weight.mul_(factor)
        linear.bias.zero_()
    return linear


def _means(obs_dim, action_dim, hidden=32):
    return nn.Sequential(nn.Linear(obs_dim, hidden), nn.Tanh(), _small(nn.Linear(hidden, action_dim)))


class _Policy(nn.Module):
    def __init__(self, obs_dim, action_dim, spread=torch.exp, first=0.0):
        super().__init__()
        self.mean = _means(obs_dim, action_dim)
        self.log_std = nn.Parameter(torch.full((action_dim,), first))
        self.spread = spread

    def forward(self, obs):
        return Independent(Normal(self.mean(obs), self.spread(self.log_std)), 1)


def wrong_plain_tensor(obs_dim, action_dim):
    """Makes log_std a plain tensor, which no optimiser sees."""

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = _means(obs_dim, action_dim)
            self.log_std = torch.zeros(action_dim, requires_grad=True)

        def forward(self, obs):
            return Independent(Normal(self.body(obs), self.log_std.exp()), 1)

    return Policy()


def wrong_buffer(obs_dim, action_dim):
    """Registers log_std as a buffer: saved with the policy, never trained."""
    policy = _Policy(obs_dim, action_dim)
    del policy.log_std
    policy.register_buffer("log_std", torch.zeros(action_dim))
    return policy


def wrong_frozen_spread(obs_dim, action_dim):
    """A parameter, but with requires_grad=False, since the lesson says the width need not be learnt."""
    policy = _Policy(obs_dim, action_dim)
    policy.log_std.requires_grad_(False)
    return policy


class _BareNormal(nn.Module):
    def __init__(self, obs_dim, action_dim):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(obs_dim, 64), _small(nn.Linear(64, action_dim))
        self.log_std = nn.Parameter(torch.zeros(action_dim))

    def forward(self, obs):
        mean = self.fc2(torch.tanh(self.fc1(obs)))
        return Normal(mean, self.log_std.exp())


def wrong_without_independent(obs_dim, action_dim):
    """Returns the bare Normal, whose log_prob is [B, action_dim]."""
    return _BareNormal(obs_dim, action_dim)


def wrong_tanh_at_the_end(obs_dim, action_dim):
    """Bounds the mean by a last tanh."""
    policy = _Policy(obs_dim, action_dim)
    policy.mean.append(nn.Tanh())
    return policy


def wrong_mean_clamped(obs_dim, action_dim):
    """Clamps the mean to Pendulum's torques."""
    policy = _Policy(obs_dim, action_dim)
    policy.mean.append(nn.Hardtanh(-2.0, 2.0))
    return policy


def wrong_activation_after_every_layer(obs_dim, action_dim):
    """Builds the layers in a loop, with a ReLU after the last as well."""
    layers = []
    for inputs, outputs in ((obs_dim, 32), (32, 32), (32, action_dim)):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    _small(layers[-2])
    policy = _Policy(obs_dim, action_dim)
    policy.mean = nn.Sequential(*layers)
    return policy


def wrong_spread_from_the_network(obs_dim, action_dim):
    """Lets the network give one log_std for each observation."""

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(obs_dim, 32), nn.Tanh())
            self.mean = _small(nn.Linear(32, action_dim))
            self.log_std = nn.Linear(32, action_dim)

        def forward(self, obs):
            features = self.body(obs)
            std = self.log_std(features).clamp(-1, 0.5).exp()
            return Independent(Normal(self.mean(features), std), 1)

    return Policy()


def wrong_spread_shifted_by_the_observation(obs_dim, action_dim):
    """Has the parameter, and adds a head on it that depends on the observation."""

    class Policy(_Policy):
        def __init__(self):
            super().__init__(obs_dim, action_dim)
            self.extra = _small(nn.Linear(obs_dim, action_dim), 0.1)

        def forward(self, obs):
            return Independent(Normal(self.mean(obs), (self.log_std + self.extra(obs)).exp()), 1)

    return Policy()


def wrong_default_weights(obs_dim, action_dim):
    """Leaves torch's default weights in the last layer."""

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(obs_dim, 16), nn.ReLU(), nn.Linear(16, action_dim))
            self.log_std = nn.Parameter(torch.zeros(action_dim))

        def forward(self, obs):
            return Independent(Normal(self.net(obs), torch.exp(self.log_std)), 1)

    return Policy()


def wrong_bias_left(obs_dim, action_dim):
    """Makes the last weights small and leaves the last bias."""
    policy = _Policy(obs_dim, action_dim)
    last = nn.Linear(8, action_dim)
    nn.init.orthogonal_(last.weight, gain=0.01)
    policy.mean = nn.Sequential(nn.Linear(obs_dim, 8), nn.Tanh(), last)
    return policy


def wrong_narrow_start(obs_dim, action_dim):
    """Starts gently, with log_std -2."""
    policy = _Policy(obs_dim, action_dim, first=-2.0)
    return policy


def wrong_wide_start(obs_dim, action_dim):
    """Starts with log_std 1, having read it as a width of 1."""
    return _Policy(obs_dim, action_dim, first=1.0)


def wrong_no_exp(obs_dim, action_dim):
    """Uses the parameter itself as the standard deviation."""
    return _Policy(obs_dim, action_dim, spread=lambda log_std: log_std.clamp(min=1e-3), first=1.0)


def wrong_softplus(obs_dim, action_dim):
    """Uses softplus for exp, as other libraries do."""

    class Policy(_Policy):
        def forward(self, obs):
            return Independent(Normal(self.mean(obs), functional.softplus(self.log_std)), 1)

    return Policy(obs_dim, action_dim)


def wrong_log_variance(obs_dim, action_dim):
    """Takes the parameter for a log-variance."""
    return _Policy(obs_dim, action_dim, spread=lambda log_var: torch.exp(log_var).sqrt())


def wrong_narrow_clamp(obs_dim, action_dim):
    """Clamps log_std to -1 to 0.5, the range of a good start."""
    return _Policy(obs_dim, action_dim, spread=lambda log_std: log_std.clamp(-1.0, 0.5).exp())


def wrong_row_of_log_std(obs_dim, action_dim):
    """Gives log_std the shape [1, action_dim] so that it broadcasts over the batch."""
    policy = _Policy(obs_dim, action_dim)
    policy.log_std = nn.Parameter(torch.zeros(1, action_dim))
    return policy


def wrong_one_width_for_all(obs_dim, action_dim):
    """One width for all joints."""

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.mean = _means(obs_dim, action_dim)
            self.log_std = nn.Parameter(torch.tensor([-0.5]))

        def forward(self, obs):
            mean = self.mean(obs)
            return Independent(Normal(mean, self.log_std.exp().expand_as(mean)), 1)

    return Policy()


def wrong_parameter_in_a_head(obs_dim, action_dim):
    """Puts log_std into a submodule, so that the policy has no log_std of its own."""

    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.log_std = nn.Parameter(torch.zeros(action_dim))

        def forward(self, mean):
            return Independent(Normal(mean, self.log_std.exp()), 1)

    return nn.Sequential(*_means(obs_dim, action_dim), Head())


def wrong_all_weights_zero(obs_dim, action_dim):
    """Sets every weight to 0, so that only the last bias ever learns."""
    policy = _Policy(obs_dim, action_dim)
    for parameter in policy.parameters():
        nn.init.zeros_(parameter)
    return policy


def wrong_mean_without_gradient(obs_dim, action_dim):
    """Computes the mean under no_grad, since sampling needs no gradient."""

    class Policy(_Policy):
        def forward(self, obs):
            with torch.no_grad():
                mean = self.mean(obs)
            return Independent(Normal(mean, self.log_std.exp()), 1)

    return Policy(obs_dim, action_dim)


def wrong_std_detached(obs_dim, action_dim):
    """Detaches the width on its way into the distribution."""
    return _Policy(obs_dim, action_dim, spread=lambda log_std: log_std.detach().exp())


def wrong_mean_and_std(obs_dim, action_dim):
    """Returns the pair (mean, std) and leaves the distribution to the caller."""

    class Policy(_Policy):
        def forward(self, obs):
            return self.mean(obs), self.log_std.exp()

    return Policy(obs_dim, action_dim)


@functools.cache
def wrong_remembered(obs_dim, action_dim):
    """Keeps the network that was made for these sizes and hands it out again."""
    return _Policy(obs_dim, action_dim)


def wrong_layers_in_a_plain_list(obs_dim, action_dim):
    """Keeps the layers in a Python list, whose weights are no parameters of the policy."""

    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(obs_dim, 32), nn.Linear(32, 32), _small(nn.Linear(32, action_dim))]
            self.log_std = nn.Parameter(torch.zeros(action_dim))

        def forward(self, obs):
            for layer in self.layers[:-1]:
                obs = layer(obs).tanh()
            return Independent(Normal(self.layers[-1](obs), self.log_std.exp()), 1)

    return Policy()


def wrong_batch_norm(obs_dim, action_dim):
    """Normalises the observations by their batch, which fails for a batch of one."""
    policy = _Policy(obs_dim, action_dim)
    policy.mean = nn.Sequential(nn.BatchNorm1d(obs_dim), *policy.mean)
    return policy


def wrong_squeezed(obs_dim, action_dim):
    """Squeezes the mean of a single torque to [B]."""

    class Policy(_Policy):
        def forward(self, obs):
            return Independent(Normal(self.mean(obs).squeeze(-1), self.log_std.exp()), 1)

    return Policy(obs_dim, action_dim)


def wrong_std_as_covariance(obs_dim, action_dim):
    """A multivariate normal with the standard deviations on the covariance's diagonal."""

    class Policy(_Policy):
        def forward(self, obs):
            return MultivariateNormal(self.mean(obs), torch.diag(self.log_std.exp()))

    return Policy(obs_dim, action_dim)


def wrong_made_for_pendulum(obs_dim, action_dim):
    """Writes Pendulum's three observations into the first layer."""
    return _Policy(3, action_dim)


def right_last_layer_zero(obs_dim, action_dim):
    """Starts with a mean of exactly 0 and keeps log_std within -5 to 2."""
    policy = _Policy(obs_dim, action_dim, spread=lambda log_std: log_std.clamp(-5, 2).exp(), first=math.log(1.5))
    nn.init.zeros_(policy.mean[-1].weight)
    return policy


class _LinearPolicy(nn.Linear):
    def __init__(self, obs_dim, action_dim):
        super().__init__(obs_dim, action_dim)
        _small(self, 0.01)
        self.register_parameter("log_std", nn.Parameter(torch.linspace(-0.3, 0.3, action_dim)))

    def forward(self, obs):
        return Independent(Normal(super().forward(obs), self.log_std.exp()), 1)


def right_no_hidden_layer(obs_dim, action_dim):
    """A linear layer that is the policy itself."""
    return _LinearPolicy(obs_dim, action_dim)


class _Waves(nn.Module):
    def __init__(self, obs_dim, action_dim, count=24):
        super().__init__()
        self.register_buffer("directions", torch.randn(obs_dim, count) / obs_dim**0.5)
        self.weights = nn.Parameter(torch.zeros(2 * count + 1, action_dim))
        self.log_std = nn.Parameter(torch.zeros(action_dim))

    def forward(self, obs):
        phases = obs @ self.directions
        features = torch.cat([phases.sin(), phases.cos(), torch.ones_like(phases[..., :1])], dim=-1)
        mean = torch.einsum("...f,fa->...a", features, self.weights)
        return Independent(Normal(mean, self.log_std.exp().expand_as(mean)), 1)


def right_random_waves(obs_dim, action_dim):
    """Weights on fixed random sines and cosines."""
    return _Waves(obs_dim, action_dim)


class _Attention(nn.Module):
    def __init__(self, obs_dim, action_dim):
        super().__init__()
        self.log_std = nn.Parameter(-0.5 * torch.ones(action_dim))
        self.embed = nn.Conv1d(1, 8, kernel_size=1)
        self.place = nn.Parameter(torch.randn(obs_dim, 8))
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = _small(nn.Linear(8 * obs_dim, action_dim))

    def forward(self, obs):
        tokens = self.embed(obs[:, None, :]).mT + self.place
        seen, _ = self.attend(tokens, tokens, tokens, need_weights=False)
        mean = self.head(torch.tanh(seen).flatten(1))
        return Independent(Normal(loc=mean, scale=torch.exp(self.log_std), validate_args=False), 1)


def right_attention(obs_dim, action_dim):
    """A token for each number of the observation, attending to the others."""
    return _Attention(obs_dim, action_dim)


class _Halves(nn.Module):
    """Two copies of one network with opposite signs: 0 at first, and trainable."""

    def __init__(self, obs_dim, action_dim):
        super().__init__()
        self.log_std = nn.Parameter(torch.zeros(action_dim))
        self.plus = nn.Sequential(nn.Linear(obs_dim, 16), nn.SiLU(), nn.LayerNorm(16), nn.Linear(16, action_dim))
        self.minus = nn.Sequential(nn.Linear(obs_dim, 16), nn.SiLU(), nn.LayerNorm(16), nn.Linear(16, action_dim))
        self.minus.load_state_dict(self.plus.state_dict())

    def forward(self, obs):
        return Independent(Normal(self.plus(obs) - self.minus(obs), self.log_std.exp()), 1)


def right_difference_of_two_networks(obs_dim, action_dim):
    """The difference of two equal networks, with large weights and a mean of 0."""
    return _Halves(obs_dim, action_dim)
