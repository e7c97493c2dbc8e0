"""Right answers to gae in other styles."""

import numpy as np
import torch


def right_with_sum_of_errors(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
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


def right_with_linear_system(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    with torch.no_grad():
        deltas = (rewards + gamma * next_values * terminated.logical_not() - values).double()
        decay = gamma * gae_lambda * (~(terminated | truncated)).double()
        # A = delta + D A, with D holding the decay on its upper diagonal; one system for each environment.
        upper = torch.stack([torch.diag(column[:-1], 1) for column in decay.T])  # [N, T, T]
        system = torch.eye(len(deltas), dtype=torch.float64) - upper
        solved = torch.linalg.solve(system, deltas.T.unsqueeze(-1)).squeeze(-1)  # [N, T]
    return solved.T.to(rewards.dtype)


def right_with_numpy(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    r, v, w = (item.detach().double().numpy() for item in (rewards, values, next_values))
    stop, end = terminated.numpy(), np.logical_or(terminated.numpy(), truncated.numpy())
    advantages, running = np.zeros_like(r), np.zeros(r.shape[1])
    for t in range(len(r))[::-1]:
        running = r[t] + gamma * np.where(stop[t], 0, w[t]) - v[t] + gamma * gae_lambda * ~end[t] * running
        advantages[t] = running
    return torch.from_numpy(advantages).to(rewards.dtype)
