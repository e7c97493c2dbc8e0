"""Right answers to clip_fraction in other styles."""

import math

import torch


def right_with_clamp(log_prob, old_log_prob, *, clip_coef):
    ratio = (log_prob - old_log_prob).exp()
    return (ratio.clamp(1 - clip_coef, 1 + clip_coef) != ratio).to(log_prob.dtype).mean()


def right_two_sides(log_prob, old_log_prob, *, clip_coef):
    ratio = torch.exp(log_prob - old_log_prob)
    above, below = ratio > 1 + clip_coef, ratio < 1 - clip_coef
    return (above.sum().item() + below.sum().item()) / ratio.numel()


def right_in_logarithms(log_prob, old_log_prob, *, clip_coef):
    log_ratio = log_prob.double() - old_log_prob.double()
    return ((log_ratio > math.log1p(clip_coef)) | (log_ratio < math.log1p(-clip_coef))).double().mean()
