"""Answers to patient_05, written from the lesson and the opened patient alone."""

import numpy as np
import torch


def wrong_trace_runs_over_time_limits(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Drops truncated from the one mask, so the next episode's advantages flow back over a time limit."""
    running = (~terminated).to(rewards.dtype)
    deltas = (rewards + gamma * next_values * running - values).detach()
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * running[t] * following
        advantages[t] = following
    return advantages


def wrong_mends_the_trace_instead(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Makes two masks and hands them out the wrong way round: the bootstrap still stops at a time limit."""
    running = (~(terminated | truncated)).to(rewards.dtype)
    alive = (~terminated).to(rewards.dtype)
    deltas = (rewards + gamma * next_values * running - values).detach()
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * alive[t] * following
        advantages[t] = following
    return advantages


def wrong_bootstraps_everywhere(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Takes the mask off the bootstrap altogether, so a real end has a future, too."""
    running = ~(terminated | truncated)
    deltas = (rewards + gamma * next_values - values).detach()
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * torch.where(running[t], following, torch.zeros_like(following))
        advantages[t] = following
    return advantages


def wrong_both_flags_count_as_truncated(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Lets the time limit win where both flags are set: bootstraps from a state that is an end."""
    over = terminated & ~truncated
    deltas = (rewards + gamma * next_values.masked_fill(over, 0.0) - values).detach()
    running = (~(terminated | truncated)).to(rewards.dtype)
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * running[t] * following
        advantages[t] = following
    return advantages


def wrong_gradient_flows_into_the_values(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Rewrites the errors with the right mask and loses the detach."""
    alive = (~terminated).to(rewards.dtype)
    running = (~(terminated | truncated)).to(rewards.dtype)
    rows, following = [], torch.zeros_like(rewards[0])
    for t in range(len(rewards) - 1, -1, -1):
        delta = rewards[t] + gamma * alive[t] * next_values[t] - values[t]
        following = delta + gamma * gae_lambda * running[t] * following
        rows.insert(0, following)
    return torch.stack(rows)


def wrong_last_row_ends_everything(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Mends the mask, and takes the rollout's last row for an end: no bootstrap there."""
    alive = (~terminated).to(rewards.dtype)
    alive[-1] = 0
    running = (~(terminated | truncated)).to(rewards.dtype)
    deltas = (rewards + gamma * next_values * alive - values).detach()
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * running[t] * following
        advantages[t] = following
    return advantages


def wrong_next_values_are_the_next_rows(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """As in other code: values[t + 1] for the next value, which after a time limit is another episode's first."""
    shifted = torch.cat([values[1:], next_values[-1:]])
    deltas = (rewards + gamma * shifted * (~terminated).to(rewards.dtype) - values).detach()
    running = (~(terminated | truncated)).to(rewards.dtype)
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * running[t] * following
        advantages[t] = following
    return advantages


def wrong_bootstraps_twice(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Adds gamma times the last value to the reward at a time limit, as another library does, and mends the mask."""
    cut_off = truncated & ~terminated
    rewards = rewards + gamma * next_values * cut_off
    alive = (~terminated).to(rewards.dtype)
    running = (~(terminated | truncated)).to(rewards.dtype)
    deltas = (rewards + gamma * next_values * alive - values).detach()
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * running[t] * following
        advantages[t] = following
    return advantages


def wrong_one_end_cuts_every_column(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Asks with any() whether an episode ends in a row, and cuts the trace of all environments."""
    deltas = (rewards + gamma * next_values * (~terminated).to(rewards.dtype) - values).detach()
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        if terminated[t].any() or truncated[t].any():
            following = torch.zeros_like(following)
        following = deltas[t] + gamma * gae_lambda * following
        advantages[t] = following
    return advantages


def wrong_time_limit_pays_the_old_value(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Thinks the state goes on as it is, and bootstraps a time limit from values instead of next_values."""
    future = torch.where(truncated, values, next_values)
    future = torch.where(terminated, torch.zeros_like(future), future)
    deltas = (rewards + gamma * future - values).detach()
    running = (~(terminated | truncated)).to(rewards.dtype)
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * running[t] * following
        advantages[t] = following
    return advantages


def wrong_exactly_one_flag_ends(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Combines the flags with ^, so where both are set the trace goes on into the next episode."""
    alive = (~terminated).to(rewards.dtype)
    running = (~(terminated ^ truncated)).to(rewards.dtype)
    deltas = (rewards + gamma * next_values * alive - values).detach()
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * running[t] * following
        advantages[t] = following
    return advantages


def wrong_returns_instead_of_advantages(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Mends both masks and adds the values at the end: these are the critic's targets."""
    alive = (~terminated).to(rewards.dtype)
    running = (~(terminated | truncated)).to(rewards.dtype)
    deltas = (rewards + gamma * next_values * alive - values).detach()
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * running[t] * following
        advantages[t] = following
    return advantages + values.detach()


def right_reward_carries_the_future(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Pays the discounted next value as part of the reward at a time limit; the one mask stays as it was."""
    running = (~(terminated | truncated)).to(rewards.dtype)
    rewards = rewards + gamma * next_values * (truncated & ~terminated)
    deltas = (rewards + gamma * next_values * running - values).detach()
    advantages = torch.zeros_like(deltas)
    following = torch.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        following = deltas[t] + gamma * gae_lambda * running[t] * following
        advantages[t] = following
    return advantages


def right_weighted_sum_in_numpy(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """A double loop forward: for each step the discounted errors up to the first end, in numpy doubles."""
    r, v, w = (x.detach().cpu().numpy().astype(np.float64) for x in (rewards, values, next_values))
    dead, cut = terminated.cpu().numpy(), truncated.cpu().numpy()
    errors = r + gamma * np.where(dead, 0.0, w) - v
    out = np.zeros_like(errors)
    for column in range(errors.shape[1]):
        for start in range(errors.shape[0]):
            weight = 1.0
            for t in range(start, errors.shape[0]):
                out[start, column] += weight * errors[t, column]
                if dead[t, column] or cut[t, column]:
                    break
                weight *= gamma * gae_lambda
    return torch.from_numpy(out).to(rewards)


def right_by_a_linear_system(rewards, values, next_values, terminated, truncated, *, gamma, gae_lambda):
    """Solves (I - decay * shift) advantages = errors for each environment: a triangular system."""
    with torch.no_grad():
        errors = rewards + gamma * next_values.masked_fill(terminated, 0) - values  # [T, N]
        decay = gamma * gae_lambda * (~terminated & ~truncated).to(errors.dtype)  # [T, N]
        system = torch.eye(len(errors), dtype=errors.dtype) - torch.diag_embed(decay.T[:, :-1], offset=1)  # [N, T, T]
        solved = torch.linalg.solve_triangular(system, errors.T.unsqueeze(-1), upper=True)  # [N, T, 1]
    return solved.squeeze(-1).T
