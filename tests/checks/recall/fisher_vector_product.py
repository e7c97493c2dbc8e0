"""Answers to fisher_vector_product, written from the lesson and the stub alone."""

import torch
from torch.autograd import grad
from torch.distributions import Categorical, Independent, Normal, kl_divergence
from torch.func import functional_call, jvp
from torch.nn.utils import parameters_to_vector, vector_to_parameters


def _flat(parts):
    return torch.cat([part.reshape(-1) for part in parts])


def _full(parts, parameters):
    """Flat vector with zeros where autograd had nothing to say."""
    return _flat(torch.zeros_like(p) if part is None else part for part, p in zip(parts, parameters, strict=True))


def _split(vector, parameters):
    pieces = vector.split([p.numel() for p in parameters])
    return [piece.view_as(p) for piece, p in zip(pieces, parameters, strict=True)]


def wrong_both_follow_the_parameters(policy, obs, vector, *, damping):
    """Nothing is held fixed: the divergence is 0 everywhere, and the damping is all that is left."""
    parameters = list(policy.parameters())
    kl = kl_divergence(policy(obs), policy(obs)).mean()
    h = _full(grad(kl, parameters, create_graph=True, allow_unused=True), parameters)
    return _full(grad(h @ vector, parameters, allow_unused=True), parameters) + damping * vector


def wrong_damping_added_to_all(policy, obs, vector, *, damping):
    """Adds the number damping to each entry, instead of damping times the vector."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
    kl = kl_divergence(old, policy(obs)).mean()
    h = _flat(grad(kl, parameters, create_graph=True, materialize_grads=True))
    product = _flat(grad(h @ vector, parameters, materialize_grads=True))
    return product + damping


def wrong_sum_over_the_batch(policy, obs, vector, *, damping):
    """Sums the divergences of the rows."""
    with torch.no_grad():
        old = policy(obs)
    parameters = tuple(policy.parameters())
    first = grad(kl_divergence(old, policy(obs)).sum(), parameters, create_graph=True, materialize_grads=True)
    along = sum((f * v).sum() for f, v in zip(first, _split(vector, parameters), strict=True))
    return _flat(grad(along, parameters, materialize_grads=True)).detach() + damping * vector


def wrong_no_graph_of_the_gradient(policy, obs, vector, *, damping):
    """Keeps the graph, but does not record the first backward pass, so there is nothing to differentiate again."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
    kl = kl_divergence(old, policy(obs)).mean()
    h = _full(grad(kl, parameters, retain_graph=True, allow_unused=True), parameters)
    return _full(grad(h @ vector, parameters, allow_unused=True), parameters) + damping * vector


def wrong_scores_of_drawn_actions(policy, obs, vector, *, damping):
    """The empirical Fisher matrix: one action drawn a row, instead of the expectation over all."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        actions = policy(obs).sample()
    total = torch.zeros_like(vector)
    log_probs = policy(obs).log_prob(actions)
    for log_prob in log_probs:
        score = _full(grad(log_prob, parameters, retain_graph=True, allow_unused=True), parameters)
        total += score * (score @ vector)
    return total / len(obs) + damping * vector


def wrong_gradients_pile_up(policy, obs, vector, *, damping):
    """Two calls of backward, and the answer read from .grad, where everything before is still in it."""
    with torch.no_grad():
        old = policy(obs)
    parameters = list(policy.parameters())
    kl = kl_divergence(old, policy(obs)).mean()
    h = _full(grad(kl, parameters, create_graph=True, allow_unused=True), parameters)
    (h @ vector).backward()
    return _full([p.grad for p in parameters], parameters) + damping * vector


def wrong_mean_over_action_dimensions(policy, obs, vector, *, damping):
    """Averages the divergence over the components of an action as well, instead of summing them."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
    new = policy(obs)
    if isinstance(new, Independent):
        old, new = old.base_dist, new.base_dist
    h = _full(grad(kl_divergence(old, new).mean(), parameters, create_graph=True, allow_unused=True), parameters)
    return _full(grad(h @ vector, parameters, allow_unused=True), parameters).detach() + damping * vector


