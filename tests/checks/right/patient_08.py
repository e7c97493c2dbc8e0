"""Right answers to patient_08 in other styles."""

import torch


def right_with_costs(log_prob, old_log_prob, advantages, *, clip_coef):
    costs = -advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    return torch.max(costs * ratio, costs * ratio.clamp(1 - clip_coef, 1 + clip_coef)).mean()


def right_with_mask(log_prob, old_log_prob, advantages, *, clip_coef):
    ratio = (log_prob - old_log_prob.detach()).exp()
    weight = advantages.detach()
    too_far = ((ratio > 1 + clip_coef) & (weight > 0)) | ((ratio < 1 - clip_coef) & (weight < 0))
    edge = 1 + clip_coef * weight.sign()
    return -(torch.where(too_far, edge, ratio) * weight).mean()


def right_with_loop(log_prob, old_log_prob, advantages, *, clip_coef):
    losses = []
    for new, old, advantage in zip(log_prob, old_log_prob.tolist(), advantages.tolist(), strict=False):
        ratio = torch.exp(new - old)
        losses.append(torch.max(-advantage * ratio, -advantage * ratio.clamp(1 - clip_coef, 1 + clip_coef)))
    return sum(losses) / len(losses)
