"""Right answers to fisher_vector_product in other styles."""

import torch
from torch.distributions import kl_divergence
from torch.func import functional_call, grad, jvp
from torch.nn.utils import parameters_to_vector


def right_with_the_other_direction(policy, obs, vector, *, damping):
    # KL(pi || pi_old): at the current policy its curvature is the same.
    new = policy(obs)
    with torch.no_grad():
        fixed = policy(obs)
    parameters = tuple(policy.parameters())
    slopes = torch.autograd.grad(kl_divergence(new, fixed).mean(), parameters, create_graph=True)
    along = (parameters_to_vector(slopes) * vector).sum()
    return parameters_to_vector(torch.autograd.grad(along, parameters)) + damping * vector


def right_with_forward_over_reverse(policy, obs, vector, *, damping):
    parameters = {name: value.detach() for name, value in policy.named_parameters()}
    with torch.no_grad():
        old = policy(obs)

    def divergence(weights):
        return kl_divergence(old, functional_call(policy, weights, (obs,))).mean()

    pieces = zip(parameters.items(), vector.split([value.numel() for value in parameters.values()]), strict=True)
    tangent = {name: piece.view_as(value) for (name, value), piece in pieces}
    product = jvp(grad(divergence), (parameters,), (tangent,))[1]
    return torch.cat([part.reshape(-1) for part in product.values()]) + damping * vector


def right_with_backward(policy, obs, vector, *, damping):
    # `.grad` cleared before and read afterwards.
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
    slopes = torch.autograd.grad(kl_divergence(old, policy(obs)).mean(), parameters, create_graph=True)
    policy.zero_grad()
    torch.cat([slope.reshape(-1) for slope in slopes]).dot(vector).backward()
    return torch.cat([parameter.grad.reshape(-1) for parameter in parameters]) + damping * vector
