"""Answers to n_step_returns, written from the lesson and the stub alone."""

import numpy as np
import torch


def wrong_bootstraps_one_step_late(rewards, next_values, terminated, truncated, *, gamma, n):
    """Takes V(s[t+n]) as next_values[t + n], one row too late where the window is full and the row is there."""
    T, N = rewards.shape
    out = torch.zeros_like(rewards)
    for e in range(N):
        for t in range(T):
            total, m = 0.0, 0
            for k in range(t, min(t + n, T)):
                total += gamma**m * rewards[k, e]
                m += 1
                if terminated[k, e] or truncated[k, e]:
                    break
            if not terminated[k, e]:
                ended = bool(truncated[k, e])
                row = k if ended else min(t + n, T - 1)
                total += gamma**m * next_values[row, e]
            out[t, e] = total
    return out


def wrong_gamma_to_the_n_always(rewards, next_values, terminated, truncated, *, gamma, n):
    """Discounts the bootstrap by gamma**n, also where the window was cut short."""
    steps, envs = rewards.shape
    result = torch.empty_like(rewards)
    for t in range(steps):
        for env in range(envs):
            ret, discount = 0.0, 1.0
            last = t
            for k in range(t, min(steps, t + n)):
                ret = ret + discount * rewards[k, env]
                discount *= gamma
                last = k
                if terminated[k, env] or truncated[k, env]:
                    break
            if not terminated[last, env]:
                ret = ret + gamma**n * next_values[last, env]
            result[t, env] = ret
    return result


def wrong_no_bootstrap_at_any_end(rewards, next_values, terminated, truncated, *, gamma, n):
    """Treats a time limit like a fall: a single done for everything."""
    done = terminated | truncated
    T = rewards.shape[0]
    out = torch.zeros_like(rewards)
    for t in range(T):
        alive = torch.ones_like(rewards[t])
        scale = 1.0
        for k in range(t, min(t + n, T)):
            out[t] += scale * alive * rewards[k]
            alive = alive * (~done[k]).to(alive.dtype)
            scale *= gamma
        out[t] += scale * alive * next_values[k]
    return out


def wrong_bootstraps_after_termination(rewards, next_values, terminated, truncated, *, gamma, n):
    """Stops at the right places and adds the next value at all of them."""
    ends = terminated | truncated
    T, N = rewards.shape
    answer = torch.zeros_like(rewards)
    for env in range(N):
        for t in range(T):
            k = t
            while k - t + 1 < n and k + 1 < T and not ends[k, env]:
                k += 1
            m = k - t + 1
            powers = gamma ** torch.arange(m, dtype=rewards.dtype)
            answer[t, env] = (powers * rewards[t : k + 1, env]).sum() + gamma**m * next_values[k, env]
    return answer


def wrong_goes_on_over_truncation(rewards, next_values, terminated, truncated, *, gamma, n):
    """Ends the window at terminations only, so it walks on into the episode after a time limit."""
    horizon = len(rewards)
    rows = []
    for start in range(horizon):
        running = torch.ones_like(rewards[0])
        total = torch.zeros_like(rewards[0])
        weight = 1.0
        stop = min(start + n, horizon)
        for k in range(start, stop):
            total = total + weight * running * rewards[k]
            running = running * (1 - terminated[k].to(running.dtype))
            weight = weight * gamma
        rows.append(total + weight * running * next_values[stop - 1])
    return torch.stack(rows)


def wrong_last_reward_dropped(rewards, next_values, terminated, truncated, *, gamma, n):
    """Ends the window before the step with the flag, whose reward no longer counts."""
    T, N = rewards.shape
    out = torch.zeros_like(rewards)
    for e in range(N):
        for t in range(T):
            g, factor = 0.0, 1.0
            for k in range(t, min(t + n, T)):
                if terminated[k, e]:
                    break
                if truncated[k, e]:
                    g += factor * gamma * float(next_values[k, e])
                    break
                g += factor * float(rewards[k, e])
                factor *= gamma
            else:
                g += factor * float(next_values[k, e])
            out[t, e] = g
    return out


def wrong_nothing_after_the_rollout(rewards, next_values, terminated, truncated, *, gamma, n):
    """Adds the next value only to full windows and to truncated ones: the end of the rollout ends everything."""
    T, N = rewards.shape
    out = torch.zeros_like(rewards)
    for env in range(N):
        for t in range(T):
            m, k = 0, t
            while True:
                out[t, env] += gamma**m * rewards[k, env]
                m += 1
                if terminated[k, env]:
                    break
                if truncated[k, env] or m == n:
                    out[t, env] += gamma**m * next_values[k, env]
                    break
                if k == T - 1:
                    break
                k += 1
    return out


def wrong_only_full_windows(rewards, next_values, terminated, truncated, *, gamma, n):
    """Fills in the rows that have n steps left in the rollout, and leaves the others 0."""
    T, N = rewards.shape
    done = terminated | truncated
    out = torch.zeros(T, N, dtype=rewards.dtype)
    for t in range(T - n + 1):
        for e in range(N):
            for m in range(1, n + 1):
                k = t + m - 1
                out[t, e] += gamma ** (m - 1) * rewards[k, e]
                if done[k, e] or m == n:
                    if not terminated[k, e]:
                        out[t, e] += gamma**m * next_values[k, e]
                    break
    return out


