"""Networks: a policy maps observations to a distribution over actions, a critic maps them to values."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal
from torch.distributions.utils import lazy_property

from .errors import InvalidInput
from .normalization import normalization

LOG_STD_RANGE = (
    -5.0,
    2.0,
)  # standard deviations from 0.007 to 7.4: outside, log-probabilities lose their meaning


class Categorical(torch.distributions.Categorical):
    """torch's Categorical over logits [B, A], with the same law and a cheaper sample.

    `log_prob` -> [B], `entropy` -> [B] in nats, `mode` -> [B] the most probable action.
    """

    def __init__(self, logits: Tensor) -> None:
        # As torch's, but logits are normalised when a probability is asked for: to act, only their differences count.
        # That is an eighth off a step of collecting experience on small networks, and not validating them a fifth.
        self._param = logits
        self._num_events = logits.shape[-1]
        Distribution.__init__(self, logits.shape[:-1], validate_args=False)

    @lazy_property
    def logits(self) -> Tensor:
        """Logarithms of the probabilities, [B, A]."""
        return self._param - self._param.logsumexp(dim=-1, keepdim=True)

    @property
    def scores(self) -> Tensor:
        """What the probabilities are the softmax of, [B, A]."""
        return self._param

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """One action each."""
        scores = self._param.expand(*sample_shape, *self._param.shape) if sample_shape else self._param
        return self.sample_by(torch.empty_like(scores).exponential_())

    def sample_by(self, noise: Tensor) -> Tensor:
        """The actions that follow from exponential noise [..., B, A], which is overwritten.

        Argmax of logits minus its logarithm (the Gumbel-max trick). torch's own `multinomial` gives the same law and takes
        about twice the time of sampling here.
        """
        return (self._param - noise.log_()).argmax(dim=-1)


class MLP(nn.Sequential):
    """Layers one after the other. Hooks of a single layer are passed over; those of the whole network are not."""

    def forward(self, input: Tensor) -> Tensor:
        # `layer.forward(x)` and not `layer(x)`: the way to the hooks is a twelfth of a step of collecting experience.
        for layer in self:
            input = layer.forward(input)
        return input


def mlp(sizes: Sequence[int], *, activation: type[nn.Module] = nn.Tanh, output_gain: float = 1.0) -> MLP:
    """Linear layers of these sizes with an activation between them; orthogonal weights, zero biases.

    Args: sizes: (inputs, hidden..., outputs). output_gain: scale of the last layer's weights; a small one makes a
    policy start near uniform. Source: Huang et al., "The 37 implementation details of PPO" (2022), detail 2.
    """
    layers: list[nn.Module] = []
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        last = index == len(sizes) - 2
        linear = nn.Linear(inputs, outputs)
        nn.init.orthogonal_(linear.weight, output_gain if last else 2**0.5)
        nn.init.zeros_(linear.bias)
        layers += [linear] if last else [linear, activation()]
    return MLP(*layers)


class CategoricalPolicy(nn.Module):
    """A policy over A discrete actions: observations [B, D] -> Categorical with logits [B, A]."""

    def __init__(
        self,
        obs_dim: int,
        num_actions: int,
        hidden_sizes: Sequence[int] = (64, 64),
        *,
        normalize_observations: bool = False,
    ) -> None:
        super().__init__()
        self.arguments = {
            "obs_dim": obs_dim,
            "num_actions": num_actions,
            "hidden_sizes": list(hidden_sizes),
            "normalize_observations": normalize_observations,
        }
        self.norm = normalization(obs_dim, normalize_observations)
        self.logits = mlp([obs_dim, *hidden_sizes, num_actions], output_gain=0.01)

    def forward(self, obs: Tensor) -> Distribution:
        return Categorical(self.logits(self.norm(obs)))


class GaussianPolicy(nn.Module):
    """A policy over A continuous actions: observations [B, D] -> independent normals with mean [B, A].

    The logarithm of the standard deviation is a parameter [A] that does not depend on the observation, clamped to
    `LOG_STD_RANGE`. Actions are not squashed: clipping is the environment's part.
    """

    def __init__(
        self,
        obs_dim: int,
        action_dim: int,
        hidden_sizes: Sequence[int] = (64, 64),
        *,
        normalize_observations: bool = False,
        initial_std: float = 1.0,
    ) -> None:
        super().__init__()
        self.arguments = {
            "obs_dim": obs_dim,
            "action_dim": action_dim,
            "hidden_sizes": list(hidden_sizes),
            "normalize_observations": normalize_observations,
            "initial_std": initial_std,
        }
        self.norm = normalization(obs_dim, normalize_observations)
        low, high = (math.exp(limit) for limit in LOG_STD_RANGE)
        if not low < initial_std < high:  # clamped, its gradient would be 0 for ever
            raise InvalidInput(
                f"initial_std={initial_std} is not allowed; use a number above {low:.3f} and below {high:.1f}"
            )
        self.mean = mlp([obs_dim, *hidden_sizes, action_dim], output_gain=0.01)
        self.log_std = nn.Parameter(torch.full((action_dim,), math.log(initial_std)))

    def forward(self, obs: Tensor) -> Distribution:
        std = self.log_std.clamp(*LOG_STD_RANGE).exp()
        return Independent(Normal(self.mean(self.norm(obs)), std, validate_args=False), 1, validate_args=False)


class ValueNetwork(nn.Module):
    """A critic: observations [B, D] -> values [B], in units of (discounted) reward."""

    def __init__(
        self, obs_dim: int, hidden_sizes: Sequence[int] = (64, 64), *, normalize_observations: bool = False
    ) -> None:
        super().__init__()
        self.arguments = {
            "obs_dim": obs_dim,
            "hidden_sizes": list(hidden_sizes),
            "normalize_observations": normalize_observations,
        }
        self.norm = normalization(obs_dim, normalize_observations)
        self.values = mlp([obs_dim, *hidden_sizes, 1])

    def forward(self, obs: Tensor) -> Tensor:
        return self.values(self.norm(obs)).squeeze(-1)


def make_policy(
    observation_space: spaces.Space[Any],
    action_space: spaces.Space[Any],
    hidden_sizes: Sequence[int] = (64, 64),
    *,
    normalize_observations: bool = False,
    initial_std: float = 1.0,
) -> nn.Module:
    """The policy that fits an environment's spaces: categorical for Discrete actions, Gaussian for a Box."""
    obs_dim = _dimension(observation_space)
    if isinstance(action_space, spaces.Discrete):
        num_actions = int(action_space.n)
        return CategoricalPolicy(obs_dim, num_actions, hidden_sizes, normalize_observations=normalize_observations)
    return GaussianPolicy(
        obs_dim,
        _dimension(action_space),
        hidden_sizes,
        normalize_observations=normalize_observations,
        initial_std=initial_std,
    )


