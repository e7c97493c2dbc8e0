"""Answers to gaussian_log_prob, written from the lesson and the stub alone."""

import math

import numpy as np
import torch
from scipy import stats
from torch.distributions import Independent, MultivariateNormal, Normal


def wrong_mean_over_dimensions(mean, log_std, action):
    """Meets [B, A] from Normal and averages the last axis to get [B]."""
    return Normal(mean, log_std.exp()).log_prob(action).mean(-1)


def wrong_not_summed(mean, log_std, action):
    """Thinks Normal's log_prob is already one number for each action."""
    distribution = Normal(mean, torch.exp(log_std))
    return distribution.log_prob(action)


def wrong_summed_over_the_batch(mean, log_std, action):
    """Takes dim=0 for the dimensions of the action."""
    z = (action - mean) / log_std.exp()
    log_density = -(z**2) / 2 - log_std - math.log(2 * math.pi) / 2
    return log_density.sum(dim=0)


def wrong_kept_axis(mean, log_std, action):
    """Keeps the summed axis, because actions keep theirs."""
    std = log_std.exp()
    per_dimension = -0.5 * ((action - mean) / std).pow(2) - log_std - 0.5 * math.log(2 * math.pi)
    return per_dimension.sum(-1, keepdim=True)


def wrong_one_number_for_all(mean, log_std, action):
    """Sums over everything: the log-density of the whole batch."""
    return Independent(Normal(mean, log_std.exp()), 2).log_prob(action)


def wrong_no_two_pi(mean, log_std, action):
    """Drops the constant, as it has no gradient and cancels in the ratio."""
    variance = torch.exp(2 * log_std)
    return torch.sum(-((action - mean) ** 2) / (2 * variance) - log_std, dim=-1)


def wrong_no_log_std(mean, log_std, action):
    """Forgets the height of the bell, 1 / sigma."""
    dims = action.shape[-1]
    z = (action - mean) * torch.exp(-log_std)
    return -0.5 * (z * z).sum(-1) - 0.5 * dims * math.log(2 * math.pi)


def wrong_constant_once(mean, log_std, action):
    """Sums first and subtracts the constant after that, once instead of D times."""
    z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std).sum(-1) - 0.5 * math.log(2 * math.pi)


def wrong_sigma_not_squared(mean, log_std, action):
    """Divides the square by 2 sigma."""
    sigma = log_std.exp()
    out = 0
    for i in range(mean.shape[1]):
        s = sigma[..., i]
        out = out - (action[:, i] - mean[:, i]) ** 2 / (2 * s) - torch.log(s) - 0.5 * math.log(2 * math.pi)
    return out


def wrong_std_as_covariance(mean, log_std, action):
    """Puts the standard deviations on the diagonal of the covariance matrix."""
    covariance = torch.diag_embed(log_std.exp().expand_as(mean))
    return MultivariateNormal(mean, covariance_matrix=covariance).log_prob(action)


def wrong_logarithm_of_the_density(mean, log_std, action):
    """Computes the density, in double for safety, and takes its logarithm."""
    m, s, a = mean.double(), log_std.double().exp(), action.double()
    density = torch.exp(-((a - m) ** 2) / (2 * s**2)) / (s * math.sqrt(2 * math.pi))
    return density.log().sum(dim=-1).to(mean.dtype)


def wrong_far_actions_cut(mean, log_std, action):
    """Limits the distance to 20 standard deviations so that nothing explodes."""
    z = ((action - mean) / log_std.exp()).clamp(-20.0, 20.0)
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(dim=-1)


def wrong_log_std_clamped(mean, log_std, action):
    """Clamps log_std to -5 to 2, as the package's policy does."""
    std = log_std.clamp(-5, 2).exp()
    return Independent(Normal(mean, std), 1).log_prob(action)


