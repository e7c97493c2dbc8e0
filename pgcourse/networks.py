"""Networks: a policy maps observations to a distribution over actions, a critic maps them to values."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal
from torch.distributions.utils import lazy_property

from .config import Activation
from .errors import InvalidInput
from .normalization import normalization
from .spaces import MaskedBox, describe, flattened

LOG_STD_RANGE = (
    -5.0,
    2.0,
)  # standard deviations from 0.007 to 7.4: outside, log-probabilities lose their meaning
# The logit of an action that cannot be taken: its probability is exactly 0, and unlike minus infinity it leaves log-
# probabilities, entropy and their gradients finite.
IMPOSSIBLE = -1e8
ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}


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

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        """The same law for every element of a larger batch; also through `Independent`."""
        new = self._get_checked_instance(Categorical, _instance)
        new._param = self._param.expand(*batch_shape, self._num_events)
        new._num_events = self._num_events
        Distribution.__init__(new, torch.Size(batch_shape), validate_args=False)
        return new


def mlp(sizes: Sequence[int], *, activation: type[nn.Module] = nn.Tanh, output_gain: float = 1.0) -> nn.Sequential:
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
    return nn.Sequential(*layers)


class CategoricalPolicy(nn.Module):
    """A policy over A discrete actions: observations [B, D] -> Categorical with logits [B, A]."""

    def __init__(
        self,
        obs_dim: int,
        num_actions: int,
        hidden_sizes: Sequence[int] = (64, 64),
        *,
        normalize_observations: bool = False,
        activation: Activation = "tanh",
    ) -> None:
        super().__init__()
        self.arguments = {
            "obs_dim": obs_dim,
            "num_actions": num_actions,
            "hidden_sizes": list(hidden_sizes),
            "normalize_observations": normalize_observations,
            "activation": activation,
        }
        self.norm = normalization(obs_dim, normalize_observations)
        self.logits = mlp([obs_dim, *hidden_sizes, num_actions], activation=ACTIVATIONS[activation], output_gain=0.01)

    def forward(self, obs: Tensor) -> Distribution:
        return Categorical(self.logits(self.norm(obs)))


class MaskedPolicy(CategoricalPolicy):
    """A policy over A discrete actions of which the observation says which are allowed; the others are never taken.

    The A elements of the observation [B, D] from `mask_start` on are the mask: 1 where the action is allowed, 0 where it
    is not. The network sees them too. The distribution is that of the allowed actions alone, with renormalised
    probabilities; a row that allows nothing is uniform. Source: Huang and Ontañón, "A closer look at invalid action
    masking in policy gradient algorithms" (2022).
    """

    def __init__(
        self,
        obs_dim: int,
        num_actions: int,
        hidden_sizes: Sequence[int] = (64, 64),
        *,
        mask_start: int = 0,
        normalize_observations: bool = False,
        activation: Activation = "tanh",
    ) -> None:
        super().__init__(
            obs_dim, num_actions, hidden_sizes, normalize_observations=normalize_observations, activation=activation
        )
        self.arguments["mask_start"] = mask_start
        self.mask = slice(mask_start, mask_start + num_actions)

    def forward(self, obs: Tensor) -> Distribution:
        allowed = obs[..., self.mask] > 0.5  # [B, A]
        return Categorical(self.logits(self.norm(obs)).masked_fill(~allowed, IMPOSSIBLE))


class MultiCategoricalPolicy(nn.Module):
    """A policy over K discrete actions at a time: observations [B, D] -> independent categoricals, actions [B, K].

    Args: nvec: how many choices each of the K actions has, as in `gymnasium.spaces.MultiDiscrete`.
    """

    choices: Tensor
    missing: Tensor

    def __init__(
        self,
        obs_dim: int,
        nvec: Sequence[int],
        hidden_sizes: Sequence[int] = (64, 64),
        *,
        normalize_observations: bool = False,
        activation: Activation = "tanh",
    ) -> None:
        super().__init__()
        self.arguments = {
            "obs_dim": obs_dim,
            "nvec": list(nvec),
            "hidden_sizes": list(hidden_sizes),
            "normalize_observations": normalize_observations,
            "activation": activation,
        }
        self.norm = normalization(obs_dim, normalize_observations)
        self.logits = mlp([obs_dim, *hidden_sizes, sum(nvec)], activation=ACTIVATIONS[activation], output_gain=0.01)
        # One row of logits for each action, all as long as the longest: a choice that is missing is an impossible one.
        sizes, column = torch.tensor(nvec), torch.arange(max(nvec))
        missing = column >= sizes[:, None]  # [K, longest]
        choices = (sizes.cumsum(0) - sizes)[:, None] + column  # [K, longest], indices into the network's outputs
        self.register_buffer("missing", missing, persistent=False)
        self.register_buffer("choices", choices.masked_fill(missing, 0), persistent=False)

    def forward(self, obs: Tensor) -> Distribution:
        logits = self.logits(self.norm(obs))[..., self.choices].masked_fill(self.missing, IMPOSSIBLE)
        return Independent(Categorical(logits), 1, validate_args=False)


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
        activation: Activation = "tanh",
    ) -> None:
        super().__init__()
        self.arguments = {
            "obs_dim": obs_dim,
            "action_dim": action_dim,
            "hidden_sizes": list(hidden_sizes),
            "normalize_observations": normalize_observations,
            "initial_std": initial_std,
            "activation": activation,
        }
        self.norm = normalization(obs_dim, normalize_observations)
        low, high = (math.exp(limit) for limit in LOG_STD_RANGE)
        if not low < initial_std < high:  # clamped, its gradient would be 0 for ever
            raise InvalidInput(
                f"initial_std={initial_std} is not allowed; use a number above {low:.3f} and below {high:.1f}"
            )
        self.mean = mlp([obs_dim, *hidden_sizes, action_dim], activation=ACTIVATIONS[activation], output_gain=0.01)
        self.log_std = nn.Parameter(torch.full((action_dim,), math.log(initial_std)))

    def forward(self, obs: Tensor) -> Distribution:
        std = self.log_std.clamp(*LOG_STD_RANGE).exp()
        return Independent(Normal(self.mean(self.norm(obs)), std, validate_args=False), 1, validate_args=False)


class ValueNetwork(nn.Module):
    """A critic: observations [B, D] -> values [B], in units of (discounted) reward."""

    def __init__(
        self,
        obs_dim: int,
        hidden_sizes: Sequence[int] = (64, 64),
        *,
        normalize_observations: bool = False,
        activation: Activation = "tanh",
    ) -> None:
        super().__init__()
        self.arguments = {
            "obs_dim": obs_dim,
            "hidden_sizes": list(hidden_sizes),
            "normalize_observations": normalize_observations,
            "activation": activation,
        }
        self.norm = normalization(obs_dim, normalize_observations)
        self.values = mlp([obs_dim, *hidden_sizes, 1], activation=ACTIVATIONS[activation])

    def forward(self, obs: Tensor) -> Tensor:
        return self.values(self.norm(obs)).squeeze(-1)


class Convolutions(nn.Module):
    """Features of images: [B, H, W, C] or [B, H, W] -> [B, size], by 3 x 3 convolutions of stride 2 with ReLU.

    Args: obs_shape: (H, W, C) or (H, W). channels: of each layer; every one halves height and width, rounded up.
    obs_scale: observations are divided by it; 255 for pixels, which arrive as floats from 0 to 255.
    """

    def __init__(self, obs_shape: Sequence[int], channels: Sequence[int], obs_scale: float) -> None:
        super().__init__()
        if len(obs_shape) not in (2, 3):
            raise InvalidInput(f"obs_shape={tuple(obs_shape)} is no image; use (height, width, channels)")
        self.obs_shape, self.obs_scale = tuple(obs_shape), obs_scale
        height, width, depth = (*obs_shape, 1)[:3]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([depth, *channels]):
            convolution = nn.Conv2d(inputs, outputs, kernel_size=3, stride=2, padding=1)
            nn.init.orthogonal_(convolution.weight, 2**0.5)
            assert convolution.bias is not None
            nn.init.zeros_(convolution.bias)
            layers += [convolution, nn.ReLU()]
            height, width, depth = (height + 1) // 2, (width + 1) // 2, outputs
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.size = height * width * depth

    def forward(self, obs: Tensor) -> Tensor:
        leading = obs.shape[: obs.dim() - len(self.obs_shape)]
        if obs.shape[len(leading) :] != self.obs_shape:
            raise InvalidInput(
                f"the network takes images of shape {self.obs_shape}, the observations are {tuple(obs.shape[1:])}; give "
                "the environment that it was made for"
            )
        height, width, depth = (*self.obs_shape, 1)[:3]
        images = obs.reshape(-1, height, width, depth).movedim(-1, 1) / self.obs_scale  # [B, C, H, W], as torch has it
        return self.layers(images).view(*leading, self.size)


class ConvolutionalPolicy(CategoricalPolicy):
    """A policy over A discrete actions that sees images: [B, H, W, C] -> Categorical with logits [B, A].

    `ConvolutionalPolicy((10, 10, 1), 3)` is for `Catch-v0`; for the arguments see `Convolutions`.
    """

    def __init__(
        self,
        obs_shape: Sequence[int],
        num_actions: int,
        hidden_sizes: Sequence[int] = (64,),
        *,
        channels: Sequence[int] = (16, 32),
        obs_scale: float = 1.0,
        activation: Activation = "relu",
    ) -> None:
        convolutions = Convolutions(obs_shape, channels, obs_scale)
        super().__init__(convolutions.size, num_actions, hidden_sizes, activation=activation)
        self.convolutions = convolutions
        self.arguments = {
            "obs_shape": list(obs_shape),
            "num_actions": num_actions,
            "hidden_sizes": list(hidden_sizes),
            "channels": list(channels),
            "obs_scale": obs_scale,
            "activation": activation,
        }

    def forward(self, obs: Tensor) -> Distribution:
        return super().forward(self.convolutions(obs))


class ConvolutionalCritic(ValueNetwork):
    """A critic that sees images: [B, H, W, C] -> values [B]; for the arguments see `Convolutions`."""

    def __init__(
        self,
        obs_shape: Sequence[int],
        hidden_sizes: Sequence[int] = (64,),
        *,
        channels: Sequence[int] = (16, 32),
        obs_scale: float = 1.0,
        activation: Activation = "relu",
    ) -> None:
        convolutions = Convolutions(obs_shape, channels, obs_scale)
        super().__init__(convolutions.size, hidden_sizes, activation=activation)
        self.convolutions = convolutions
        self.arguments = {
            "obs_shape": list(obs_shape),
            "hidden_sizes": list(hidden_sizes),
            "channels": list(channels),
            "obs_scale": obs_scale,
            "activation": activation,
        }

    def forward(self, obs: Tensor) -> Tensor:
        return super().forward(self.convolutions(obs))


def make_policy(
    observation_space: spaces.Space[Any],
    action_space: spaces.Space[Any],
    hidden_sizes: Sequence[int] = (64, 64),
    *,
    normalize_observations: bool = False,
    initial_std: float = 1.0,
    activation: Activation = "tanh",
) -> nn.Module:
    """The policy that fits an environment's spaces, for flat observations.

    Categorical for Discrete actions, masked where the observations are a Dict with an "action_mask"; one categorical for
    each action of MultiDiscrete and MultiBinary; Gaussian for a Box. Raises: InvalidInput for images and other spaces.
    """
    obs_dim = _obs_dim(observation_space)
    options: dict[str, Any] = {"normalize_observations": normalize_observations, "activation": activation}
    if isinstance(action_space, spaces.Discrete):
        num_actions, masked = int(action_space.n), flattened(observation_space)
        if not isinstance(masked, MaskedBox):
            return CategoricalPolicy(obs_dim, num_actions, hidden_sizes, **options)
        if masked.mask_size != num_actions:
            raise InvalidInput(
                f"the observation's action_mask has {masked.mask_size} elements for {num_actions} actions; make its space "
                f"MultiBinary({num_actions})"
            )
        return MaskedPolicy(obs_dim, num_actions, hidden_sizes, mask_start=masked.mask_start, **options)
    if isinstance(action_space, spaces.MultiDiscrete) and len(action_space.shape) == 1:
        return MultiCategoricalPolicy(obs_dim, action_space.nvec.tolist(), hidden_sizes, **options)
    if isinstance(action_space, spaces.MultiBinary) and len(action_space.shape) == 1:
        return MultiCategoricalPolicy(obs_dim, [2] * action_space.shape[0], hidden_sizes, **options)
    if not isinstance(action_space, spaces.Box) or len(action_space.shape) != 1:
        raise InvalidInput(
            f"no policy for actions of {describe(action_space)}; use Discrete, or a Box, MultiDiscrete or MultiBinary of "
            "shape (A,)"
        )
    return GaussianPolicy(obs_dim, action_space.shape[0], hidden_sizes, initial_std=initial_std, **options)


def make_critic(
    observation_space: spaces.Space[Any],
    hidden_sizes: Sequence[int] = (64, 64),
    *,
    normalize_observations: bool = False,
    activation: Activation = "tanh",
) -> ValueNetwork:
    """The critic that fits an environment's observations, where these are flat."""
    return ValueNetwork(
        _obs_dim(observation_space),
        hidden_sizes,
        normalize_observations=normalize_observations,
        activation=activation,
    )