def wrong_both_flags_bootstrap(rewards, next_values, terminated, truncated, *, gamma, n):
    """Where both flags are set, lets truncated win."""
    T, N = rewards.shape
    out = torch.zeros_like(rewards)
    for t in range(T):
        for e in range(N):
            value, power = 0.0, 0
            for k in range(t, T):
                value += gamma**power * rewards[k, e].item()
                power += 1
                if truncated[k, e] or power == n or k == T - 1:
                    if truncated[k, e] or not terminated[k, e]:
                        value += gamma**power * next_values[k, e].item()
                    break
                if terminated[k, e]:
                    break
            out[t, e] = value
    return out


def wrong_power_one_too_small(rewards, next_values, terminated, truncated, *, gamma, n):
    """Discounts the next value as much as the last reward, not once more."""
    rewards64, next64 = rewards.double().numpy(), next_values.double().numpy()
    term, trunc = terminated.numpy(), truncated.numpy()
    T, N = rewards64.shape
    out = np.zeros((T, N))
    for t, e in np.ndindex(T, N):
        for i, k in enumerate(range(t, min(t + n, T))):
            out[t, e] += gamma**i * rewards64[k, e]
            if term[k, e] or trunc[k, e]:
                break
        if not term[k, e]:
            out[t, e] += gamma**i * next64[k, e]
    return torch.from_numpy(out).to(rewards.dtype)


def wrong_n_capped_one_too_low(rewards, next_values, terminated, truncated, *, gamma, n):
    """Caps n at T - 1, because the last index is T - 1."""
    T = rewards.shape[0]
    n = max(1, min(n, T - 1))
    ended = terminated | truncated
    out = torch.empty_like(rewards)
    for t in range(T):
        g = torch.zeros_like(rewards[t])
        open_ = torch.ones_like(ended[t])
        for m in range(n):
            k = t + m
            if k == T:
                break
            g = g + torch.where(open_, gamma**m * rewards[k], 0)
            closes = open_ & (ended[k] | (m == n - 1) | (k == T - 1))
            g = g + torch.where(closes & ~terminated[k], gamma ** (m + 1) * next_values[k], 0)
            open_ = open_ & ~closes
        out[t] = g
    return out


def wrong_ends_all_environments_together(rewards, next_values, terminated, truncated, *, gamma, n):
    """Breaks out of the loop when the episode of any environment ends."""
    T = rewards.shape[0]
    out = torch.zeros_like(rewards)
    for t in range(T):
        total = torch.zeros_like(rewards[0])
        for m, k in enumerate(range(t, min(T, t + n)), start=1):
            total = total + gamma ** (m - 1) * rewards[k]
            if (terminated[k] | truncated[k]).any():
                break
        out[t] = total + gamma**m * next_values[k] * ~terminated[k]
    return out


def wrong_zeroes_next_values_in_place(rewards, next_values, terminated, truncated, *, gamma, n):
    """Saves a test in the loop by zeroing the next values of terminated steps, in the caller's tensor."""
    next_values.masked_fill_(terminated, 0.0)
    ended = terminated | truncated
    T, N = rewards.shape
    rows = torch.empty_like(rewards)
    for t in range(T):
        for e in range(N):
            k = t
            g = rewards[k, e]
            while not ended[k, e] and k < T - 1 and k - t + 1 < n:
                k += 1
                g = g + gamma ** (k - t) * rewards[k, e]
            rows[t, e] = g + gamma ** (k - t + 1) * next_values[k, e]
    return rows


def wrong_buffer_in_float32(rewards, next_values, terminated, truncated, *, gamma, n):
    """Collects the results in torch.zeros(T, N), which is float32 whatever the rewards are."""
    T, N = rewards.shape
    result = torch.zeros(T, N)
    for env in range(N):
        for t in range(T):
            window = []
            for k in range(t, min(t + n, T)):
                window.append(rewards[k, env])
                if terminated[k, env] or truncated[k, env]:
                    break
            g = 0.0 if terminated[k, env] else next_values[k, env]
            for reward in reversed(window):
                g = reward + gamma * g
            result[t, env] = g
    return result


def wrong_recursion_without_n(rewards, next_values, terminated, truncated, *, gamma, n):
    """Goes backwards to the end of the episode and never looks at n."""
    result = torch.empty_like(rewards)
    following = next_values[-1]
    for t in reversed(range(rewards.shape[0])):
        following = torch.where(truncated[t], next_values[t], following)
        following = torch.where(terminated[t], torch.zeros_like(following), following)
        following = rewards[t] + gamma * following
        result[t] = following
    return result