def wrong_in_place(mean, log_std, action):
    """Saves memory by subtracting the mean from the action itself."""
    action -= mean
    z = action / log_std.exp()
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_constant_z(mean, log_std, action):
    """Thinks the standardised sample is data, and puts it under no_grad."""
    with torch.no_grad():
        z = (action - mean) / log_std.exp()
    return (-0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_std_without_gradient(mean, log_std, action):
    """Reads the widths out as Python numbers, so only the mean can learn."""
    widths = torch.as_tensor(np.exp(np.asarray(log_std.tolist())), dtype=mean.dtype)
    return Independent(Normal(mean, widths), 1).log_prob(action)


def wrong_scipy(mean, log_std, action):
    """Lets scipy do it, which knows no gradients."""
    loc, scale = mean.detach().numpy(), log_std.detach().exp().numpy()
    values = stats.norm.logpdf(action.detach().numpy(), loc=loc, scale=scale).sum(axis=1)
    return torch.from_numpy(values).to(mean.dtype)


def wrong_always_float32(mean, log_std, action):
    """Casts everything to float32, the networks' dtype."""
    mean, log_std, action = (t.float() for t in (mean, log_std, action))
    return Independent(Normal(mean, log_std.exp()), 1).log_prob(action)


def wrong_log_std_summed_over_rows(mean, log_std, action):
    """Sums log_std as a whole, which is right for [D] only."""
    z2 = ((action - mean) / log_std.exp()).square()
    return -0.5 * z2.sum(1) - log_std.sum() - 0.5 * mean.shape[1] * math.log(2 * math.pi)


def wrong_first_row_of_log_std(mean, log_std, action):
    """Takes the widths to be the same for every row, and uses the first row's."""
    if log_std.dim() == 2:
        log_std = log_std[0]
    return Independent(Normal(mean, log_std.exp()), 1).log_prob(action)


def wrong_squeezed_action(mean, log_std, action):
    """Squeezes a single torque, so that with D = 1 every action meets every mean."""
    action = action.squeeze(-1)
    return Normal(mean, log_std.exp()).log_prob(action).sum(-1)


def wrong_multiplies_by_sigma(mean, log_std, action):
    """Takes exp(log_std) for a precision: multiplies by sigma instead of dividing."""
    sigma = torch.exp(log_std)
    z = (action - mean) * sigma
    return (-0.5 * z**2 + log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def wrong_positive_quadratic(mean, log_std, action):
    """Loses the minus in front of the square."""
    var = (2 * log_std).exp()
    return ((action - mean) ** 2 / (2 * var) - log_std - 0.5 * math.log(2 * math.pi)).sum(-1)


def right_independent(mean, log_std, action):
    """As torch has it."""
    return Independent(Normal(mean, log_std.exp(), validate_args=False), 1, validate_args=False).log_prob(action)


def right_scale_tril(mean, log_std, action):
    """A multivariate normal with a diagonal Cholesky factor."""
    factor = torch.diag_embed(log_std.exp().expand_as(mean))
    return MultivariateNormal(mean, scale_tril=factor).log_prob(action)


def right_einsum_in_double(mean, log_std, action):
    """Works in double precision and casts back, with an einsum for the squares."""
    z = (action.double() - mean.double()) * torch.exp(-log_std.double())
    log_norm = log_std.double().expand(z.shape) + 0.5 * math.log(2 * math.pi)
    return (-0.5 * torch.einsum("bd,bd->b", z, z) - torch.einsum("bd->b", log_norm)).to(mean.dtype)


def right_recursion(mean, log_std, action):
    """Splits the dimensions in halves until one is left."""
    dims = mean.shape[1]
    if dims > 1:
        half = dims // 2
        left = right_recursion(mean[:, :half], log_std[..., :half], action[:, :half])
        return left + right_recursion(mean[:, half:], log_std[..., half:], action[:, half:])
    m, s, a = mean[:, 0], log_std[..., 0], action[:, 0]
    return -((a - m) ** 2) / (2 * torch.exp(2 * s)) - s - math.log(math.sqrt(2 * math.pi))


class _Score(torch.autograd.Function):
    @staticmethod
    def forward(ctx, mean, log_std, action):
        z = (action - mean) / log_std.exp()
        ctx.save_for_backward(z, log_std)
        return (-0.5 * z * z - log_std - 0.5 * math.log(2 * math.pi)).sum(1)

    @staticmethod
    def backward(ctx, out):
        z, log_std = ctx.saved_tensors
        of_mean = out[:, None] * z * torch.exp(-log_std)
        of_log_std = out[:, None] * (z * z - 1)
        return of_mean, of_log_std.sum(0) if log_std.dim() == 1 else of_log_std, None


def right_own_backward(mean, log_std, action):
    """Equation (4) of the lesson as a hand-written backward pass; the action counts as data."""
    return _Score.apply(mean, log_std, action.detach())


def right_standard_normal(mean, log_std, action):
    """Density of the standardised action, minus the stretch."""
    z = torch.mul(action.sub(mean), log_std.neg().exp())
    standard = Normal(torch.zeros_like(z), torch.ones_like(z))
    return torch.stack((standard.log_prob(z), -log_std.expand_as(z)), dim=-1).flatten(1).sum(1)
