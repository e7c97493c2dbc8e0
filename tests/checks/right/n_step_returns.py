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
                if terminated[k, e]:
                    discount = 0.0
                if terminated[k, e] or truncated[k, e]:
                    break
            result[t, e] = total + discount * next_values[k, e].item()
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


def right_with_episodes_cut_out(rewards, next_values, terminated, truncated, *, gamma, n):
    columns = []
    for e in range(rewards.shape[1]):
        r, w = rewards[:, e].double().tolist(), next_values[:, e].double().tolist()
        done = (terminated | truncated)[:, e].tolist()
        done[-1] = True  # the rollout's end closes the last piece
        answer = []
        start = 0
        for end in [t for t, closed in enumerate(done) if closed]:
            last = 0.0 if terminated[end, e] else w[end]
            piece, after = r[start : end + 1], [*w[start:end], last]
            for t in range(len(piece)):
                window = piece[t : t + n]
                tail = gamma ** len(window) * after[t + len(window) - 1]
                answer.append(sum(gamma**k * reward for k, reward in enumerate(window)) + tail)
            start = end + 1
        columns.append(torch.tensor(answer, dtype=rewards.dtype))
    return torch.stack(columns, dim=1)


def right_with_recursion(rewards, next_values, terminated, truncated, *, gamma, n):
    tail = gamma * torch.where(terminated, torch.zeros_like(next_values), next_values)
    if n == 1 or len(rewards) == 1:
        return rewards + tail
    shorter = right_with_recursion(rewards, next_values, terminated, truncated, gamma=gamma, n=n - 1)
    goes_on = (~(terminated | truncated))[:-1]
    inner = torch.where(goes_on, gamma * shorter[1:], tail[:-1])
    return rewards + torch.cat([inner, tail[-1:]])
