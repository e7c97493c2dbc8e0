"""Right answers to patient_04 in other styles."""

import torch


def right_in_one_mean(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    weight, ratio = advantages.detach(), torch.exp(log_prob - old_log_prob.detach())
    worse = torch.max(-weight * ratio, -weight * ratio.clip(1 - clip_coef, 1 + clip_coef))
    return (worse - ent_coef * entropy).mean()


def right_with_mean_by_hand(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    advantages = advantages.detach()
    ratio = (log_prob - old_log_prob.detach()).exp()
    objective = torch.minimum(ratio * advantages, ratio.clamp(1 - clip_coef, 1 + clip_coef) * advantages)
    rows = [objective[i] + ent_coef * entropy[i] for i in range(len(entropy))]
    return -sum(rows) / len(rows)


def right_in_double_precision(log_prob, old_log_prob, advantages, entropy, *, clip_coef, ent_coef):
    weight, ratio = advantages.detach().double(), (log_prob.double() - old_log_prob.detach().double()).exp()
    bound = torch.where(weight > 0, ratio.clamp(max=1 + clip_coef), ratio.clamp(min=1 - clip_coef))
    return torch.sub(-(bound * weight).mean(), entropy.double().mean(), alpha=ent_coef).to(log_prob.dtype)
