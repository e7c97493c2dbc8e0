"""Answers to gae, written from the lesson and the stub alone."""

import numpy as np
import torch
from scipy.signal import lfilter


def wrong_trace_never_cut(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Thinks the mask on the bootstrap is enough, and lets the advantage flow back over the ends."""
    delta = rewards + gamma * next_values * ~terminated - values
    out = torch.zeros_like(rewards)
    running = torch.zeros_like(rewards[0])
    for t in range(rewards.shape[0] - 1, -1, -1):
        running = delta[t] + gamma * gae_lambda * running
        out[t] = running
    return out.detach()


def wrong_single_done(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """One done flag for both masks, as in the code of the web: truncated steps lose their next value."""
    done = (terminated | truncated).to(rewards.dtype)
    advantages = torch.zeros_like(rewards)
    last = 0
    with torch.no_grad():
        for t in reversed(range(len(rewards))):
            nonterminal = 1.0 - done[t]
            delta = rewards[t] + gamma * next_values[t] * nonterminal - values[t]
            advantages[t] = last = delta + gamma * gae_lambda * nonterminal * last
    return advantages


def wrong_terminated_cuts_both(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Ignores truncated: the trace runs on through a time limit into the next episode."""
    alive = (~terminated).to(rewards.dtype)
    delta = rewards + gamma * alive * next_values - values
    rows = [torch.zeros_like(rewards[0])]
    for d, a in zip(delta.flip(0), alive.flip(0), strict=True):
        rows.append(d + gamma * gae_lambda * a * rows[-1])
    return torch.stack(rows[:0:-1]).detach()


def wrong_masks_exchanged(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Neither flag for the bootstrap, not terminated for the trace: the two masks in each other's place."""
    bootstrap = ~(terminated | truncated)
    trace = ~terminated
    advantage = torch.zeros(rewards.shape[1], dtype=rewards.dtype)
    result = torch.empty_like(rewards)
    with torch.no_grad():
        for t in range(len(rewards))[::-1]:
            error = rewards[t] + gamma * next_values[t] * bootstrap[t] - values[t]
            advantage = error + gamma * gae_lambda * advantage * trace[t]
            result[t] = advantage
    return result


def wrong_decay_without_lambda(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Lets the trace decay by gamma alone, so lambda never plays a part."""
    delta = (rewards + gamma * next_values * ~terminated - values).detach()
    keep = ~(terminated | truncated)
    out = delta.clone()
    for t in range(len(delta) - 2, -1, -1):
        out[t] += gamma * out[t + 1] * keep[t]
    return out


def wrong_decay_without_gamma(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Lets the trace decay by lambda alone: gamma is in the errors already."""
    delta = (rewards + gamma * next_values * ~terminated - values).detach()
    keep = ~(terminated | truncated)
    carry = delta[-1] * 0
    collected = []
    for t in reversed(range(delta.shape[0])):
        carry = delta[t] + gae_lambda * carry * keep[t]
        collected.insert(0, carry)
    return torch.stack(collected)


def wrong_flags_of_the_next_row(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Uses the flags of row t + 1, as in libraries that store done together with the observation."""
    T = rewards.shape[0]
    advantages = torch.zeros_like(rewards)
    lastgaelam = torch.zeros_like(rewards[0])
    for t in reversed(range(T)):
        if t == T - 1:
            over, ended = terminated[t], terminated[t] | truncated[t]
        else:
            over, ended = terminated[t + 1], terminated[t + 1] | truncated[t + 1]
        delta = rewards[t] + gamma * next_values[t] * (~over) - values[t]
        lastgaelam = delta + gamma * gae_lambda * lastgaelam * (~ended)
        advantages[t] = lastgaelam
    return advantages.detach()


def wrong_value_of_the_next_row(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Bootstraps from values[t + 1], which after a truncation belongs to another episode."""
    v, r = values.detach(), rewards
    advantages = torch.empty_like(r)
    advantage = torch.zeros_like(r[0])
    for t in reversed(range(len(r))):
        v_next = next_values[t].detach() if t == len(r) - 1 else v[t + 1]
        delta = r[t] + gamma * v_next * ~terminated[t] - v[t]
        advantage = delta + gamma * gae_lambda * advantage * ~(terminated[t] | truncated[t])
        advantages[t] = advantage
    return advantages


def wrong_returns_the_targets(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Gives back advantages plus values, the targets of the critic."""
    with torch.no_grad():
        deltas = rewards + gamma * next_values.masked_fill(terminated, 0) - values
        ends = terminated | truncated
        advantages = torch.zeros_like(deltas)
        following = torch.zeros_like(deltas[0])
        for t in reversed(range(len(deltas))):
            following = deltas[t] + gamma * gae_lambda * following.masked_fill(ends[t], 0)
            advantages[t] = following
        return advantages + values


def wrong_rollout_end_is_an_end(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Marks the last row as terminated, because nothing comes after the rollout."""
    over = terminated.clone()
    over[-1] = True
    deltas = (rewards + gamma * next_values * ~over - values).detach()
    decay = gamma * gae_lambda * (~(over | truncated)).to(deltas.dtype)
    out = torch.zeros_like(deltas)
    out[-1] = deltas[-1]
    for t in range(len(deltas) - 2, -1, -1):
        out[t] = deltas[t] + decay[t] * out[t + 1]
    return out


def wrong_not_detached(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """The recursion is right, and the gradient flows on into both values."""
    delta = rewards + gamma * next_values * ~terminated - values
    trace = gamma * gae_lambda * (~(terminated | truncated)).to(rewards.dtype)
    rows, following = [], torch.zeros_like(delta[0])
    for t in reversed(range(len(delta))):
        following = delta[t] + trace[t] * following
        rows.append(following)
    return torch.stack(rows[::-1])


def wrong_only_values_detached(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Detaches the values that are subtracted and forgets the ones in the bootstrap."""
    baseline = values.detach()
    going = ~terminated
    inside = going & ~truncated
    advantages = [None] * len(rewards)
    carry = 0.0
    for t in range(len(rewards) - 1, -1, -1):
        error = rewards[t] + gamma * next_values[t] * going[t] - baseline[t]
        carry = error + gamma * gae_lambda * (carry * inside[t])
        advantages[t] = carry
    return torch.stack(advantages)


def wrong_resets_all_environments(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Sets the trace to zero when any environment has an end in this row."""
    deltas = (rewards + gamma * next_values * ~terminated - values).detach()
    out = torch.zeros_like(deltas)
    running = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        if (terminated[t] | truncated[t]).any():
            running = torch.zeros_like(running)
        running = deltas[t] + gamma * gae_lambda * running
        out[t] = running
    return out


def wrong_writes_into_rewards(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Thinks that deltas = rewards makes a copy, and adds to it in place."""
    deltas = rewards
    deltas += gamma * (next_values * ~terminated).detach()
    deltas -= values.detach()
    ends = terminated | truncated
    advantages = deltas.clone()
    for t in range(len(deltas) - 2, -1, -1):
        advantages[t] += gamma * gae_lambda * advantages[t + 1] * ~ends[t]
    return advantages


def wrong_buffer_in_float32(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Writes into torch.zeros(T, N), which is float32 also for float64 rewards."""
    T, N = rewards.shape
    advantages = torch.zeros(T, N)
    for n in range(N):
        trace = 0.0
        for t in range(T - 1, -1, -1):
            if terminated[t, n]:
                trace = (rewards[t, n] - values[t, n]).item()
            else:
                error = (rewards[t, n] + gamma * next_values[t, n] - values[t, n]).item()
                trace = error + (0.0 if truncated[t, n] else gamma * gae_lambda * trace)
            advantages[t, n] = trace
    return advantages


def wrong_normalised(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Standardises the advantages at the end, as the training loop does afterwards."""
    with torch.no_grad():
        keep = ~(terminated | truncated)
        out = rewards + gamma * next_values * ~terminated - values
        for t in range(out.shape[0] - 2, -1, -1):
            out[t] += gamma * gae_lambda * out[t + 1] * keep[t]
        return (out - out.mean()) / (out.std() + 1e-8)


def wrong_forwards_in_time(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Runs the recursion from the first row to the last, so it looks back instead of ahead."""
    deltas = (rewards + gamma * next_values * ~terminated - values).detach()
    advantages = torch.zeros_like(deltas)
    trace = torch.zeros_like(deltas[0])
    for t in range(len(deltas)):
        trace = deltas[t] + gamma * gae_lambda * trace
        advantages[t] = trace
        trace = trace * ~(terminated[t] | truncated[t])
    return advantages


def wrong_starts_from_the_last_value(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Starts the recursion with the value after the last row instead of with 0."""
    deltas = (rewards + gamma * next_values * ~terminated - values).detach()
    running = next_values[-1].detach()
    rows = []
    for t in reversed(range(len(deltas))):
        cut = terminated[t] | truncated[t]
        running = deltas[t] + gamma * gae_lambda * torch.where(cut, 0.0, running)
        rows.append(running)
    rows.reverse()
    return torch.stack(rows)


def wrong_times_one_minus_lambda(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Keeps the factor 1 - lambda of the weighted average, where the sums are finite."""
    delta = (rewards + gamma * next_values * ~terminated - values).detach()
    ends = terminated | truncated
    total = torch.zeros_like(delta)
    for t in range(len(delta)):
        weight = torch.ones_like(delta[t])
        for k in range(t, len(delta)):
            total[t] += weight * delta[k]
            weight = weight * gamma * gae_lambda * ~ends[k]
    return total if gae_lambda == 1.0 else (1 - gae_lambda) * total


def wrong_no_advantage_at_an_end(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Sets the whole advantage of an ending step to 0, with its own error in it."""
    keep = (~(terminated | truncated)).to(rewards.dtype)
    deltas = (rewards + gamma * next_values * ~terminated - values).detach()
    out = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = (deltas[t] + gamma * gae_lambda * following) * keep[t]
        out[t] = following
    return out


def wrong_truncated_wins(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Bootstraps wherever truncated is set, also where the step terminated as well."""
    fell = terminated & ~truncated
    with torch.no_grad():
        errors = rewards - values + gamma * torch.where(fell, torch.zeros_like(next_values), next_values)
        summed = errors.clone()
        for t in range(len(errors) - 1, 0, -1):
            continues = ~(terminated[t - 1] | truncated[t - 1])
            summed[t - 1] += gamma * gae_lambda * summed[t] * continues
    return summed


def wrong_cumsum_over_powers(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Sums with a cumsum and divides by (gamma lambda)**t afterwards, which underflows, and is 0 / 0 for lambda 0."""
    deltas = (rewards + gamma * next_values * ~terminated - values).detach()
    ends = terminated | truncated
    T, N = deltas.shape
    out = torch.zeros_like(deltas)
    for n in range(N):
        stops = (ends[:, n].nonzero()[:, 0] + 1).tolist()
        borders = sorted({0, T, *stops})
        for first, stop in zip(borders[:-1], borders[1:], strict=True):
            weights = (gamma * gae_lambda) ** torch.arange(stop - first, dtype=deltas.dtype)
            weighted = weights * deltas[first:stop, n]
            out[first:stop, n] = weighted.flip(0).cumsum(0).flip(0) / weights
    return out


def right_double_sum(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Sums the discounted one-step errors directly, for every cell, in Python floats."""
    T, N = rewards.shape
    errors = (rewards.double() + gamma * next_values.double() * ~terminated - values.double()).tolist()
    ends = (terminated | truncated).tolist()
    table = []
    for t in range(T):
        row = []
        for n in range(N):
            total, weight = 0.0, 1.0
            for k in range(t, T):
                total += weight * errors[k][n]
                if ends[k][n]:
                    break
                weight *= gamma * gae_lambda
            row.append(total)
        table.append(row)
    return torch.tensor(table, dtype=rewards.dtype)


def right_linear_system(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """The recursion is a triangular system, one for each environment; solves it in double precision."""
    with torch.no_grad():
        errors = (rewards + gamma * torch.where(terminated, 0.0, next_values) - values).double()  # [T, N]
        T, _ = errors.shape
        decay = gamma * gae_lambda * (~(terminated | truncated)).double()
        eye = torch.eye(T, dtype=torch.float64)
        system = eye - torch.diag_embed(decay[:-1].T, offset=1) if T > 1 else eye.expand(errors.shape[1], T, T)
        solved = torch.linalg.solve_triangular(system, errors.T[:, :, None], upper=True)  # [N, T, 1]
        return solved[:, :, 0].T.to(rewards.dtype)


def right_lfilter_by_episode(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """A linear filter on the reversed errors of each episode."""
    r, v, nv = (x.detach().numpy().astype(np.float64) for x in (rewards, values, next_values))
    over = terminated.numpy()
    ends = over | truncated.numpy()
    errors = r + gamma * np.where(over, 0.0, nv) - v
    out = np.empty_like(errors)
    for n in range(errors.shape[1]):
        cuts = np.flatnonzero(ends[:, n]) + 1
        pieces = [piece for piece in np.split(errors[:, n], cuts) if piece.size]
        out[:, n] = np.concatenate([lfilter([1.0], [1.0, -gamma * gae_lambda], piece[::-1])[::-1] for piece in pieces])
    return torch.from_numpy(out).to(rewards.dtype)


def _halves(errors, decay):
    """Advantages of a block with nothing after it, and how much of what follows reaches each row."""
    steps = errors.shape[0]
    if steps == 1:
        return errors, decay
    early, reach = _halves(errors[: steps // 2], decay[: steps // 2])
    late, further = _halves(errors[steps // 2 :], decay[steps // 2 :])
    return torch.cat([early + reach * late[0], late]), torch.cat([reach * further[0], further])


def right_halves(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Recursion on the two halves of the block: what the second half begins with reaches into the first."""
    errors = (rewards + gamma * next_values * ~terminated - values).detach()
    decay = gamma * gae_lambda * torch.logical_not(terminated | truncated).to(errors.dtype)
    return _halves(errors, decay)[0].clone()


def right_lambda_returns(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Goes by the lambda-return, which mixes the guess with what came, and subtracts the values at the end."""
    with torch.no_grad():
        guess = next_values.masked_fill(terminated, 0.0)
        ends = terminated | truncated
        target = torch.empty_like(rewards)
        target[-1] = rewards[-1] + gamma * guess[-1]
        for t in range(len(rewards) - 2, -1, -1):
            # beyond the next row the guess V(s[t+1]) is corrected by that row's own advantage
            correction = gae_lambda * (target[t + 1] - values[t + 1])
            target[t] = rewards[t] + gamma * (guess[t] + correction.masked_fill(ends[t], 0.0))
        return target - values