def _dimension(space: spaces.Space[Any]) -> int:
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise InvalidInput(f"no network for the space {space}; use a flat Box of shape (D,)")
    return space.shape[0]


def make_critic(
    observation_space: spaces.Space[Any],
    hidden_sizes: Sequence[int] = (64, 64),
    *,
    normalize_observations: bool = False,
) -> ValueNetwork:
    """The critic that fits an environment's observations."""
    return ValueNetwork(_dimension(observation_space), hidden_sizes, normalize_observations=normalize_observations)


# Networks that a saved run can rebuild by name from their `arguments`.
NETWORKS: dict[str, type[nn.Module]] = {
    network.__name__: network for network in (CategoricalPolicy, GaussianPolicy, ValueNetwork)
}


def describe_network(network: nn.Module | None) -> dict[str, Any] | None:
    """Name and arguments from which `build_network` makes the same network; None for one that is not ours."""
    name = type(network).__name__
    ours = network is not None and NETWORKS.get(name) is type(network)
    return {"name": name, "arguments": network.arguments} if ours else None  # type: ignore[union-attr]


def build_network(description: dict[str, Any]) -> nn.Module:
    """The network of `describe_network`, with fresh weights. Raises: InvalidInput for an unknown name."""
    if description["name"] not in NETWORKS:
        raise InvalidInput(f"unknown network {description['name']!r}; known are {', '.join(NETWORKS)}")
    return NETWORKS[description["name"]](**description["arguments"])
