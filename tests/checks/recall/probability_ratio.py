"""Answers to probability_ratio, written from the lesson and the stub alone."""

import math

import torch


class _Ratio(torch.autograd.Function):
    @staticmethod
    def forward(ctx, log_prob, old_log_prob):
        ratio = torch.exp(log_prob - old_log_prob)
        ctx.save_for_backward(ratio)
        return ratio

    @staticmethod
    def backward(ctx, gradient):
        (ratio,) = ctx.saved_tensors
        return gradient * ratio, None


def wrong_divides_probabilities(log_prob, old_log_prob):
    """Goes back to probabilities and divides them: 0 / 0 at -200."""
    return log_prob.exp() / old_log_prob.detach().exp()


def wrong_epsilon_against_zero(log_prob, old_log_prob):
    """Divides probabilities and adds a small number below, so that it is finite."""
    now, then = torch.exp(log_prob), torch.exp(old_log_prob.detach())
    return now / (then + 1e-8)


def wrong_upside_down(log_prob, old_log_prob):
    """The old probability over the new one."""
    return (old_log_prob.detach() - log_prob).exp()


def wrong_log_ratio(log_prob, old_log_prob):
    """Forgets exp and returns the difference of the logarithms."""
    return log_prob - old_log_prob.detach()


def wrong_old_not_detached(log_prob, old_log_prob):
    """Lets the gradient flow into the data as well."""
    return torch.exp(log_prob - old_log_prob)


def wrong_no_gradient_at_all(log_prob, old_log_prob):
    """Takes the ratio for a measurement and computes it without gradients."""
    with torch.no_grad():
        return (log_prob - old_log_prob).exp()


def wrong_detached_the_new_one(log_prob, old_log_prob):
    """Detaches the policy as it is now instead of the one that acted."""
    return torch.exp(log_prob.detach() - old_log_prob)


def wrong_mean_ratio(log_prob, old_log_prob):
    """Averages over the batch."""
    return (log_prob - old_log_prob.detach()).exp().mean()


def wrong_of_the_whole_batch(log_prob, old_log_prob):
    """Adds the differences up first: the ratio of the probabilities of all actions together."""
    return (log_prob - old_log_prob.detach()).sum().exp()


def wrong_clamped_log_probs(log_prob, old_log_prob):
    """Keeps both logarithms above -20 so that nothing can underflow."""
    now = log_prob.clamp(min=-20.0)
    then = old_log_prob.detach().clamp(min=-20.0)
    return torch.exp(now - then)


def wrong_clamped_log_ratio(log_prob, old_log_prob):
    """Holds the difference within 3 of 0, as protection against large ratios."""
    difference = (log_prob - old_log_prob.detach()).clamp(-3.0, 3.0)
    return difference.exp()


def wrong_expm1(log_prob, old_log_prob):
    """Copies expm1 from the lesson's k3, which is the ratio minus 1."""
    return torch.expm1(log_prob - old_log_prob.detach())


def wrong_float32(log_prob, old_log_prob):
    """Casts to float32 on the way."""
    return torch.exp(log_prob.float() - old_log_prob.detach().float())


def wrong_divides_logarithms(log_prob, old_log_prob):
    """Divides the log-probabilities by each other."""
    return log_prob / old_log_prob.detach()


def wrong_self_normalised(log_prob, old_log_prob):
    """Divides by the mean ratio, so that the batch's importance weights have mean 1."""
    log_ratio = log_prob - old_log_prob.detach()
    return torch.softmax(log_ratio, dim=0) * log_ratio.numel()


def right_own_backward(log_prob, old_log_prob):
    """An autograd function with a backward written by hand, with None for the data."""
    return _Ratio.apply(log_prob, old_log_prob)


def right_probabilities_in_double(log_prob, old_log_prob):
    """Divides probabilities after all, in float64, where exp(-200) is far from underflow."""
    now, then = log_prob.to(torch.float64).exp(), old_log_prob.detach().to(torch.float64).exp()
    return (now / then).to(log_prob.dtype)


def right_powers_of_two(log_prob, old_log_prob):
    """Two to the power of the difference in bits."""
    bits = (log_prob - old_log_prob.data).double() / math.log(2)
    return torch.exp2(bits).to(log_prob.dtype)


def right_row_by_row(log_prob, old_log_prob):
    """A loop over rows, math.e to a power, and a stack."""
    old = old_log_prob.tolist()
    return torch.stack([torch.pow(math.e, (new.double() - o)) for new, o in zip(log_prob, old, strict=True)]).type_as(
        log_prob
    )
