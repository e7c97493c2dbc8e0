"""Answers to tanh_log_prob, written from the lesson and the stub alone."""

import math

import torch
from scipy import stats
from torch.distributions import Independent, Normal, TanhTransform, TransformedDistribution
from torch.nn import functional


def _normal(mean, log_std):
    return Independent(Normal(mean, log_std.exp()), 1)


def _log_slope(u):
    return 2 * (math.log(2) - u - functional.softplus(-2 * u))


def wrong_sign_of_the_correction(mean, log_std, pre_tanh_action):
    """Multiplies the density by the slope: adds the logarithm."""
    u = pre_tanh_action
    return _normal(mean, log_std).log_prob(u) + _log_slope(u).sum(-1)


def wrong_as_written(mean, log_std, pre_tanh_action):
    """Codes equation (3) as it stands, and meets log 0 at u = 10."""
    slope = 1 - torch.tanh(pre_tanh_action) ** 2
    return (Normal(mean, log_std.exp()).log_prob(pre_tanh_action) - torch.log(slope)).sum(-1)


def wrong_tiny_number_inside(mean, log_std, pre_tanh_action):
    """Adds 1e-6 inside the logarithm, as many SAC codes do: finite, but not right."""
    action = torch.tanh(pre_tanh_action)
    log_prob = Normal(mean, log_std.exp()).log_prob(pre_tanh_action)
    log_prob = log_prob - torch.log(1 - action.pow(2) + 1e-6)
    return log_prob.sum(1)


def wrong_no_correction(mean, log_std, pre_tanh_action):
    """Leaves the Jacobian out, as it cancels in PPO's ratio."""
    return _normal(mean, log_std).log_prob(pre_tanh_action)


def wrong_correction_of_the_whole_batch(mean, log_std, pre_tanh_action):
    """Sums the correction over everything and subtracts it from every row."""
    correction = (2 * (math.log(2) - pre_tanh_action - functional.softplus(-2 * pre_tanh_action))).sum()
    return _normal(mean, log_std).log_prob(pre_tanh_action) - correction


def wrong_mean_over_dimensions(mean, log_std, pre_tanh_action):
    """Averages instead of summing."""
    u = pre_tanh_action
    z = (u - mean) / log_std.exp()
    per_dim = -0.5 * z**2 - log_std - 0.5 * math.log(2 * math.pi) - _log_slope(u)
    return per_dim.mean(dim=-1)


def wrong_gaussian_at_the_action(mean, log_std, pre_tanh_action):
    """Evaluates the Gaussian at a = tanh(u), the number that was sent to the environment."""
    action = torch.tanh(pre_tanh_action)
    return Independent(Normal(mean, log_std.exp()), 1).log_prob(action) - _log_slope(pre_tanh_action).sum(-1)


def wrong_takes_it_for_the_action(mean, log_std, pre_tanh_action):
    """Takes the third argument for a itself, and inverts the tanh."""
    a = pre_tanh_action.clamp(-0.999, 0.999)
    u = 0.5 * (torch.log1p(a) - torch.log1p(-a))
    return _normal(mean, log_std).log_prob(u) - torch.log(1 - a**2).sum(-1)


def wrong_round_trip(mean, log_std, pre_tanh_action):
    """Goes through the action and back: what the tanh has rounded away does not return."""
    limit = 1 - torch.finfo(mean.dtype).eps
    squashed = TransformedDistribution(Normal(mean, log_std.exp()), [TanhTransform()])
    return squashed.log_prob(pre_tanh_action.tanh().clamp(-limit, limit)).sum(-1)


def wrong_slope_without_square(mean, log_std, pre_tanh_action):
    """Remembers the slope of tanh as 1 - tanh."""
    u = pre_tanh_action
    # 1 - tanh(u) = 2 / (1 + exp(2u))
    log_slope = math.log(2) - functional.softplus(2 * u)
    return _normal(mean, log_std).log_prob(u) - log_slope.sum(-1)


def wrong_factor_two_lost(mean, log_std, pre_tanh_action):
    """Has 1 / cosh for the slope instead of 1 / cosh squared."""
    log_cosh = torch.log(torch.cosh(pre_tanh_action))
    return (Normal(mean, log_std.exp()).log_prob(pre_tanh_action) + log_cosh).sum(dim=-1)


def wrong_log_two_lost(mean, log_std, pre_tanh_action):
    """Drops the 4 of 4 / (e^u + e^-u)^2."""
    u = pre_tanh_action
    log_slope = -2 * torch.logaddexp(u, -u)
    return (Normal(mean, log_std.exp()).log_prob(u) - log_slope).sum(-1)


def wrong_softplus_of_plus(mean, log_std, pre_tanh_action):
    """Writes softplus(2u) where softplus(-2u) belongs."""
    u = pre_tanh_action
    log_slope = 2 * (math.log(2) - u - functional.softplus(2 * u))
    return _normal(mean, log_std).log_prob(u) - log_slope.sum(-1)


def wrong_rough_from_two_on(mean, log_std, pre_tanh_action):
    """Switches to log 4 - 2|u| beyond 2, where the tanh is nearly 1."""
    u = pre_tanh_action
    far = u.abs() > 2
    near = torch.where(far, torch.zeros_like(u), u)
    log_slope = torch.where(far, math.log(4) - 2 * u.abs(), torch.log(1 - near.tanh() ** 2))
    return _normal(mean, log_std).log_prob(u) - log_slope.sum(-1)


