"""Right answers to a2c_losses in other styles."""

import torch
from torch.nn import functional


def right_with_library_loss(log_prob, advantages, values, returns, entropy, *, ent_coef):
    with torch.no_grad():
        weight, target = advantages.clone(), returns.clone()
    objective = torch.mean(log_prob * weight + ent_coef * entropy)
    return -objective, functional.mse_loss(values, target) / 2


def right_with_dot(log_prob, advantages, values, returns, entropy, *, ent_coef):
    residual = values - returns.data
    policy_loss = -(log_prob @ advantages.data + ent_coef * entropy.sum()) / log_prob.numel()
    return policy_loss, residual @ residual / (2 * residual.numel())


def right_as_list(log_prob, advantages, values, returns, entropy, *, ent_coef):
    weight, target = advantages.detach(), returns.detach()
    rows = torch.stack([-weight * log_prob - ent_coef * entropy, 0.5 * (values - target) ** 2])
    return list(rows.mean(dim=1))
