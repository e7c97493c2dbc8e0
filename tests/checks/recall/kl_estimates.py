"""Answers to kl_estimates, written from the lesson and the stub alone."""

import torch


def wrong_k1_upside_down(log_prob, reference_log_prob):
    """Takes log q - log p for k1."""
    log_ratio = reference_log_prob.detach() - log_prob
    return {"k1": log_ratio, "k2": log_ratio.square() / 2, "k3": log_ratio.exp() - 1 - log_ratio}


def wrong_k3_of_the_other_ratio(log_prob, reference_log_prob):
    """Writes k3 with p/q in place of q/p."""
    difference = log_prob - reference_log_prob.detach()
    return {"k1": difference, "k2": difference**2 / 2, "k3": difference.exp() - 1 - difference}


def wrong_k3_sign_of_the_logarithm(log_prob, reference_log_prob):
    """Adds log(q/p) where it should be subtracted."""
    log_ratio = reference_log_prob.detach() - log_prob
    return {"k1": -log_ratio, "k2": log_ratio**2 / 2, "k3": log_ratio.exp() - 1 + log_ratio}


def wrong_k2_not_halved(log_prob, reference_log_prob):
    """Forgets the half."""
    difference = log_prob - reference_log_prob.detach()
    return {"k1": difference, "k2": difference.square(), "k3": (-difference).exp() - 1 + difference}


def wrong_k2_square_of_the_half(log_prob, reference_log_prob):
    """Halves first and squares then."""
    difference = log_prob - reference_log_prob.detach()
    return {"k1": difference, "k2": (0.5 * difference) ** 2, "k3": torch.expm1(-difference) + difference}


def wrong_k1_absolute(log_prob, reference_log_prob):
    """Makes k1 positive, as a distance has to be."""
    difference = log_prob - reference_log_prob.detach()
    return {"k1": difference.abs(), "k2": difference.square() / 2, "k3": torch.expm1(-difference) + difference}


def wrong_weighted_with_p(log_prob, reference_log_prob):
    """Multiplies by p, as in the sum over all tokens, although the tokens were drawn from p."""
    difference = log_prob - reference_log_prob.detach()
    p = log_prob.exp()
    return {"k1": p * difference, "k2": p * difference.square() / 2, "k3": p * (torch.expm1(-difference) + difference)}


def wrong_means(log_prob, reference_log_prob):
    """Averages over the tokens."""
    difference = log_prob - reference_log_prob.detach()
    k3 = (-difference).exp() - 1 + difference
    return {"k1": difference.mean(), "k2": (difference.square() / 2).mean(), "k3": k3.mean()}


def wrong_no_gradient(log_prob, reference_log_prob):
    """Measures without a gradient, as for a diagram."""
    with torch.no_grad():
        difference = log_prob - reference_log_prob
        return {"k1": difference, "k2": difference.square() / 2, "k3": (-difference).exp() - 1 + difference}


def wrong_reference_with_gradient(log_prob, reference_log_prob):
    """Lets the gradient into the reference."""
    difference = log_prob - reference_log_prob
    return {"k1": difference, "k2": difference.square() / 2, "k3": (-difference).exp() - 1 + difference}


def wrong_ratio_detached(log_prob, reference_log_prob):
    """Cuts the gradient at the ratio within k3."""
    difference = log_prob - reference_log_prob.detach()
    ratio = (-difference).exp().detach()
    return {"k1": difference, "k2": difference.square() / 2, "k3": ratio - 1 + difference}


def wrong_k3_with_the_gradient_of_k2(log_prob, reference_log_prob):
    """Gives k3 the value of k3 and the gradient of k2, which is the better one for a loss."""
    difference = log_prob - reference_log_prob.detach()
    k2 = difference.square() / 2
    k3 = torch.expm1(-difference) + difference
    return {"k1": difference, "k2": k2, "k3": k2 + (k3 - k2).detach()}


def wrong_k3_clamped(log_prob, reference_log_prob):
    """Cuts the logarithm at 20 and k3 at 10, against outliers."""
    difference = (log_prob - reference_log_prob.detach()).clamp(-20, 20)
    k3 = torch.clamp((-difference).exp() - 1 + difference, -10, 10)
    return {"k1": difference, "k2": difference.square() / 2, "k3": k3}


def wrong_difference_in_place(log_prob, reference_log_prob):
    """Takes detach for a copy, and subtracts within the reference."""
    log_ratio = reference_log_prob.detach()
    log_ratio -= log_prob
    return {"k1": -log_ratio, "k2": log_ratio**2 / 2, "k3": log_ratio.exp() - 1 - log_ratio}


def wrong_tuple(log_prob, reference_log_prob):
    """Returns a tuple of the three."""
    difference = log_prob - reference_log_prob.detach()
    return difference, difference.square() / 2, (-difference).exp() - 1 + difference


def wrong_quotient_of_probabilities(log_prob, reference_log_prob):
    """Divides probabilities, which are both 0 in float32 at -200."""
    ratio = reference_log_prob.detach().exp() / log_prob.exp()
    return {"k1": -ratio.log(), "k2": ratio.log() ** 2 / 2, "k3": ratio - 1 - ratio.log()}


def right_expm1(log_prob, reference_log_prob):
    """With expm1, which keeps its digits near 0."""
    log_ratio = reference_log_prob.data.sub(log_prob)
    return dict(k1=log_ratio.neg(), k2=0.5 * log_ratio.pow(2), k3=torch.expm1(log_ratio) - log_ratio)


def right_token_by_token(log_prob, reference_log_prob):
    """A loop over the tokens, reshaped at the end."""
    names = ("k1", "k2", "k3")
    estimates = {name: [] for name in names}
    for p, q in zip(log_prob.reshape(-1), reference_log_prob.reshape(-1).tolist(), strict=True):
        d = p - q
        for name, value in zip(names, (d, d * d / 2, torch.exp(-d) + d - 1), strict=True):
            estimates[name].append(value)
    return {name: torch.stack(values).reshape(log_prob.shape) for name, values in estimates.items()}


def right_k3_from_k1(log_prob, reference_log_prob):
    """k1 with a control variate of mean 0, in double precision."""
    k1 = log_prob.double() - reference_log_prob.detach().double()
    control = torch.exp(-k1) - 1
    return {
        "k3": (k1 + control).to(log_prob.dtype),
        "k2": (k1 * k1 / 2).to(log_prob.dtype),
        "k1": k1.to(log_prob.dtype),
    }


def right_stacked(log_prob, reference_log_prob):
    """All three in one tensor, taken apart again."""
    reference = reference_log_prob.clone().detach()
    d = log_prob - reference
    table = torch.stack([d, torch.square(d).mul(0.5), (reference - log_prob).exp().add(d).sub(1)])
    return {f"k{number}": row for number, row in enumerate(table, start=1)}