def wrong_clamped_u(mean, log_std, pre_tanh_action):
    """Clamps u to 5 in the correction, to stay away from log 0."""
    u = pre_tanh_action
    inner = u.clamp(-5, 5)
    log_slope = torch.log1p(-(torch.tanh(inner) ** 2))
    return _normal(mean, log_std).log_prob(u) - log_slope.sum(-1)


def wrong_pendulums_limit(mean, log_std, pre_tanh_action):
    """Copies the factor 2 of Pendulum's torque: a = 2 tanh(u)."""
    u = pre_tanh_action
    log_slope = _log_slope(u) + math.log(2.0)
    return _normal(mean, log_std).log_prob(u) - log_slope.sum(-1)


def wrong_slope_at_the_mean(mean, log_std, pre_tanh_action):
    """Takes the slope of tanh at the mean."""
    correction = 2 * (math.log(2) - mean - functional.softplus(-2 * mean))
    return _normal(mean, log_std).log_prob(pre_tanh_action) - correction.sum(dim=-1)


def wrong_gaussian_counted_for_each_dimension(mean, log_std, pre_tanh_action):
    """Subtracts [B, A] from the summed [B, 1] and sums again: the Gaussian counts A times."""
    u = pre_tanh_action
    log_prob = _normal(mean, log_std).log_prob(u).unsqueeze(-1)
    return (log_prob - _log_slope(u)).sum(dim=-1)


def wrong_correction_of_the_first_dimension(mean, log_std, pre_tanh_action):
    """Squeezes the correction of a single torque, and with several takes the first."""
    correction = _log_slope(pre_tanh_action)[:, 0]
    return _normal(mean, log_std).log_prob(pre_tanh_action) - correction


def wrong_scipy(mean, log_std, pre_tanh_action):
    """Takes the log-density from scipy, and the gradient is gone."""
    m, s, u = (t.detach().double().numpy() for t in (mean, log_std.exp(), pre_tanh_action))
    log_normal = torch.from_numpy(stats.norm.logpdf(u, m, s))
    return (log_normal - _log_slope(pre_tanh_action.double())).sum(1).to(mean.dtype)


def wrong_mean_detached(mean, log_std, pre_tanh_action):
    """Thinks u - mean is the noise that was drawn, and detaches it."""
    u = pre_tanh_action
    noise = (u - mean).detach()
    log_normal = -0.5 * (noise / log_std.exp()) ** 2 - log_std - 0.5 * math.log(2 * math.pi)
    return (log_normal - _log_slope(u)).sum(-1)


def wrong_everything_to_double(mean, log_std, pre_tanh_action):
    """Computes in double for u = 10, and forgets to cast back."""
    mean, log_std, u = mean.double(), log_std.double(), pre_tanh_action.double()
    return _normal(mean, log_std).log_prob(u) - torch.log(1 - u.tanh() ** 2).sum(-1)


def wrong_constant_missing(mean, log_std, pre_tanh_action):
    """Drops log(2 pi) / 2 of the Gaussian."""
    u = pre_tanh_action
    total = torch.zeros_like(u[:, 0])
    for d in range(u.shape[1]):
        s = log_std[..., d]
        total = total - 0.5 * ((u[:, d] - mean[:, d]) / s.exp()) ** 2 - s - _log_slope(u[:, d])
    return total


def right_softplus(mean, log_std, pre_tanh_action):
    """The lesson's form."""
    u = pre_tanh_action
    return (Normal(mean, log_std.exp()).log_prob(u) - 2 * (math.log(2) - u - functional.softplus(-2 * u))).sum(-1)


def right_log_cosh(mean, log_std, pre_tanh_action):
    """The slope is 1 / cosh^2, and cosh(10) fits well into float32."""
    z = (pre_tanh_action - mean) * torch.exp(-log_std)
    rest = log_std + 0.5 * math.log(2 * math.pi) - 2 * torch.log(torch.cosh(pre_tanh_action))
    return -torch.sum(0.5 * z * z + rest, dim=-1)


def right_two_sigmoids(mean, log_std, pre_tanh_action):
    """1 - tanh^2 is 4 times sigmoid(2u) times sigmoid(-2u)."""
    u = pre_tanh_action
    log_slope = math.log(4) + functional.logsigmoid(2 * u) + functional.logsigmoid(-2 * u)
    return torch.einsum("bd->b", Normal(mean, log_std.exp()).log_prob(u) - log_slope)


def right_as_written_in_double(mean, log_std, pre_tanh_action):
    """Equation (3) as it stands, in double precision, cast back."""
    u = pre_tanh_action.double()
    log_slope = torch.log((1 - u.tanh()) * (1 + u.tanh()))
    log_normal = _normal(mean.double(), log_std.double()).log_prob(u)
    return (log_normal - log_slope.sum(-1)).to(mean.dtype)


def right_transform_with_a_memory(mean, log_std, pre_tanh_action):
    """Torch's transformed distribution, whose cache remembers u."""
    squash = TanhTransform(cache_size=1)
    squashed = TransformedDistribution(_normal(mean, log_std), [squash], validate_args=False)
    return squashed.log_prob(squash(pre_tanh_action))


def right_by_size(mean, log_std, pre_tanh_action):
    """The slope by |u|, dimension by dimension, with log1p of a small number."""
    rows = 0.0
    for m, s, u in zip(mean.T, log_std.T if log_std.dim() == 2 else log_std, pre_tanh_action.T, strict=True):
        size = u.abs()
        rows = rows - 0.5 * ((u - m) / s.exp()) ** 2 - s - 0.5 * math.log(2 * math.pi)
        rows = rows - math.log(4) + 2 * size + 2 * torch.log1p(torch.exp(-2 * size))
    return rows
