"""Policies for continuous actions that lesson 05 compares: state-dependent std, tanh-squashed, binned."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal
from torch.nn.functional import softplus

from ..networks import LOG_STD_RANGE, Categorical, mlp


def gaussian(mean: Tensor, log_std: Tensor) -> Independent:
    """Independent normals over A actions: mean [B, A], log_std [A] or [B, A], clamped as the package does."""
    std = log_std.clamp(*LOG_STD_RANGE).exp()
    return Independent(Normal(mean, std, validate_args=False), 1, validate_args=False)


class StateDependentGaussian(nn.Module):
    """A Gaussian policy whose standard deviation is an output of the network, one for each observation.

    The last layer has 2 A outputs: mean [B, A] and log_std [B, A]. At the start the mean is near 0, and std near
    `initial_std` through the bias.
    """

    def __init__(
        self, obs_dim: int, action_dim: int, hidden_sizes: Sequence[int] = (64, 64), *, initial_std: float = 1.0
    ) -> None:
        super().__init__()
        self.mean_and_log_std = mlp([obs_dim, *hidden_sizes, 2 * action_dim], output_gain=0.01)
        with torch.no_grad():
            list(self.parameters())[-1][action_dim:] = math.log(initial_std)  # the last layer's bias

    def forward(self, obs: Tensor) -> Distribution:
        return gaussian(*self.mean_and_log_std(obs).chunk(2, dim=-1))


class TanhNormal(Distribution):
    """The law of a = limit * tanh(u) with u normal: actions in [-limit, limit].

        log p(a) = sum over dimensions of  log N(u; mean, std) - log limit - log(1 - tanh(u)^2)

    `log_prob_of(u)` is exact. `log_prob(action)` has to find u first, so it takes |action| as 1 - 1e-6 of the limit at most.
    `mode` is limit * tanh(mean), the median of each dimension; the density's true mode has no closed form. `entropy`
    has none either: it is minus the log-probability of one fresh sample, right on average.
    Source: Haarnoja et al. (2018), appendix C.
    """

    def __init__(self, normal: Independent, limit: float) -> None:
        super().__init__(normal.batch_shape, normal.event_shape, validate_args=False)
        self.normal, self.limit = normal, limit

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self.limit * self.normal.sample(torch.Size(sample_shape)).tanh()

    def log_prob(self, action: Tensor) -> Tensor:
        # In float32 tanh(u) is 1 from u = 9 on, whose atanh would be infinite.
        return self.log_prob_of(torch.atanh((action / self.limit).clamp(-1 + 1e-6, 1 - 1e-6)))

    def log_prob_of(self, u: Tensor) -> Tensor:
        """Log-density [B] of limit * tanh(u), from u [B, A] itself."""
        log_slope = 2 * (math.log(2) - u - softplus(-2 * u))  # log(1 - tanh(u)^2), finite for every u
        return self.normal.log_prob(u) - (log_slope + math.log(self.limit)).sum(-1)

    def entropy(self) -> Tensor:
        return -self.log_prob_of(self.normal.rsample())

    @property
    def mode(self) -> Tensor:
        return self.limit * self.normal.mean.tanh()


class TanhGaussianPolicy(nn.Module):
    """A Gaussian policy squashed into the action bounds; its log_std is a parameter [A], as in `GaussianPolicy`."""

    def __init__(self, obs_dim: int, action_dim: int, hidden_sizes: Sequence[int] = (64, 64), *, limit: float) -> None:
        super().__init__()
        self.limit = limit
        self.mean = mlp([obs_dim, *hidden_sizes, action_dim], output_gain=0.01)
        self.log_std = nn.Parameter(torch.zeros(action_dim))

    def forward(self, obs: Tensor) -> Distribution:
        return TanhNormal(gaussian(self.mean(obs), self.log_std), self.limit)


class Bins(Distribution):
    """A Categorical over K evenly spaced levels of one action: logits [B, K] -> actions [B, 1] between -limit and limit.

    To the environment it looks like any continuous policy; to the loss like any discrete one.
    """

    def __init__(self, logits: Tensor, limit: float) -> None:
        self.levels = Categorical(logits)
        super().__init__(self.levels.batch_shape, torch.Size([1]), validate_args=False)
        self.limit, self.spacing = limit, 2 * limit / (logits.shape[-1] - 1)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        return self._action(self.levels.sample(sample_shape))

    def log_prob(self, action: Tensor) -> Tensor:
        return self.levels.log_prob(((action.squeeze(-1) + self.limit) / self.spacing).round().long())

    def entropy(self) -> Tensor:
        return self.levels.entropy()

    @property
    def mode(self) -> Tensor:
        return self._action(self.levels.mode)

    def _action(self, index: Tensor) -> Tensor:
        return (index * self.spacing - self.limit).unsqueeze(-1)


class BinnedPolicy(nn.Module):
    """A policy over one continuous action that chooses among K levels of it, `Bins`."""

    def __init__(self, obs_dim: int, num_bins: int, hidden_sizes: Sequence[int] = (64, 64), *, limit: float) -> None:
        super().__init__()
        self.limit = limit
        self.logits = mlp([obs_dim, *hidden_sizes, num_bins], output_gain=0.01)

    def forward(self, obs: Tensor) -> Distribution:
        return Bins(self.logits(obs), self.limit)
