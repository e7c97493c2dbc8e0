"""Right answers to n_step_returns in other styles."""

import torch


def right_with_window_of_each_step(rewards, next_values, terminated, truncated, *, gamma, n):
    result = torch.zeros_like(rewards)
    steps, envs = rewards.shape
    for e in range(envs):
        for t in range(steps):
            total, discount = 0.0, 1.0
            for k in range(t, min(t + n, steps)):
                total += discount * rewards[k, e].item()
                discount *= gamma
                if terminated[k, e] or truncated[k, e]:
                    break
            result[t, e] = total + (0.0 if terminated[k, e] else discount * next_values[k, e].item())
    return result


def right_with_running_mask(rewards, next_values, terminated, truncated, *, gamma, n):
    steps = rewards.shape[0]
    rows = []
    for t in range(steps):
        total, inside = torch.zeros_like(rewards[0]), torch.ones_like(rewards[0])
        end = min(t + n, steps) - 1
        for k in range(t, end + 1):
            total = total + inside * gamma ** (k - t) * rewards[k]
            stops = torch.ones_like(inside) if k == end else (terminated[k] | truncated[k]).to(inside.dtype)
            total = total + inside * stops * gamma ** (k - t + 1) * next_values[k] * (~terminated[k])
            inside = inside * (1 - stops)
        rows.append(total)
    return torch.stack(rows)


def right_with_recursion(rewards, next_values, terminated, truncated, *, gamma, n):
    tail = gamma * torch.where(terminated, torch.zeros_like(next_values), next_values)
    if n == 1 or len(rewards) == 1:
        return rewards + tail
    shorter = right_with_recursion(rewards, next_values, terminated, truncated, gamma=gamma, n=n - 1)
    goes_on = (~(terminated | truncated))[:-1]
    inner = torch.where(goes_on, gamma * shorter[1:], tail[:-1])
    return rewards + torch.cat([inner, tail[-1:]])
