"""fisher_vector_product(policy, obs, vector, *, damping): the curvature of the KL divergence, times a vector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import kl_divergence
from torch.func import functional_call, grad, jvp

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise
from pgcourse.checks.observe.natural_gradient import PolicyProduct
from pgcourse.checks.observe.record import Case
from pgcourse.checks.unit_08.fisher_vector_product_parts import flat, held_kl
from pgcourse.checks.unit_08.fisher_vector_product_wrong import MISCONCEPTIONS
from pgcourse.checks.wording import number, value
from pgcourse.natural_gradient import fisher_vector_product


def cases(seed: int) -> Iterator[Case]:
    """Inputs, smallest first."""
    two = {"weight": torch.zeros(2, 1), "bias": torch.zeros(2)}  # two equally likely actions
    vector = torch.tensor([0.0, 0.0, 1.0, -1.0])
    yield {**two, "obs": torch.zeros(1, 1), "vector": vector, "damping": 0.0}
    yield {**two, "obs": torch.tensor([[2.0], [0.0]]), "vector": torch.tensor([1.0, 0.0, 0.0, 0.0]), "damping": 0.1}
    source = generator(seed)
    yield {**_last_layer(source, 3, 2), "obs": normal(source, 4, 2), "vector": normal(source, 9), "damping": 0.1}
    gaussian = {**_last_layer(source, 2, 2), "log_std": torch.tensor([-0.7, 0.4])}
    yield {**gaussian, "obs": normal(source, 5, 2), "vector": normal(source, 8), "damping": 0.01}
    double = torch.float64
    hidden = {"hidden": normal(source, 2, 3, dtype=double), **_last_layer(source, 3, 2, dtype=double)}
    obs, vector = normal(source, 6, 3, dtype=double), normal(source, 15, dtype=double)
    yield {**hidden, "obs": obs, "vector": vector, "damping": 0.5}


def _last_layer(source: torch.Generator, outputs: int, inputs: int, dtype: torch.dtype = torch.float32) -> Case:
    return {"weight": normal(source, outputs, inputs, dtype=dtype), "bias": 0.5 * normal(source, outputs, dtype=dtype)}


def _show(case: Case) -> str:
    call = f"obs={value(case['obs'])}, vector={value(case['vector'])}, damping={number(case['damping'])}"
    outputs = f"weight {value(case['weight'])}, bias {value(case['bias'])}"
    if "log_std" in case:
        network = f"a normal policy with log_std {value(case['log_std'])}, linear means of {outputs} (in this order)"
    elif "hidden" in case:
        network = f"a layer of tanh with weight {value(case['hidden'])}, then linear logits of {outputs}"
    else:
        network = f"linear logits of {outputs}"
    return f"fisher_vector_product(policy, {call}), the policy being {network}"


def _the_other_way_round(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
    """KL(pi || pi_old): at the current policy its curvature is the same."""
    new = policy(obs)
    with torch.no_grad():
        fixed = policy(obs)
    parameters = tuple(policy.parameters())
    slopes = torch.autograd.grad(kl_divergence(new, fixed).mean(), parameters, create_graph=True)
    along = (torch.nn.utils.parameters_to_vector(slopes) * vector).sum()
    return torch.nn.utils.parameters_to_vector(torch.autograd.grad(along, parameters)) + damping * vector


def _forward_over_reverse(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
    parameters = {name: value.detach() for name, value in policy.named_parameters()}
    sizes = [value.numel() for value in parameters.values()]
    with torch.no_grad():
        old = policy(obs)

    def divergence(weights: dict[str, Tensor]) -> Tensor:
        return kl_divergence(old, functional_call(policy, weights, (obs,))).mean()

    pieces = zip(parameters.items(), vector.split(sizes), strict=True)
    tangent = {name: piece.view_as(value) for (name, value), piece in pieces}
    product = jvp(grad(divergence), (parameters,), (tangent,))[1]
    return flat(product.values()) + damping * vector


def _whole_matrix(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
    """The Hessian row by row; P double backward passes instead of one."""
    parameters = list(policy.parameters())
    slopes = flat(torch.autograd.grad(held_kl(policy, obs).mean(), parameters, create_graph=True))
    rows = [flat(torch.autograd.grad(s, parameters, retain_graph=True, materialize_grads=True)) for s in slopes]
    return (torch.stack(rows) + damping * torch.eye(len(rows), dtype=vector.dtype)) @ vector


def _with_backward(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
    """`.grad` cleared before and read afterwards."""
    parameters: list[Any] = list(policy.parameters())
    slopes = torch.autograd.grad(held_kl(policy, obs).mean(), parameters, create_graph=True)
    policy.zero_grad()
    flat(slopes).dot(vector).backward()
    return flat([parameter.grad for parameter in parameters]) + damping * vector


EXERCISE = Exercise(
    id="fisher_vector_product",
    unit="08",
    title="Fisher-vector product",
    points=4,
    minutes=25,
    difficulty=3,
    cases=cases,
    observe=PolicyProduct(),
    show_case=_show,
    reference=fisher_vector_product,
    alternatives=(_the_other_way_round, _forward_over_reverse, _whole_matrix, _with_backward),
    hints=(
        "F is the second derivative of the mean KL divergence between the policy as it is now, held fixed, and the policy "
        "as it could become. The derivative of (slope . v) is F v: you never need F itself.",
        "Ask the policy twice, once under torch.no_grad(). Take kl_divergence(old, new).mean(), its gradient with "
        "create_graph=True, join the parts to one vector, multiply by `vector` (a scalar), and take the gradient of that "
        "scalar. Join again, and add damping * vector.",
        "slopes = torch.autograd.grad(kl, parameters, create_graph=True); along = torch.cat([s.reshape(-1) for s in slopes]) "
        "@ vector; product = torch.autograd.grad(along, parameters); return torch.cat([p.reshape(-1) for p in product]) + "
        "damping * vector",
    ),
    misconceptions=MISCONCEPTIONS,
)
