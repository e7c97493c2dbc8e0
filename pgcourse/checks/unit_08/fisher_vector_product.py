"""fisher_vector_product(policy, obs, vector, *, damping): the curvature of the KL divergence, times a vector."""

from collections.abc import Iterator

import torch
from torch.autograd import grad
from torch.distributions import Independent, Normal, kl_divergence
from torch.nn.utils import parameters_to_vector as flat

from pgcourse.checks.authoring import Case, Exercise, edits_of, generator, normal, rewritten
from pgcourse.checks.observe.natural_gradient import PolicyProduct
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


def written_out(policy, obs, vector, *, damping):  # type: ignore[no-untyped-def]
    """A right answer in a learner's words, from which the wrong ones are made."""
    parameters = list(policy.parameters())
    with torch.no_grad():
        old = policy(obs)
    new = policy(obs)
    kl = kl_divergence(old, new)  # [B]
    along = flat(grad(kl.mean(), parameters, create_graph=True, materialize_grads=True)) @ vector
    product = grad(along, parameters, materialize_grads=True)
    return flat(product) + damping * vector


def with_the_std_of(old, new):  # type: ignore[no-untyped-def]
    """The new distribution where it is not normal; else a normal one with the new means alone."""
    return Independent(Normal(new.mean, old.stddev), 1) if isinstance(new, Independent) else new


def by_scores(policy, obs, vector, *, damping):  # type: ignore[no-untyped-def]
    """Mean over the rows of score (score . vector), the scores being those of one action a row."""
    parameters = list(policy.parameters())
    new = policy(obs)
    log_probs = new.log_prob(new.sample())
    scores = [flat(grad(one, parameters, retain_graph=True, materialize_grads=True)) for one in log_probs]
    return sum(score * (score @ vector) for score in scores) / len(scores) + damping * vector


SLOPES = "along = flat(grad(kl.mean(), parameters, create_graph=True, materialize_grads=True)) @ vector"
SLOPES_IN_GRAD = """kl.mean().backward(create_graph=True)
    along = flat([parameter.grad for parameter in parameters]) @ vector"""
PRODUCT = "product = grad(along, parameters, materialize_grads=True)"
PRODUCT_IN_GRAD = "product = [parameter.grad for parameter in parameters]"
mistake = edits_of(written_out)

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
        mistake(
            "no-curvature",
            "Your product is damping times vector: the curvature came out as 0. Either both distributions depend on the "
            "parameters (hold one fixed, with no_grad), or you stopped at the first derivative, which is 0 here.",
            {"kl_divergence(old, new)": "kl_divergence(policy(obs), new)"},
        ),
        mistake(
            "damping-left-out",
            "You left the damping out. It is added to the diagonal of F, so the product grows by damping times vector. Without "
            "it, directions that change no action's probability would have no curvature, and the step there no bound.",
            {" + damping * vector": ""},
        ),
        mistake(
            "damping-in-the-wrong-place",
            "Your damping is in the wrong place, added to every entry or multiplied with F v. It stands on the diagonal of F: "
            "(F + damping I) v is F v + damping v.",
            {"damping * vector": "damping"},
            {"damping * vector": "damping * flat(product)"},
            {"flat(product) + damping * vector": "damping * flat(product)"},
        ),
        mistake(
            "sum-over-the-batch",
            "You summed the divergence over the batch. The constraint is on its mean: with a sum, F grows with the batch.",
            {"kl.mean()": "kl.sum()"},
        ),
        mistake(
            "mean-over-action-dimensions",
            "You averaged over the components of an action too. The divergence of a whole action is the sum over its "
            "components, which Independent(Normal, 1) takes by itself: one number a row, then the mean over the rows.",
            {"(old, new)": "(getattr(old, 'base_dist', old), getattr(new, 'base_dist', new))"},
        ),
        mistake(
            "another-multiple-of-the-curvature",
            "Your F is twice or half the right one. The divergence is near 1/2 x . F x, and F is its Hessian, without a 2 or a "
            "half: that comes in with the length of the step. The sum of the divergences of both directions has twice as much.",
            {"kl_div": "2 * kl_div"},
            {"kl_div": "0.5 * kl_div"},
        ),
        mistake(
            "one-action-a-row",
            "You used the log-probabilities of single actions, sampled or the likeliest. Their scores give F only on average "
            "over many samples. The divergence of two distributions is known exactly: kl_divergence sums over all actions.",
            by_scores,
            rewritten(by_scores, {"new.sample()": "new.mode"}),
            rewritten(by_scores, {"in log_probs": "in [log_probs.mean()]"}),
            rewritten(by_scores, {"new.sample()": "new.mode", "in log_probs": "in [log_probs.mean()]"}),
            {"kl_divergence(old, new)": "-new.log_prob(old.sample())"},
            {"kl_divergence(old, new)": "-new.log_prob(old.mode)"},
        ),
        mistake(
            "means-alone",
            "For a normal policy you held the standard deviation fixed. log_std is a parameter too: let it move as well.",
            {"kl_divergence(old, new)": "kl_divergence(old, with_the_std_of(old, new))"},
        ),
        mistake(
            "for-categorical-alone",
            "You took logits or probs, which a normal distribution does not have. Hand both distributions to kl_divergence.",
            {"kl_divergence(old, new)": "(old.logits.exp() * (old.logits - new.logits)).sum(-1)"},
            {"kl_divergence(old, new)": "(old.probs * (old.probs / new.probs).log()).sum(-1)"},
        ),
        mistake(
            "another-order-of-parameters",
            "Your parameters stand in another order than in policy.parameters(), sorted by name or reversed. vector is cut in "
            "that order, so each piece has to meet its own parameter.",
            {"list(policy.parameters())": "[parameter for _, parameter in sorted(policy.named_parameters())]"},
            {"list(policy.parameters())": "list(policy.parameters())[::-1]"},
        ),
        mistake(
            "gradients-pile-up",
            "Your first product is right, the next one is not: `backward` adds to what is in `.grad` already, and conjugate "
            "gradient asks ten times. torch.autograd.grad returns the gradients and leaves `.grad` alone.",
            {
                "product = grad(along, parameters, materialize_grads=True)": "along.backward()\n"
                "    product = [parameter.grad for parameter in parameters]"
            },
            {SLOPES: SLOPES_IN_GRAD, PRODUCT: f"along.backward(retain_graph=True)\n    {PRODUCT_IN_GRAD}"},
        ),
    ),
)
