"""Answers to patient_11, written from the lesson and the opened patient alone."""

import math

import torch
from torch.distributions import Independent, MultivariateNormal, Normal


def wrong_clipped_action_with_the_draws_log_prob(mean, log_std, noise, *, bound):
    """Mends the log-density, and still stores the clipped action beside it: the two do not match."""
    std = log_std.exp()
    draw = mean + std * noise
    log_prob = Normal(mean, std).log_prob(draw).sum(-1)
    return draw.clamp(-bound, bound), log_prob


def wrong_draw_with_the_clipped_log_prob(mean, log_std, noise, *, bound):
    """Stores the draw, and takes the log-density of what the environment will do with it."""
    std = log_std.exp()
    action = mean + std * noise
    log_prob = Normal(mean, std).log_prob(action.clamp(-bound, bound)).sum(-1)
    return action, log_prob


def wrong_squashed_instead_of_clipped(mean, log_std, noise, *, bound):
    """Replaces the hard clip by bound * tanh(draw), with the Gaussian's density: another action, and no slope."""
    std = log_std.exp()
    action = bound * torch.tanh(mean + std * noise)
    log_prob = Normal(mean, std).log_prob(action).sum(-1)
    return action, log_prob


def wrong_clips_the_noise(mean, log_std, noise, *, bound):
    """Moves the clamp to the noise, so that draws stay reasonable; large noise is still cut off."""
    std = log_std.exp()
    action = mean + std * noise.clamp(-bound, bound)
    log_prob = Normal(mean, std).log_prob(action).sum(-1)
    return action, log_prob


def wrong_clips_the_mean(mean, log_std, noise, *, bound):
    """Holds the mean within the bounds instead of the action; the density is that of another policy."""
    std = log_std.exp()
    centre = mean.clamp(-bound, bound)
    action = centre + std * noise
    return action, Normal(centre, std).log_prob(action).sum(-1)


def wrong_mass_beyond_the_bound(mean, log_std, noise, *, bound):
    """Treats the clip as part of the policy: beyond a bound, the logarithm of all the mass that lies there."""
    std = log_std.exp()
    normal = Normal(mean, std)
    action = mean + std * noise
    terms = normal.log_prob(action)
    above = torch.log((1 - normal.cdf(torch.full_like(mean, bound))).clamp(min=1e-12))
    below = torch.log(normal.cdf(torch.full_like(mean, -bound)).clamp(min=1e-12))
    terms = torch.where(action > bound, above, torch.where(action < -bound, below, terms))
    return action, terms.sum(-1)


def wrong_scaled_by_the_bound(mean, log_std, noise, *, bound):
    """Multiplies by the bound instead of clamping, as wrappers for normalised actions do."""
    std = log_std.exp()
    draw = mean + std * noise
    log_prob = Normal(mean, std).log_prob(draw).sum(-1)
    return bound * draw, log_prob


def wrong_dimensions_not_summed(mean, log_std, noise, *, bound):
    """Takes the clamp off and loses the sum: log_prob is [B, D]."""
    std = log_std.exp()
    action = mean + std * noise
    log_prob = Normal(mean, std).log_prob(action)
    return action, log_prob


def wrong_dimensions_averaged(mean, log_std, noise, *, bound):
    """Takes the clamp off and averages over the dimensions, patient 9's bug."""
    std = log_std.exp()
    action = torch.addcmul(mean, std.expand_as(noise), noise)
    log_prob = Normal(mean, std).log_prob(action).mean(-1)
    return action, log_prob


def wrong_density_of_the_noise(mean, log_std, noise, *, bound):
    """Takes the unit normal's density of the noise; the change of variables, minus log_std, is missing."""
    action = mean + log_std.exp() * noise
    log_prob = -0.5 * (noise**2 + math.log(2 * math.pi)).sum(-1)
    return action, log_prob


def wrong_rows_beyond_the_bound_say_nothing(mean, log_std, noise, *, bound):
    """Takes the clamp off and masks the log-density of dimensions beyond the bound, since they look alike."""
    std = log_std.exp()
    action = mean + std * noise
    inside = action.abs() <= bound
    log_prob = (Normal(mean, std).log_prob(action) * inside).sum(-1)
    return action, log_prob


def wrong_wider_bound(mean, log_std, noise, *, bound):
    """Clamps at twice the bound, so that only extreme draws are cut: the bug is rarer, and still there."""
    std = log_std.exp()
    action = (mean + std * noise).clamp(-2 * bound, 2 * bound)
    log_prob = Independent(Normal(mean, std), 1).log_prob(action)
    return action, log_prob


def right_from_the_noise(mean, log_std, noise, *, bound):
    """Never asks for the action's distance: it is the noise, so the density follows from noise and log_std."""
    action = mean + log_std.exp() * noise
    log_prob = -(noise.square() / 2 + log_std + 0.5 * math.log(math.tau)).sum(dim=-1)
    return action, log_prob


def right_multivariate(mean, log_std, noise, *, bound):
    """A multivariate normal with a diagonal covariance; the draw comes from its own Cholesky factor."""
    policy = MultivariateNormal(mean, scale_tril=torch.diag(log_std.exp()))
    action = mean + torch.einsum("de,be->bd", policy.scale_tril[0], noise)
    return action, policy.log_prob(action)


def right_under_no_grad(mean, log_std, noise, *, bound):
    """What a rollout stores is data, so nothing here has a gradient."""
    with torch.no_grad():
        distribution = Independent(Normal(mean, log_std.exp().expand_as(mean)), 1)
        action = torch.addcmul(mean, distribution.stddev, noise)
        return action, distribution.log_prob(action)
