"""Answers to approx_kl, written from the lesson and the stub alone."""

import math

import numpy as np
import torch


def wrong_k1(log_prob, old_log_prob):
    """The first estimator of the lesson, which may be negative."""
    with torch.no_grad():
        return (old_log_prob - log_prob).mean()


def wrong_k2(log_prob, old_log_prob):
    """Half the mean square of the log-ratio."""
    log_ratio = (log_prob - old_log_prob).detach()
    return 0.5 * log_ratio.square().mean()


def wrong_old_over_new(log_prob, old_log_prob):
    """Turns the ratio round."""
    x = (old_log_prob - log_prob).detach()
    return (torch.expm1(x) - x).mean()


def wrong_with_gradient(log_prob, old_log_prob):
    """The right number, with a graph behind it."""
    log_ratio = log_prob - old_log_prob
    return (log_ratio.expm1() - log_ratio).mean()


def wrong_sum(log_prob, old_log_prob):
    """Sums over the batch."""
    d = (log_prob - old_log_prob).detach()
    return (d.exp() - 1 - d).sum()


def wrong_ratio_without_minus_one(log_prob, old_log_prob):
    """Forgets the 1: r - log r is 1 for equal policies."""
    d = (log_prob - old_log_prob).detach()
    return (d.exp() - d).mean()


def wrong_sign(log_prob, old_log_prob):
    """Writes log r - (r - 1), as if it were an objective."""
    with torch.no_grad():
        d = log_prob - old_log_prob
        return (d - torch.expm1(d)).mean()


def wrong_k1_cut_at_zero(log_prob, old_log_prob):
    """Makes the first estimator non-negative with a maximum."""
    k1 = (old_log_prob - log_prob).detach().mean()
    return max(0.0, k1.item())


def wrong_absolute_log_ratio(log_prob, old_log_prob):
    """Makes the first estimator non-negative row by row, with abs."""
    return float((log_prob - old_log_prob).detach().abs().mean())


def wrong_in_bits(log_prob, old_log_prob):
    """Takes the logarithm to the base 2."""
    d = (log_prob - old_log_prob).detach()
    return (torch.expm1(d) - d / math.log(2)).mean().clamp(min=0.0)


def wrong_divides_probabilities(log_prob, old_log_prob):
    """Divides probabilities, which underflow at -200."""
    with torch.no_grad():
        ratio = log_prob.exp() / old_log_prob.exp()
        return ((ratio - 1) - ratio.log()).mean()


def wrong_log_of_the_exp(log_prob, old_log_prob):
    """Takes the logarithm of the ratio again, which is -inf where the ratio has underflowed."""
    ratio = torch.exp((log_prob - old_log_prob).detach())
    return torch.mean(ratio - 1 - torch.log(ratio))


def wrong_of_the_mean_ratio(log_prob, old_log_prob):
    """Averages the ratio first and puts the mean into the formula."""
    r = (log_prob - old_log_prob).detach().exp().mean()
    return (r - 1) - r.log()


def wrong_of_the_mean_log_ratio(log_prob, old_log_prob):
    """Averages the log-ratio first and puts the mean into the formula."""
    x = (log_prob.detach() - old_log_prob.detach()).double().mean().item()
    return math.expm1(x) - x


def wrong_other_direction(log_prob, old_log_prob):
    """Remembers KL(pi || pi_old), with importance weights: r log r - (r - 1)."""
    with torch.no_grad():
        x = log_prob - old_log_prob
        return (x.exp() * x - x.expm1()).mean()


def wrong_one_number_a_row(log_prob, old_log_prob):
    """Returns [B] without the mean."""
    x = (log_prob - old_log_prob).detach()
    return x.expm1() - x


def right_numpy_expm1(log_prob, old_log_prob):
    """Numpy with expm1 in double precision, as a Python float."""
    x = log_prob.detach().numpy().astype(np.float64) - old_log_prob.detach().numpy().astype(np.float64)
    return float(np.mean(np.expm1(x) - x))


def right_standard_library(log_prob, old_log_prob):
    """math.expm1 and fsum over lists."""
    gaps = [new - old for new, old in zip(log_prob.tolist(), old_log_prob.tolist(), strict=True)]
    return math.fsum(math.expm1(gap) - gap for gap in gaps) / len(gaps)


@torch.no_grad()
def right_means_of_both_parts(log_prob, old_log_prob):
    """The mean of r - 1 and k1 apart, under a decorator; rounding below 0 is cut off."""
    x = torch.sub(log_prob.double(), old_log_prob.double())
    return torch.relu(x.expm1().mean() + x.neg().mean())


def right_series_near_zero(log_prob, old_log_prob):
    """A Taylor series where the ratio is close to 1, the formula elsewhere."""
    x = log_prob.detach().double() - old_log_prob.detach().double()
    series = x**2 * (1 / 2 + x / 6 + x**2 / 24 + x**3 / 120)
    rows = torch.where(x.abs() < 1e-3, series, x.exp() - 1 - x)
    return rows.mean().to(log_prob.dtype)