def wrong_categorical_only(policy, obs, vector, *, damping):
    """Writes the divergence down by hand, from probabilities that a Gaussian does not have."""
    parameters = list(policy.parameters())
    new = policy(obs)
    fixed = new.logits.detach()
    kl = (fixed.exp() * (fixed - new.logits)).sum(-1).mean()
    h = _full(grad(kl, parameters, create_graph=True, allow_unused=True), parameters)
    return _full(grad(h @ vector, parameters, allow_unused=True), parameters) + damping * vector


def wrong_order_of_names(policy, obs, vector, *, damping):
    """Goes through the parameters in alphabetical order, biases before weights."""
    named = dict(sorted(policy.named_parameters()))
    parameters = list(named.values())
    with torch.no_grad():
        old = policy(obs)
    kl = kl_divergence(old, policy(obs)).mean()
    h = _full(grad(kl, parameters, create_graph=True, allow_unused=True), parameters)
    return _full(grad((h * vector).sum(), parameters, allow_unused=True), parameters) + damping * vector


def wrong_std_held_fixed(policy, obs, vector, *, damping):
    """For a Gaussian only the means are allowed to move; what log std contributes is lost."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
    new = policy(obs)
    if hasattr(new, "base_dist"):
        new = Independent(Normal(new.base_dist.loc, old.base_dist.scale), 1)
    h = _full(grad(kl_divergence(old, new).mean(), parameters, create_graph=True, allow_unused=True), parameters)
    if not h.requires_grad:
        return damping * vector
    return _full(grad(h @ vector, parameters, allow_unused=True), parameters) + damping * vector


def wrong_moves_the_parameters(policy, obs, vector, *, damping):
    """Difference of two gradients, a small step apart; the policy stays at the second place."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
        start = parameters_to_vector(parameters).clone()

    def slope():
        return _full(grad(kl_divergence(old, policy(obs)).mean(), parameters, allow_unused=True), parameters)

    size = 1e-3
    before = slope()
    with torch.no_grad():
        vector_to_parameters(start + size * vector, parameters)
    return (slope() - before) / size + damping * vector


def wrong_large_finite_difference(policy, obs, vector, *, damping):
    """The slope after a step of 0.1 along the vector: F changes on the way (the weights are put back exactly)."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
        start = parameters_to_vector(parameters).clone()
        vector_to_parameters(start + 0.1 * vector, parameters)
    slope = _full(grad(kl_divergence(old, policy(obs)).mean(), parameters, allow_unused=True), parameters)
    with torch.no_grad():
        vector_to_parameters(start, parameters)
    return slope / 0.1 + damping * vector


def wrong_factor_two(policy, obs, vector, *, damping):
    """The divergence is one half of the quadratic form, so the derivative is taken twice as large."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
    kl = 2 * kl_divergence(old, policy(obs)).mean()
    h = _full(grad(kl, parameters, create_graph=True, allow_unused=True), parameters)
    return _full(grad(h @ vector, parameters, allow_unused=True), parameters).detach() + damping * vector


def wrong_damping_times_product(policy, obs, vector, *, damping):
    """Adds damping times F v instead of damping times v."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
    kl = kl_divergence(old, policy(obs)).mean()
    h = _full(grad(kl, parameters, create_graph=True, allow_unused=True), parameters)
    fv = _full(grad(h @ vector, parameters, allow_unused=True), parameters)
    return fv + damping * fv


def wrong_vector_scaled_in_place(policy, obs, vector, *, damping):
    """mul_ saves a copy, and leaves the caller's vector multiplied by the damping."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
    kl = kl_divergence(old, policy(obs)).mean()
    h = _full(grad(kl, parameters, create_graph=True, allow_unused=True), parameters)
    product = _full(grad((h * vector.clone()).sum(), parameters, allow_unused=True), parameters)
    return product + vector.mul_(damping)


def wrong_gradient_graph_cached(policy, obs, vector, *, damping):
    """Keeps the graph of the first gradient on the policy, because it is called many times; it goes stale."""
    parameters = list(policy.parameters())
    if not hasattr(policy, "_slope"):
        with torch.no_grad():
            old = policy(obs)
        kl = kl_divergence(old, policy(obs)).mean()
        policy._slope = _full(grad(kl, parameters, create_graph=True, allow_unused=True), parameters)
    product = grad(policy._slope @ vector, parameters, retain_graph=True, allow_unused=True)
    return _full(product, parameters) + damping * vector


