"""The Fisher-vector product in exchangeable parts, from which its wrong answers are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, kl_divergence

Attempt = Callable[..., Any]


def flat(parts: Any) -> Tensor:
    """One vector [P] from a tensor for each parameter."""
    return torch.cat([part.reshape(-1) for part in parts])


def held_kl(policy: nn.Module, obs: Tensor) -> Tensor:
    """KL divergence [B] of the policy from itself, the first one held fixed."""
    with torch.no_grad():
        old = policy(obs)
    return kl_divergence(old, policy(obs))


def curvature(scalar: Tensor, policy: nn.Module, vector: Tensor) -> Tensor:
    """Hessian of a scalar with respect to the parameters, times the vector."""
    parameters = list(policy.parameters())
    slopes = torch.autograd.grad(scalar, parameters, create_graph=True, materialize_grads=True)
    along = flat(slopes) @ vector
    if not along.requires_grad:
        return torch.zeros_like(vector)
    return flat(torch.autograd.grad(along, parameters, materialize_grads=True))


def damped(product: Tensor, vector: Tensor, damping: float) -> Tensor:
    """Right: the damping belongs on the diagonal."""
    return product + damping * vector


def build(
    *,
    scalar: Callable[[nn.Module, Tensor], Tensor] = lambda policy, obs: held_kl(policy, obs).mean(),
    finish: Callable[[Tensor, Tensor, float], Any] = damped,
) -> Attempt:
    """The right function with another scalar to take the curvature of, or another use of the product."""

    def attempt(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Any:
        return finish(curvature(scalar(policy, obs), policy, vector), vector, damping)

    return attempt


def log_prob_of(policy: nn.Module, obs: Tensor, choose: Callable[[Distribution], Tensor]) -> Tensor:
    """Log-probabilities [B] of actions that are chosen from the policy's own distribution."""
    distribution = policy(obs)
    return distribution.log_prob(choose(distribution).detach())


def score_products(
    policy: nn.Module, obs: Tensor, vector: Tensor, damping: float, choose: Callable[[Distribution], Tensor]
) -> Tensor:
    """Mean over the rows of score (score . vector), the scores being of one chosen action a row."""
    parameters = list(policy.parameters())
    total = torch.zeros_like(vector)
    for log_prob in log_prob_of(policy, obs, choose):
        score = flat(torch.autograd.grad(log_prob, parameters, retain_graph=True, materialize_grads=True))
        total = total + score * (score @ vector)
    return total / len(obs) + damping * vector


def sampled(distribution: Distribution) -> Tensor:
    """One action a row, as the policy would act."""
    action: Tensor = distribution.sample()
    return action


def likeliest(distribution: Distribution) -> Tensor:
    """The action of the highest probability in each row."""
    action: Tensor = distribution.mode
    return action
