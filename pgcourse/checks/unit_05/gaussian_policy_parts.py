"""Gaussian policies in parts, for answers that change one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal


def independent(mean: Tensor, std: Tensor) -> Independent:
    """The right distribution; without validation, so that a wrong standard deviation gets that far."""
    return Independent(Normal(mean, std, validate_args=False), 1, validate_args=False)


class Policy(nn.Module):
    """Layers for the mean, a parameter log_std, and functions for whatever is made of them."""

    def __init__(
        self,
        layers: nn.Module,
        action_dim: int,
        *,
        initial: float = 0.0,
        spread: Callable[[Tensor], Tensor] = torch.exp,
        squash: Callable[[Tensor], Tensor] = lambda mean: mean,
        output: Callable[[Tensor, Tensor], Any] = independent,
    ) -> None:
        super().__init__()
        self.layers = layers
        self.log_std = nn.Parameter(torch.full((action_dim,), initial))
        self.spread, self.squash, self.output = spread, squash, output

    def forward(self, obs: Tensor) -> Any:
        return self.output(self.squash(self.layers(obs)), self.spread(self.log_std))


def make_layers(
    obs_dim: int, outputs: int, *, gain: float = 0.01, activation: type[nn.Module] = nn.Tanh
) -> nn.Sequential:
    """One hidden layer of 64; the last layer's default weights times `gain`, its bias zero."""
    last = nn.Linear(64, outputs)
    with torch.no_grad():
        last.weight.mul_(gain)
        last.bias.zero_()
    return nn.Sequential(nn.Linear(obs_dim, 64), activation(), last)


def policy_with(**parts: Any) -> Callable[[int, int], nn.Module]:
    """A factory of right policies with the given parts changed."""
    return lambda obs_dim, action_dim: Policy(make_layers(obs_dim, action_dim), action_dim, **parts)


class WithoutParameter(Policy):
    """The standard deviation from `make_std(observations)`; `log_std` is what `replacement` gives for [D] zeros."""

    def __init__(self, obs_dim: int, action_dim: int, replacement: Callable[[Tensor], Any] | None) -> None:
        super().__init__(make_layers(obs_dim, action_dim), action_dim)
        del self.log_std
        if replacement is not None:
            self.log_std = replacement(torch.zeros(action_dim))
        else:
            self.register_buffer("log_std", torch.zeros(action_dim))


class OtherName(nn.Module):
    """A learnable spread under another name, or a constant one."""

    def __init__(self, obs_dim: int, action_dim: int, spread: Tensor | nn.Parameter) -> None:
        super().__init__()
        self.layers, self.logstd = make_layers(obs_dim, action_dim), spread

    def forward(self, obs: Tensor) -> Independent:
        mean = self.layers(obs)
        return independent(mean, self.logstd.exp().expand_as(mean))


class StateDependent(nn.Module):
    """Mean and log_std both from the network."""

    def __init__(self, obs_dim: int, action_dim: int) -> None:
        super().__init__()
        self.mean = make_layers(obs_dim, action_dim)
        self.log_std = make_layers(obs_dim, action_dim)

    def forward(self, obs: Tensor) -> Independent:
        return independent(self.mean(obs), self.log_std(obs).exp())


class Hidden(Policy):
    """Layers in a plain list, which nn.Module does not look into."""

    def __init__(self, obs_dim: int, action_dim: int) -> None:
        super().__init__(nn.Identity(), action_dim)
        self.hidden = [make_layers(obs_dim, action_dim)]

    def forward(self, obs: Tensor) -> Independent:
        return independent(self.hidden[0](obs), self.log_std.exp())


def shared_log_std(shape: tuple[int, ...]) -> Callable[[int, int], nn.Module]:
    """A factory of policies whose log_std has this shape."""

    def build(obs_dim: int, action_dim: int) -> nn.Module:
        policy = Policy(make_layers(obs_dim, action_dim), action_dim)
        policy.log_std = nn.Parameter(torch.zeros(shape))
        return policy

    return build


def all_zero(obs_dim: int, action_dim: int) -> nn.Module:
    """A policy whose weights are all 0."""
    policy = Policy(make_layers(obs_dim, action_dim), action_dim)
    for parameter in policy.parameters():
        nn.init.zeros_(parameter)
    return policy
