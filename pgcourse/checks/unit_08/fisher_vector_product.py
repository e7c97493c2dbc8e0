"""fisher_vector_product(policy, obs, vector, *, damping): the curvature of the KL divergence, times a vector."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal, kl_divergence

from pgcourse.checks.cases import generator, normal
from pgcourse.checks.exercise import Exercise, Misconception
from pgcourse.checks.observe.natural_gradient import PolicyProduct
from pgcourse.checks.observe.record import Case
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


def flat(parts: Any) -> Tensor:
    """One vector [P] from a tensor for each parameter."""
    return torch.cat([part.reshape(-1) for part in parts])


def slopes(scalar: Tensor, parameters: list[nn.Parameter], **settings: Any) -> Tensor:
    """The gradient of a scalar for all parameters, flat."""
    return flat(torch.autograd.grad(scalar, parameters, materialize_grads=True, **settings))


def held_kl(policy: nn.Module, obs: Tensor) -> Tensor:
    """KL divergence [B] of the policy from itself, the first one held fixed."""
    with torch.no_grad():
        old = policy(obs)
    return kl_divergence(old, policy(obs))


def ordered(policy: nn.Module) -> list[nn.Parameter]:
    """Right: the parameters in the order of `policy.parameters()`."""
    return list(policy.parameters())


def product_with(
    scalar: Callable[[nn.Module, Tensor], Tensor] = lambda policy, obs: held_kl(policy, obs).mean(),
    finish: Callable[[Tensor, Tensor, float], Any] = lambda product, vector, damping: product + damping * vector,
    order: Callable[[nn.Module], list[nn.Parameter]] = ordered,
) -> Callable[..., Any]:
    """The right function with another scalar to take the curvature of, or another use of the product."""

    def attempt(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Any:
        parameters = order(policy)
        along = slopes(scalar(policy, obs), parameters, create_graph=True) @ vector
        product = slopes(along, parameters) if along.requires_grad else torch.zeros_like(vector)
        return finish(product, vector, damping)

    return attempt


def log_prob(policy: nn.Module, obs: Tensor, likeliest: bool) -> Tensor:
    """Log-probabilities [B] of actions that the policy samples, or of those that are most probable."""
    distribution = policy(obs)
    with torch.no_grad():
        action = distribution.mode if likeliest else distribution.sample()
    chosen: Tensor = distribution.log_prob(action)
    return chosen


def score_products(likeliest: bool, averaged: bool = False) -> Callable[..., Tensor]:
    """Mean over the rows of score (score . vector), the scores being of one action a row; or of the mean score."""

    def attempt(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
        log_probs = log_prob(policy, obs, likeliest)
        each = [log_probs.mean()] if averaged else list(log_probs)
        scores = [slopes(one, ordered(policy), retain_graph=True) for one in each]
        return torch.stack([score * (score @ vector) for score in scores]).mean(0) + damping * vector

    return attempt


def outputs_alone(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
    """Jacobian transposed times Jacobian of the logits or means: the distribution's own curvature is left out."""
    distribution = policy(obs)
    outputs = distribution.logits if hasattr(distribution, "logits") else distribution.mean
    rows = [slopes(entry, ordered(policy), retain_graph=True) for entry in outputs.reshape(-1)]
    return sum((row * (row @ vector) for row in rows), 0 * vector) / len(obs) + damping * vector


def accumulating(policy: nn.Module, obs: Tensor, vector: Tensor, *, damping: float) -> Tensor:
    """`backward` adds to `.grad`, and nothing clears what the last call left there."""
    parameters = ordered(policy)
    (slopes(held_kl(policy, obs).mean(), parameters, create_graph=True) @ vector).backward()
    return flat([parameter.grad for parameter in parameters]).clone() + damping * vector


def independent_parts(policy: nn.Module, obs: Tensor) -> Tensor:
    """The divergence of each component of an action, [B, D]; [B] where there is only one."""
    with torch.no_grad():
        old = policy(obs)
    new = policy(obs)
    return kl_divergence(getattr(old, "base_dist", old), getattr(new, "base_dist", new))


def with_fixed_std(policy: nn.Module, obs: Tensor) -> Tensor:
    """The mean divergence from a policy whose means alone depend on the parameters."""
    with torch.no_grad():
        old = policy(obs)
    new: Distribution = policy(obs)
    if isinstance(old, Independent):
        new = Independent(Normal(new.mean, old.stddev), 1)
    return kl_divergence(old, new).mean()


def by_hand(policy: nn.Module, obs: Tensor, name: str = "logits") -> Tensor:
    """The mean divergence from the probabilities of actions, which a normal distribution does not have."""
    given = getattr(policy(obs), name)
    new = given.log_softmax(-1) if name == "logits" else given.log()
    return (new.detach().exp() * (new.detach() - new)).sum(-1).mean()