def wrong_mean_score_squared(policy, obs, vector, *, damping):
    """The outer product of the mean score of the most probable actions: averages first, and squares afterwards."""
    parameters = list(policy.parameters())
    pi = policy(obs)
    mean_log_prob = pi.log_prob(pi.mode.detach()).mean()
    score = _full(grad(mean_log_prob, parameters, allow_unused=True), parameters)
    return score * torch.dot(score, vector) + damping * vector


def wrong_slope_of_the_divergence(policy, obs, vector, *, damping):
    """Multiplies the squared slope with the vector; the slope is 0 at the current policy."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
    kl = kl_divergence(old, policy(obs)).mean()
    slope = _full(grad(kl, parameters, allow_unused=True), parameters)
    return slope.square() * vector + damping * vector


def right_reverse_divergence(policy, obs, vector, *, damping):
    """The divergence the other way round: another function, with the same second derivative at this point."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
    kl = kl_divergence(policy(obs), old).mean()
    h = grad(kl, parameters, create_graph=True, materialize_grads=True)
    product = grad(_flat(h) @ vector, parameters, materialize_grads=True)
    return torch.add(_flat(product), vector, alpha=damping)


def right_grad_outputs(policy, obs, vector, *, damping):
    """The second backward pass gets the pieces of the vector as grad_outputs; no dot product is written down."""
    parameters = [*policy.parameters()]
    with torch.no_grad():
        old = policy(obs)
    first = grad(kl_divergence(old, policy(obs)).mean(), parameters, create_graph=True, materialize_grads=True)
    used = [(f, v) for f, v in zip(first, _split(vector, parameters), strict=True) if f.requires_grad]
    second = grad([f for f, _ in used], parameters, grad_outputs=[v for _, v in used], materialize_grads=True)
    return _flat(second) + damping * vector


def right_forward_over_reverse(policy, obs, vector, *, damping):
    """torch.func: the forward derivative of the gradient along the vector, on a functional copy of the weights."""
    weights = {name: p.detach() for name, p in policy.named_parameters()}
    pieces = _split(vector, list(weights.values()))
    with torch.no_grad():
        old = policy(obs)

    def divergence(current):
        return kl_divergence(old, functional_call(policy, current, (obs,))).mean()

    tangent = dict(zip(weights, pieces, strict=True))
    _, product = jvp(torch.func.grad(divergence), (weights,), (tangent,))
    return _flat(product.values()) + damping * vector


def right_vhp(policy, obs, vector, *, damping):
    """torch.autograd.functional.vhp of the divergence as a function of one flat vector."""
    names, parameters = zip(*policy.named_parameters(), strict=True)
    theta = parameters_to_vector(parameters).detach()
    with torch.no_grad():
        old = policy(obs)

    def divergence(flat):
        weights = dict(zip(names, _split(flat, parameters), strict=True))
        return kl_divergence(old, functional_call(policy, weights, (obs,))).mean()

    return torch.autograd.functional.vhp(divergence, theta, vector)[1] + damping * vector


def right_gauss_newton(policy, obs, vector, *, damping):
    """J^T H J v: the numbers that the network gives, and the known Fisher matrix of each distribution in them."""
    names, parameters = zip(*policy.named_parameters(), strict=True)
    weights = {name: p.detach() for name, p in zip(names, parameters, strict=True)}

    def numbers(current):
        pi = functional_call(policy, current, (obs,))
        if isinstance(pi, Categorical):
            return pi.logits, pi.logits.detach() * 0
        return pi.base_dist.loc, pi.base_dist.scale.expand_as(pi.base_dist.loc).log()

    tangent = dict(zip(names, _split(vector, parameters), strict=True))
    _, (first, second) = jvp(numbers, (weights,), (tangent,))
    with torch.no_grad():
        pi = policy(obs)
        if isinstance(pi, Categorical):
            first = pi.probs * (first - (pi.probs * first).sum(-1, keepdim=True))
        else:
            first, second = first / pi.base_dist.scale**2, 2 * second
    _, pull_back = torch.func.vjp(numbers, weights)
    (product,) = pull_back((first / len(obs), second / len(obs)))
    return _flat(product[name] for name in names) + damping * vector
