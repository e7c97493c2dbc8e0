"""Right answers to patient_11 in other styles."""

import math

import torch
from torch.distributions import Independent, Normal


def right_from_noise(mean, log_std, noise, *, bound):
    terms = -noise.square() / 2 - log_std - math.log(math.tau) / 2
    return torch.addcmul(mean, log_std.exp(), noise), terms.sum(dim=1)


def right_with_loop(mean, log_std, noise, *, bound):
    rows = [m + torch.exp(log_std) * z for m, z in zip(mean, noise, strict=False)]
    density = [Normal(m, torch.exp(log_std)).log_prob(a).sum() for m, a in zip(mean, rows, strict=False)]
    return torch.stack(rows), torch.stack(density)


def right_in_double_precision(mean, log_std, noise, *, bound):
    action = mean.double() + log_std.double().exp() * noise.double()
    law = Independent(Normal(mean.double(), log_std.double().exp().expand(mean.shape)), 1)
    return action.to(mean.dtype), law.log_prob(action).to(mean.dtype)