EXERCISE = Exercise.listed(
    "fisher_vector_product",
    cases=cases,
    observe=PolicyProduct(),
    show_case=_show,
    reference=fisher_vector_product,
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
    misconceptions=(
        Misconception(
            "no-curvature",
            "Your product is damping times vector: the curvature came out as 0. Either both distributions depend on the "
            "parameters, so that the divergence is 0 whatever they are (hold one fixed, with no_grad), or you stopped at the "
            "first derivative, which is 0 here. F is the second.",
            product_with(lambda policy, obs: kl_divergence(policy(obs), policy(obs)).mean()),
        ),
        Misconception(
            "damping-left-out",
            "You left the damping out. It is added to the diagonal of F, so the product grows by damping times vector. Without "
            "it, directions that change no action's probability would have no curvature, and the step there no bound.",
            product_with(finish=lambda product, vector, damping: product),
        ),
        Misconception(
            "damping-to-every-entry",
            "You added the damping itself to every entry. It stands on the diagonal of F: (F + damping I) v is F v + damping v.",
            product_with(finish=lambda product, vector, damping: product + damping),
        ),
        Misconception(
            "damping-times-the-product",
            "You multiplied F v by the damping, which only changes its length. Damping is added to the diagonal, so what is "
            "added is damping times vector.",
            product_with(finish=lambda product, vector, damping: (1 + damping) * product),
            (product_with(finish=lambda product, vector, damping: damping * product),),
        ),
        Misconception(
            "sum-over-the-batch",
            "You summed the divergence over the batch. The constraint is on its mean over the observations: with a sum, F "
            "would grow with the batch and the step shrink.",
            product_with(lambda policy, obs: held_kl(policy, obs).sum()),
        ),
        Misconception(
            "mean-over-action-dimensions",
            "You averaged over the components of an action too. The divergence of a whole action is the sum over its "
            "components, which Independent(Normal, 1) takes by itself: one number a row, then the mean over the rows.",
            product_with(lambda policy, obs: independent_parts(policy, obs).mean()),
        ),
        Misconception(
            "another-multiple-of-the-curvature",
            "Your F is twice or half the right one. The divergence is near 1/2 x . F x, and F is its Hessian, without a 2 or a "
            "half: that comes in again when the length of the step is chosen. The divergences of both directions have the same "
            "curvature here, so their sum has twice as much.",
            product_with(lambda policy, obs: 2 * held_kl(policy, obs).mean()),
            (product_with(lambda policy, obs: 0.5 * held_kl(policy, obs).mean()),),
        ),
        Misconception(
            "one-action-a-row",
            "You used the log-probabilities of single actions, sampled or the likeliest. Their scores give F only on average "
            "over many samples, with noise for each batch. The divergence between two distributions is known exactly: "
            "kl_divergence sums over all actions.",
            score_products(likeliest=False),
            (
                score_products(likeliest=True),
                score_products(likeliest=False, averaged=True),
                score_products(likeliest=True, averaged=True),
                *(
                    product_with(lambda policy, obs, sign=sign, best=best: sign * log_prob(policy, obs, best).mean())  # type: ignore[misc]
                    for sign in (-1, 1)
                    for best in (False, True)
                ),
            ),
        ),
        Misconception(
            "outputs-alone",
            "You measured how far the network's outputs move, with J transposed times J. How much that changes the "
            "distribution depends on where it is: a logit matters most near equal probabilities, a mean most where the "
            "standard deviation is small. The divergence knows this.",
            outputs_alone,
        ),
        Misconception(
            "means-alone",
            "For a normal policy you let the means move and held the standard deviation fixed. log_std is a parameter too: the "
            "divergence has to be a function of all of them.",
            product_with(with_fixed_std),
        ),
        Misconception(
            "for-categorical-alone",
            "You took logits or probs from the distribution, which a normal one does not have. kl_divergence knows the formula "
            "for each kind: hand it the two distributions.",
            product_with(by_hand),
            (product_with(lambda policy, obs: by_hand(policy, obs, "probs")),),
        ),
        Misconception(
            "another-order-of-parameters",
            "Your parameters stand in another order than in policy.parameters(), sorted by name or reversed. vector is cut in "
            "that order, so each piece has to meet its own parameter.",
            product_with(order=lambda policy: [value for _, value in sorted(policy.named_parameters())]),
            (product_with(order=lambda policy: ordered(policy)[::-1]),),
        ),
        Misconception(
            "gradients-pile-up",
            "Your first product is right, the next one is not: `backward` adds to what is in `.grad` already, and conjugate "
            "gradient asks ten times. torch.autograd.grad returns the gradients and leaves `.grad` alone.",
            accumulating,
        ),
    ),
)