def wrong_one_reward_too_many(rewards, next_values, terminated, truncated, *, gamma, n):
    """Counts n steps after the first, so the window holds n + 1 rewards."""
    T, N = rewards.shape
    out = torch.zeros_like(rewards)
    for e in range(N):
        for t in range(T):
            final = min(t + n, T - 1)
            for k in range(t, final + 1):
                out[t, e] += gamma ** (k - t) * rewards[k, e]
                if terminated[k, e]:
                    break
                if truncated[k, e] or k == final:
                    out[t, e] += gamma ** (k - t + 1) * next_values[k, e]
                    break
    return out


def wrong_any_termination_in_reach(rewards, next_values, terminated, truncated, *, gamma, n):
    """Drops the next value if a termination lies anywhere in t ... t + n - 1, even after a truncation."""
    T = rewards.shape[0]
    ended = terminated | truncated
    out = []
    for t in range(T):
        stop = min(t + n, T)
        inside = torch.ones_like(ended[t])
        g = torch.zeros_like(rewards[t])
        boot = torch.zeros_like(rewards[t])
        for k in range(t, stop):
            power = k - t
            g = g + gamma**power * rewards[k] * inside
            boot = torch.where(inside, gamma ** (power + 1) * next_values[k], boot)
            inside = inside & ~ended[k]
        out.append(g + boot * ~terminated[t:stop].any(dim=0))
    return torch.stack(out)


def wrong_blocks_of_n(rewards, next_values, terminated, truncated, *, gamma, n):
    """Cuts the rollout into blocks of n rows, so that only the first row of a block has a full window."""
    T = rewards.shape[0]
    out = torch.zeros_like(rewards)
    for first in range(0, T, n):
        last = min(first + n, T) - 1
        g = next_values[last]
        for t in range(last, first - 1, -1):
            g = torch.where(truncated[t], next_values[t], g)
            g = g.masked_fill(terminated[t], 0.0)
            g = rewards[t] + gamma * g
            out[t] = g
    return out


def right_recursion_in_n(rewards, next_values, terminated, truncated, *, gamma, n):
    """G of n steps is a reward plus gamma times G of n - 1 steps from the next row; n - 1 passes over the block."""
    tail = torch.where(terminated, torch.zeros_like(next_values), next_values)
    stops = terminated | truncated
    stops[-1] = True
    result = rewards + gamma * tail
    for _ in range(min(n, len(rewards)) - 1):
        shifted = torch.roll(result, -1, dims=0)
        result = rewards + gamma * torch.where(stops, tail, shifted)
    return result


def right_numpy_horner(rewards, next_values, terminated, truncated, *, gamma, n):
    """Numpy, cell by cell: finds the last row of the window, then works backwards from it."""
    r = rewards.detach().numpy().astype(np.float64)
    nv = next_values.detach().numpy().astype(np.float64)
    over = terminated.numpy()
    ends = over | truncated.numpy()
    T, N = r.shape
    out = np.empty_like(r)
    for t, e in np.ndindex(T, N):
        window = slice(t, min(t + n, T))
        hits = np.flatnonzero(ends[window, e])
        last = t + hits[0] if hits.size else window.stop - 1
        g = 0.0 if over[last, e] else nv[last, e]
        for k in range(last, t - 1, -1):
            g = r[k, e] + gamma * g
        out[t, e] = g
    return torch.as_tensor(out, dtype=rewards.dtype)


def right_weights_matrix(rewards, next_values, terminated, truncated, *, gamma, n):
    """A [T, T] matrix of weights for each environment, and one einsum for rewards and for next values."""
    T, N = rewards.shape
    ends = (terminated | truncated).to(torch.int64)
    before = torch.cumsum(ends, 0) - ends  # [T, N] ends strictly before the row: the number of the episode
    t, k = torch.arange(T)[:, None], torch.arange(T)[None, :]
    reach = ((k >= t) & (k - t < n))[:, :, None] & (before[:, None] == before[None, :])  # [T, T, N]
    lengths = reach.sum(dim=1)  # [T, N]
    last = torch.arange(T)[:, None] + lengths - 1  # [T, N]
    powers = torch.tensor([float(gamma) ** i for i in range(T + 1)], dtype=torch.float64)
    weights = powers[(k - t).clamp(min=0)][:, :, None] * reach
    seen = torch.einsum("tkn,kn->tn", weights, rewards.double())
    believed = powers[lengths] * (next_values.double().masked_fill(terminated, 0.0)).gather(0, last)
    return (seen + believed).to(rewards.dtype)


def right_sum_of_surprises(rewards, next_values, terminated, truncated, *, gamma, n):
    """Starts from the one-step return and replaces each guess by the next reward and guess, as long as it may."""
    T = rewards.shape[0]
    guess = next_values * ~terminated
    total = rewards + gamma * guess
    columns = []
    for t in range(T):
        g, open_, factor = total[t].clone(), ~(terminated[t] | truncated[t]), gamma
        for k in range(t + 1, min(t + n, T)):
            g += factor * (total[k] - guess[k - 1]) * open_
            open_ = open_ & ~(terminated[k] | truncated[k])
            factor *= gamma
        columns.append(g)
    return torch.stack(columns, dim=1).T
