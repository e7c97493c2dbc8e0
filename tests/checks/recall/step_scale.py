"""Answers to step_scale, written from the lesson and the stub alone."""

import math

import numpy as np
import torch


def wrong_root_forgotten(natural_gradient, fisher_times_it, *, max_kl):
    """Solves for s squared and returns it."""
    curvature = torch.dot(natural_gradient, fisher_times_it)
    return 2 * max_kl / curvature if curvature > 0 else torch.zeros_like(curvature)


def wrong_two_forgotten(natural_gradient, fisher_times_it, *, max_kl):
    """Forgets the one half in front of the quadratic."""
    curvature = float(natural_gradient @ fisher_times_it)
    if curvature <= 0:
        return 0.0
    return math.sqrt(max_kl / curvature)


def wrong_upside_down(natural_gradient, fisher_times_it, *, max_kl):
    """The fraction upside down: the multiplier lambda instead of 1 / lambda."""
    xfx = (natural_gradient * fisher_times_it).sum()
    return torch.sqrt(xfx.clamp(min=0) / (2 * max_kl))


def wrong_guard_for_zero_only(natural_gradient, fisher_times_it, *, max_kl):
    """Asks for a division by zero only, so a negative product gives NaN."""
    xfx = natural_gradient.dot(fisher_times_it)
    if xfx == 0:
        return 0.0
    return (2 * max_kl / xfx).sqrt()


def wrong_nan_to_num(natural_gradient, fisher_times_it, *, max_kl):
    """nan_to_num makes 0 of the NaN of a negative product, and a huge number of the division by 0."""
    return torch.nan_to_num(torch.sqrt(2 * max_kl / (natural_gradient @ fisher_times_it)))


def wrong_absolute_value(natural_gradient, fisher_times_it, *, max_kl):
    """F is positive definite, so a minus can only be a slip: abs."""
    xfx = abs(np.dot(natural_gradient.numpy(), fisher_times_it.numpy()))
    return 0.0 if xfx == 0 else float(np.sqrt(2 * max_kl / xfx))


def wrong_length_of_x(natural_gradient, fisher_times_it, *, max_kl):
    """Measures the step by x . x, the distance of weights."""
    if torch.dot(natural_gradient, fisher_times_it) <= 0:
        return torch.tensor(0.0)
    return torch.sqrt(2 * max_kl / natural_gradient.square().sum())


def wrong_clamped_denominator(natural_gradient, fisher_times_it, *, max_kl):
    """Keeps the denominator away from 0 with a clamp, which makes a very long step of nothing to gain."""
    return (2 * max_kl / (natural_gradient * fisher_times_it).sum().clamp(min=1e-8)).sqrt()


def wrong_epsilon_added(natural_gradient, fisher_times_it, *, max_kl):
    """Adds 1e-8 to the product although 0 has been asked for: small products give too short a step."""
    xfx = sum(a * b for a, b in zip(natural_gradient.tolist(), fisher_times_it.tolist(), strict=True))
    return math.sqrt(2 * max_kl / (xfx + 1e-8)) if xfx > 0 else 0.0


def wrong_returns_the_step(natural_gradient, fisher_times_it, *, max_kl):
    """Returns the whole step s x instead of its scale."""
    xfx = natural_gradient @ fisher_times_it
    if xfx <= 0:
        return torch.zeros_like(natural_gradient)
    return torch.sqrt(2 * max_kl / xfx) * natural_gradient


def wrong_one_where_nothing_to_gain(natural_gradient, fisher_times_it, *, max_kl):
    """Leaves the direction as it is, scale 1, where the formula has no answer."""
    xfx = (natural_gradient @ fisher_times_it).item()
    return (2 * max_kl / xfx) ** 0.5 if xfx > 0 else 1.0


def wrong_mean_for_dot(natural_gradient, fisher_times_it, *, max_kl):
    """Averages the products instead of summing them."""
    xfx = torch.mean(natural_gradient * fisher_times_it)
    return torch.where(xfx > 0, 2 * max_kl / xfx, 0.0).sqrt()


def wrong_product_of_norms(natural_gradient, fisher_times_it, *, max_kl):
    """The length of x times the length of F x, which is the dot product only if they are parallel."""
    size = natural_gradient.norm() * fisher_times_it.norm()
    if size == 0 or natural_gradient @ fisher_times_it <= 0:
        return 0.0
    return torch.sqrt(2 * max_kl / size).item()


def wrong_small_counts_as_zero(natural_gradient, fisher_times_it, *, max_kl):
    """Takes every product below one millionth for a rounding error."""
    curvature = torch.sum(natural_gradient * fisher_times_it)
    if curvature < 1e-6:
        return torch.zeros((), dtype=curvature.dtype)
    return torch.sqrt(2 * max_kl / curvature)


def wrong_never_above_one(natural_gradient, fisher_times_it, *, max_kl):
    """The step is never longer than the natural gradient itself."""
    xfx = float(torch.dot(natural_gradient, fisher_times_it))
    if xfx <= 0.0:
        return 0.0
    return min(1.0, math.sqrt(2.0 * max_kl / xfx))


def wrong_root_of_the_denominator_only(natural_gradient, fisher_times_it, *, max_kl):
    """The root covers x . F x alone."""
    xfx = natural_gradient @ fisher_times_it
    return 2 * max_kl / torch.sqrt(xfx) if xfx > 0 else xfx * 0


def right_asks_forgiveness(natural_gradient, fisher_times_it, *, max_kl):
    """Lets math.sqrt and the division complain, and answers 0 then."""
    xfx = math.fsum((natural_gradient.double() * fisher_times_it.double()).tolist())
    try:
        return math.sqrt(2 * max_kl / xfx)
    except (ValueError, ZeroDivisionError):
        return 0.0


def right_where(natural_gradient, fisher_times_it, *, max_kl):
    """Without a branch: the denominator is made harmless first, and the answer masked afterwards."""
    xfx = torch.einsum("i,i", natural_gradient, fisher_times_it)
    harmless = torch.where(xfx > 0, xfx, torch.ones_like(xfx))
    return torch.where(xfx > 0, (2 * max_kl / harmless).sqrt(), torch.zeros_like(xfx))


def right_roots_apart(natural_gradient, fisher_times_it, *, max_kl):
    """The root of 2 max_kl times the reciprocal root of x . F x, in numpy and double precision."""
    x, fx = (np.asarray(t.detach(), dtype=np.float64) for t in (natural_gradient, fisher_times_it))
    xfx = np.vdot(x, fx)
    return float(np.sqrt(2 * max_kl) * xfx**-0.5) if xfx > 0 else 0.0


def right_column_and_row(natural_gradient, fisher_times_it, *, max_kl):
    """A [1, P] times a [P, 1] matrix; the 0-d answer is a view of its [1, 1]."""
    xfx = natural_gradient.view(1, -1) @ fisher_times_it.view(-1, 1)
    if not xfx > 0:
        return xfx.new_zeros(())
    return torch.rsqrt(xfx / (2 * max_kl))[0, 0]


def right_infinite_denominator(natural_gradient, fisher_times_it, *, max_kl):
    """Puts infinity where x . F x is not positive, because a number over infinity is 0."""
    xfx = torch.inner(natural_gradient, fisher_times_it)
    return (2 * max_kl / xfx.masked_fill(xfx <= 0, math.inf)).sqrt()
