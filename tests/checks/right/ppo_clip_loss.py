"""Right answers to ppo_clip_loss in other styles."""

import torch


def right_by_sign(log_prob, old_log_prob, advantages, *, clip_coef):
    # The minimum as a limit that depends on the advantage's sign, as Spinning Up writes it.
    advantages = advantages.detach()
    ratio = torch.exp(log_prob - old_log_prob.detach())
    bound = torch.where(advantages > 0, ratio.clamp(max=1 + clip_coef), ratio.clamp(min=1 - clip_coef))
    return torch.mean(-bound * advantages)


def right_maximum_of_losses(log_prob, old_log_prob, advantages, *, clip_coef):
    # The larger of two losses, as CleanRL writes it.
    with torch.no_grad():
        old, weight = old_log_prob.clone(), advantages.clone()
    ratio = (log_prob - old).exp()
    return torch.max(-weight * ratio, -weight * torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef)).mean()


def right_in_double_precision(log_prob, old_log_prob, advantages, *, clip_coef):
    weight = advantages.detach().double()
    ratio = (log_prob.double() - old_log_prob.detach().double()).exp()
    stacked = torch.stack([ratio, ratio.clip(1 - clip_coef, 1 + clip_coef)]) * weight  # [2, B]
    return -(stacked.amin(dim=0).sum() / len(weight)).to(log_prob.dtype)