def share_trunk(policy: nn.Module, critic: nn.Module) -> None:
    """Let the critic use the policy's layers in place of its own, up to the last one: a trunk with two heads.

    Args: policy, critic: networks of this file, with the same `hidden_sizes` (and `channels`).
    """
    layers: Any = policy.mean if isinstance(policy, GaussianPolicy) else policy.logits
    own: Any = critic.values
    for index in range(len(layers) - 1):
        own[index] = layers[index]
    for part in ("norm", "convolutions"):
        if hasattr(policy, part):
            setattr(critic, part, getattr(policy, part))


def _obs_dim(space: spaces.Space[Any]) -> int:
    flat = flattened(space)
    if isinstance(flat, spaces.Box) and len(flat.shape) == 1:
        return flat.shape[0]
    if isinstance(flat, spaces.Box):
        raise InvalidInput(
            f"observations are an image ({describe(flat)}), which needs networks of your own: give train policy= and "
            f"critic=, such as ConvolutionalPolicy({flat.shape}, num_actions) and ConvolutionalCritic({flat.shape}) of "
            "pgcourse.networks, or wrap the environment with gymnasium.wrappers.FlattenObservation"
        )
    raise InvalidInput(
        f"no network for observations of {describe(space)}; use a space that Gymnasium flattens to a Box"
    )


# Networks that a saved run can rebuild by name from their `arguments`.
NETWORKS: dict[str, type[nn.Module]] = {
    network.__name__: network
    for network in (
        CategoricalPolicy,
        MaskedPolicy,
        MultiCategoricalPolicy,
        GaussianPolicy,
        ValueNetwork,
        ConvolutionalPolicy,
        ConvolutionalCritic,
    )
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
