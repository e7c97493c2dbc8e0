"""Natural gradient for a trust region: conjugate gradient, Fisher-vector product, step length, line search.

P is the number of parameters; vectors are flat [P], in the order of `policy.parameters()`.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.distributions import kl_divergence


def conjugate_gradient(matvec: Callable[[Tensor], Tensor], b: Tensor, *, iterations: int, tolerance: float) -> Tensor:
    """Solve A x = b for a symmetric positive definite A that is known only through `matvec(v) = A v`.

    Args: b: [P]. Stops after `iterations`, or when the residual norm is at most tolerance * ||b||.
    Returns: x [P]; zeros for b = 0. Source: Hestenes and Stiefel (1952).
    """
    x = torch.zeros_like(b)
    residual = b.clone()
    search = b.clone()
    squared = residual @ residual
    target = tolerance**2 * squared
    for _ in range(iterations):
        if squared <= target:
            break
        product = matvec(search)
        step = squared / (search @ product)
        x = x + step * search
        residual = residual - step * product
        previous, squared = squared, residual @ residual
        search = residual + (squared / previous) * search
    return x


def fisher_vector_product(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
    """F v + damping * v, with F the Hessian of the mean KL(pi_old || pi) at pi = pi_old; F itself is never formed.

    Args: obs: [B, D]. vector: [P]. Returns: [P]. Source: Schulman et al. (2015), appendix C.
    """
    distribution = policy(obs)
    with torch.no_grad():
        old = policy(obs)
    kl = kl_divergence(old, distribution).mean()
    parameters = list(policy.parameters())
    gradient = flatten_gradients(torch.autograd.grad(kl, parameters, create_graph=True), parameters)
    product = torch.autograd.grad(gradient @ vector, parameters, materialize_grads=True)
    return flatten_gradients(product, parameters) + damping * vector


def step_scale(natural_gradient: Tensor, fvp: Tensor, *, max_kl: float) -> Tensor:
    """The length at which the quadratic model of the KL reaches max_kl: sqrt(2 max_kl / x^T F x); 0 where that is <= 0.

    Args: natural_gradient: x, [P]. fvp: its Fisher-vector product F x, [P]. Returns: scalar.
    """
    curvature = natural_gradient @ fvp
    return torch.where(curvature > 0, (2 * max_kl / curvature.clamp(min=1e-30)).sqrt(), 0.0)


def line_search(
    evaluate: Callable[[Tensor], tuple[float, float]],
    step: Tensor,
    *,
    max_kl: float,
    backtracks: int,
    shrink: float,
) -> Tensor:
    """The first of step, step * shrink, step * shrink^2, ... that improves the surrogate within the KL limit.

    Args: evaluate: step [P] -> (surrogate improvement, KL). backtracks: how many steps are tried at most.
    Returns: [P]; zeros where none qualifies.
    """
    for power in range(backtracks):
        candidate = step * shrink**power
        improvement, kl = evaluate(candidate)
        if improvement > 0 and kl <= max_kl:
            return candidate
    return torch.zeros_like(step)


def flatten_gradients(gradients: tuple[Tensor, ...], parameters: list[nn.Parameter]) -> Tensor:
    """Gradients of all parameters as one vector [P]."""
    return torch.cat([g.reshape(-1) for g, _ in zip(gradients, parameters, strict=True)])
