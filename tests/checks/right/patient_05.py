"""Right answers to patient_05 in other styles."""

import numpy as np
import torch


def right_with_reward_at_the_limit(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    running = (~(terminated | truncated)).to(rewards.dtype)
    paid = rewards + gamma * next_values * (truncated & ~terminated)  # the mask of both stays
    deltas = (paid + gamma * next_values * running - values).detach()
    advantages, following = torch.zeros_like(deltas), torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * running[t] * following
        advantages[t] = following
    return advantages


def right_with_sums(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    deltas = (rewards + gamma * torch.where(terminated, 0.0, next_values) - values).detach()
    goes_on = 1.0 - (terminated | truncated).to(deltas.dtype)
    rows = []
    for t in range(len(deltas)):
        total, weight = torch.zeros_like(deltas[0]), torch.ones_like(deltas[0])
        for k in range(t, len(deltas)):
            total = total + weight * deltas[k]
            weight = weight * gamma * gae_lambda * goes_on[k]
        rows.append(total)
    return torch.stack(rows)


def right_with_numpy(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    r, v, w = (item.detach().double().numpy() for item in (rewards, values, next_values))
    stop, end = terminated.numpy(), np.logical_or(terminated.numpy(), truncated.numpy())
    advantages, running = np.zeros_like(r), np.zeros(r.shape[1])
    for t in range(len(r))[::-1]:
        running = r[t] + gamma * np.where(stop[t], 0, w[t]) - v[t] + gamma * gae_lambda * ~end[t] * running
        advantages[t] = running
    return torch.from_numpy(advantages).to(rewards.dtype)
