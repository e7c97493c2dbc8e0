"""Wrong answers to policy_network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Categorical

from pgcourse.checks.exercise import Misconception


class Wrapped(nn.Module):
    """Layers and a function from their output to whatever the forward pass gives."""

    def __init__(self, layers: nn.Module, output: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.layers, self.output = layers, output

    def forward(self, obs: Tensor) -> Any:
        return self.output(self.layers(obs))


def make_layers(
    obs_dim: int, outputs: int, *, gain: float = 0.01, activation: type[nn.Module] = nn.Tanh
) -> nn.Sequential:
    """One hidden layer of 64; the last layer's default weights times `gain`, its bias zero."""
    last = nn.Linear(64, outputs)
    with torch.no_grad():
        last.weight.mul_(gain)
        last.bias.zero_()
    return nn.Sequential(nn.Linear(obs_dim, 64), activation(), last)


def _logits(x: Tensor) -> Categorical:
    return Categorical(logits=x, validate_args=False)


class _Hidden(nn.Module):
    """Layers in a plain list, which nn.Module does not look into."""

    def __init__(self, obs_dim: int, num_actions: int) -> None:
        super().__init__()
        self.layers = [make_layers(obs_dim, num_actions)]

    def forward(self, obs: Tensor) -> Categorical:
        return _logits(self.layers[0](obs))


def _no_grad(obs_dim: int, num_actions: int) -> nn.Module:
    return Wrapped(make_layers(obs_dim, num_actions), lambda x: _logits(x.detach()))


def _frozen(obs_dim: int, num_actions: int) -> nn.Module:
    return _no_grad(obs_dim, num_actions).requires_grad_(False)


def _all_zero(obs_dim: int, num_actions: int) -> nn.Module:
    network = Wrapped(make_layers(obs_dim, num_actions), _logits)
    for parameter in network.parameters():
        nn.init.zeros_(parameter)
    return network


def _softmax_over_batch(obs_dim: int, num_actions: int) -> nn.Module:
    return Wrapped(make_layers(obs_dim, num_actions), lambda x: Categorical(probs=x.softmax(0), validate_args=False))


def _softmax_over_dim_one(obs_dim: int, num_actions: int) -> nn.Module:
    return Wrapped(make_layers(obs_dim, num_actions), lambda x: Categorical(probs=x.softmax(1)))


MISCONCEPTIONS = (
    Misconception(
        "no-distribution",
        "Your network returns a tensor. Then every caller has to know whether it holds logits or probabilities, "
        "and this is where bugs are born. A distribution says it by itself and brings sample, log_prob and "
        "entropy along.",
        lambda obs_dim, num_actions: make_layers(obs_dim, num_actions),
    ),
    Misconception(
        "confident-start",
        "Your network starts with opinions: with torch's default weights the logits differ by several tenths, so "
        "some actions are hardly tried in some states. Look at the size of the last layer's weights; hidden "
        "layers may stay as they are.",
        lambda obs_dim, num_actions: Wrapped(make_layers(obs_dim, num_actions, gain=8.0), _logits),
    ),
    Misconception(
        "squeezed-logits",
        "Something squeezes your logits into a narrow range: a softmax, sigmoid or other activation before "
        "Categorical, which then applies a softmax of its own. Such a policy can never become sure of an action. "
        "Logits are the last layer's output as it is.",
        lambda obs_dim, num_actions: Wrapped(make_layers(obs_dim, num_actions), lambda x: _logits(x.softmax(-1))),
        variants=(
            lambda obs_dim, num_actions: Wrapped(make_layers(obs_dim, num_actions), lambda x: _logits(x.sigmoid())),
            lambda obs_dim, num_actions: Wrapped(make_layers(obs_dim, num_actions), lambda x: _logits(x.tanh())),
        ),
    ),
    Misconception(
        "softmax-over-the-batch",
        "Your softmax runs over the batch. What the policy does in one state then depends on which other states "
        "happen to be in the batch, and a single observation gets a different policy. The actions are the last "
        "axis.",
        _softmax_over_batch,
    ),
    Misconception(
        "batches-only",
        "Your network needs a batch axis, for instance through dim=1 in a softmax. When an agent acts, there is "
        "often a single observation [D]. Count axes from the end: dim=-1 is right for both.",
        _softmax_over_dim_one,
    ),
    Misconception(
        "layers-not-registered",
        "Your layers are kept where nn.Module does not find them, for instance in a plain list. "
        "policy.parameters() is then empty and an optimizer trains nothing. Assign layers as attributes, or use "
        "nn.Sequential.",
        _Hidden,
    ),
    Misconception(
        "no-gradient",
        "Between the parameters and the distribution the path is cut: by detach, no_grad, numpy or "
        "requires_grad=False. Collecting experience may do without gradients; that is the caller's decision, not "
        "the network's.",
        _no_grad,
        variants=(_frozen,),
    ),
    Misconception(
        "blind-to-the-observation",
        "Your policy stays blind: at most a bias learns, the same for every observation. Either the observation "
        "plays no part in the forward pass, or all weights start at zero, where no gradient can tell one hidden "
        "unit from another. Only the last layer may be zero.",
        _all_zero,
    ),
    Misconception(
        "bernoulli",
        "A Bernoulli distribution knows two outcomes. For two actions it is the same thing seen differently, but "
        "num_actions may be larger, and its log_prob has one entry for each output.",
        lambda obs_dim, num_actions: Wrapped(make_layers(obs_dim, num_actions), lambda x: Bernoulli(logits=x)),
    ),
    Misconception(
        "wrong-number-of-outputs",
        "Your last layer does not have one output for each action. Follow the sizes from layer to layer: obs_dim "
        "goes in, num_actions comes out.",
        lambda obs_dim, num_actions: Wrapped(make_layers(obs_dim, 1), _logits),
        variants=(lambda obs_dim, num_actions: Wrapped(make_layers(obs_dim, num_actions + 1), _logits),),
    ),
)
