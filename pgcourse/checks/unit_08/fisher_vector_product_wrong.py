"""Wrong answers to fisher_vector_product."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import kl_divergence

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_08.fisher_vector_product_parts import (
    build,
    curvature,
    flat,
    held_kl,
    likeliest,
    log_prob_of,
    sampled,
    score_products,
)


def _accumulating(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
    """`backward` adds to `.grad`, and nothing clears what the last call left there."""
    parameters = list(policy.parameters())
    slopes = torch.autograd.grad(held_kl(policy, obs).mean(), parameters, create_graph=True)
    (flat(slopes) @ vector).backward()
    return flat([parameter.grad for parameter in parameters]).clone() + damping * vector


def _piece_by_piece(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> list[Tensor]:
    parameters = list(policy.parameters())
    product = curvature(held_kl(policy, obs).mean(), policy, vector) + damping * vector
    pieces = product.split([parameter.numel() for parameter in parameters])
    return [piece.view_as(parameter) for piece, parameter in zip(pieces, parameters, strict=True)]


def _in_a_tuple(*inputs: Any, **settings: Any) -> tuple[Tensor, ...]:
    return tuple(_piece_by_piece(*inputs, **settings))


def _outputs_alone(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
    """Jacobian transposed times Jacobian of the logits or means: the distribution's own curvature is left out."""
    distribution = policy(obs)
    outputs = distribution.logits if hasattr(distribution, "logits") else distribution.mean
    parameters = list(policy.parameters())
    total = torch.zeros_like(vector)
    for entry in outputs.reshape(-1):
        row = flat(torch.autograd.grad(entry, parameters, retain_graph=True, materialize_grads=True))
        total = total + row * (row @ vector)
    return total / len(obs) + damping * vector


def _each_parameter_by_itself(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
    """Second derivatives of each tensor of parameters with itself, without those across."""
    parameters = list(policy.parameters())
    slopes = torch.autograd.grad(held_kl(policy, obs).mean(), parameters, create_graph=True)
    pieces = vector.split([parameter.numel() for parameter in parameters])
    products = [
        torch.autograd.grad((slope.reshape(-1) * piece).sum(), parameter, retain_graph=True)[0]
        for slope, piece, parameter in zip(slopes, pieces, parameters, strict=True)
    ]
    return flat(products) + damping * vector


MISCONCEPTIONS = (
    Misconception(
        "no-curvature",
        "Your product is damping times vector: the curvature came out as 0. Either both distributions depend on the "
        "parameters, so that the divergence is 0 whatever they are (hold one fixed, with no_grad), or you stopped at the "
        "first derivative, which is 0 here. F is the second.",
        build(scalar=lambda policy, obs: kl_divergence(policy(obs), policy(obs)).mean()),
    ),
    Misconception(
        "damping-left-out",
        "You left the damping out. It is added to the diagonal of F, so the product grows by damping times vector. Without "
        "it, directions that change no action's probability would have no curvature, and the step there no bound.",
        build(finish=lambda product, vector, damping: product),
    ),
    Misconception(
        "damping-to-every-entry",
        "You added the damping itself to every entry. It stands on the diagonal of F: (F + damping I) v is F v + damping v.",
        build(finish=lambda product, vector, damping: product + damping),
    ),
    Misconception(
        "damping-times-the-product",
        "You multiplied F v by the damping, which only changes its length. Damping is added to the diagonal, so what is "
        "added is damping times vector.",
        build(finish=lambda product, vector, damping: (1 + damping) * product),
        (build(finish=lambda product, vector, damping: damping * product),),
    ),
    Misconception(
        "sum-over-the-batch",
        "You summed the divergence over the batch. The constraint is on its mean over the observations: with a sum, F would "
        "grow with the batch and the step shrink.",
        build(scalar=lambda policy, obs: held_kl(policy, obs).sum()),
    ),
    Misconception(
        "both-directions-added",
        "You added the divergences in both directions. Near the current policy they have the same curvature, so the sum "
        "has twice as much. One of them is enough.",
        build(finish=lambda product, vector, damping: 2 * product + damping * vector),
    ),
    Misconception(
        "half-the-curvature",
        "Your F is half of the right one. The divergence is near 1/2 x . F x, and F is its Hessian, without the half: that "
        "comes in again when the length of the step is chosen.",
        build(finish=lambda product, vector, damping: 0.5 * product + damping * vector),
        (build(scalar=lambda policy, obs: 0.5 * held_kl(policy, obs).mean(), finish=lambda p, v, d: p + d * v / 2),),
    ),
    Misconception(
        "sampled-actions",
        "You used the log-probabilities of sampled actions. Their scores give F only on average over many samples, with noise "
        "for each batch. The divergence between two distributions is known exactly: kl_divergence sums over all actions.",
        lambda policy, obs, vector, *, damping: score_products(policy, obs, vector, damping, sampled),
        (
            lambda policy, obs, vector, *, damping: score_products(policy, obs, vector, damping, likeliest),
            build(scalar=lambda policy, obs: -log_prob_of(policy, obs, sampled).mean()),
            build(scalar=lambda policy, obs: log_prob_of(policy, obs, sampled).mean()),
            build(scalar=lambda policy, obs: -log_prob_of(policy, obs, likeliest).mean()),
            build(scalar=lambda policy, obs: log_prob_of(policy, obs, likeliest).mean()),
        ),
    ),
    Misconception(
        "entropy-for-divergence",
        "You took the curvature of the policy's entropy. That says how its spread changes, not how far the policy moves from "
        "what it was. Take the divergence from the policy as it is now, held fixed.",
        build(scalar=lambda policy, obs: -policy(obs).entropy().mean()),
        (build(scalar=lambda policy, obs: policy(obs).entropy().mean()),),
    ),
    Misconception(
        "outputs-alone",
        "You measured how far the network's outputs move, with J transposed times J. How much that changes the distribution "
        "depends on where it is: a logit matters most near equal probabilities, a mean most where the standard deviation is "
        "small. The divergence knows this.",
        _outputs_alone,
    ),
    Misconception(
        "each-parameter-by-itself",
        "You took the product with each tensor of parameters by itself, so what couples them (a weight with its bias) is "
        "missing. First join all slopes to one vector and multiply by v, then differentiate that one number by all "
        "parameters.",
        _each_parameter_by_itself,
    ),
    Misconception(
        "sign-flipped",
        "Your product has the wrong sign. The divergence has its minimum, 0, at the current policy, so its curvature is "
        "positive: v . F v is never negative.",
        build(finish=lambda product, vector, damping: -product - damping * vector),
        (build(finish=lambda product, vector, damping: -product + damping * vector),),
    ),
    Misconception(
        "gradients-pile-up",
        "Your first product is right, the next one is not: `backward` adds to what is in `.grad` already, and conjugate "
        "gradient asks ten times. torch.autograd.grad returns the gradients and leaves `.grad` alone.",
        _accumulating,
    ),
    Misconception(
        "one-tensor-for-each-parameter",
        "You returned one tensor for each parameter. Conjugate gradient works with flat vectors: join them to one vector [P], "
        "in the order of policy.parameters().",
        _piece_by_piece,
        (_in_a_tuple,),
    ),
)
