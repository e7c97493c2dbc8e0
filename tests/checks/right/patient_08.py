"""Right answers to patient_08: two to ppo_clip_loss, whose contract it has, and one with a mask."""

import torch

from tests.checks.right.ppo_clip_loss import right_in_double_precision, right_maximum_of_losses  # noqa: F401


def right_with_mask(log_prob, old_log_prob, advantages, *, clip_coef):
    ratio = (log_prob - old_log_prob.detach()).exp()
    weight = advantages.detach()
    too_far = ((ratio > 1 + clip_coef) & (weight > 0)) | ((ratio < 1 - clip_coef) & (weight < 0))
    edge = 1 + clip_coef * weight.sign()
    return -(torch.where(too_far, edge, ratio) * weight).mean()
