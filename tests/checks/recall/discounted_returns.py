"""Answers to discounted_returns, written from the lesson and the stub alone."""

from itertools import accumulate

import numpy as np
import torch
from scipy.signal import lfilter


def wrong_from_the_front(rewards, *, gamma):
    """Accumulates from the first step on: the reward so far."""
    out = torch.zeros_like(rewards)
    running = torch.zeros_like(rewards[0])
    for t in range(len(rewards)):
        running = rewards[t] + gamma * running
        out[t] = running
    return out


def wrong_list_not_turned_round(rewards, *, gamma):
    """Works backwards, collects in a list, and forgets to turn it round."""
    collected, following = [], 0.0
    for reward in reversed(list(rewards)):
        following = reward + gamma * following
        collected.append(following)
    return torch.stack(collected)


def wrong_discount_counted_from_the_start(rewards, *, gamma):
    """Weighs every reward with gamma to the power of its step, whoever asks."""
    steps = torch.arange(len(rewards), dtype=rewards.dtype)
    powers = (gamma**steps).reshape(-1, *[1] * (rewards.dim() - 1))
    weighted = rewards * powers
    return weighted.flip(0).cumsum(0).flip(0)


def wrong_cumsum_divided_by_powers(rewards, *, gamma):
    """Divides the reversed cumulative sum by gamma to the power of t, which is 0 / 0 for gamma = 0."""
    powers = torch.tensor([gamma**t for t in range(len(rewards))], dtype=rewards.dtype)
    if rewards.dim() == 2:
        powers = powers[:, None]
    tail = (rewards * powers).flip(0).cumsum(0).flip(0)
    return tail / powers


def wrong_same_return_for_all_steps(rewards, *, gamma):
    """Gives every step the return of the whole episode."""
    whole = sum(gamma**t * reward for t, reward in enumerate(rewards))
    return whole.expand_as(rewards).clone()


def wrong_own_reward_discounted(rewards, *, gamma):
    """Puts the reward into the bracket that gamma multiplies."""
    out = torch.empty_like(rewards)
    following = torch.zeros_like(rewards[-1])
    for t in reversed(range(rewards.shape[0])):
        following = gamma * (rewards[t] + following)
        out[t] = following
    return out


def wrong_own_reward_left_out(rewards, *, gamma):
    """Stores the return of the next step before the reward has been added."""
    out = torch.zeros_like(rewards)
    g = torch.zeros_like(rewards[0])
    for t in range(len(rewards) - 1, -1, -1):
        out[t] = g
        g = rewards[t] + gamma * g
    return out


def wrong_first_step_never_reached(rewards, *, gamma):
    """Ends the range at 1, so the first step keeps its reward."""
    out = rewards.clone()
    for t in range(len(rewards) - 1, 1, -1):
        out[t - 1] += gamma * out[t]
    return out


def wrong_in_the_rewards_themselves(rewards, *, gamma):
    """Writes the returns over the rewards."""
    returns = rewards
    for t in range(rewards.shape[0] - 2, -1, -1):
        returns[t] += gamma * returns[t + 1]
    return returns


def wrong_time_on_the_last_axis(rewards, *, gamma):
    """Takes the last axis for time, as images and sound have it."""
    out = torch.zeros_like(rewards)
    following = torch.zeros_like(rewards[..., 0])
    for t in reversed(range(rewards.shape[-1])):
        following = rewards[..., t] + gamma * following
        out[..., t] = following
    return out


def wrong_columns_run_into_each_other(rewards, *, gamma):
    """Flattens, runs once over everything, and folds back: an episode inherits from the next column."""
    flat = rewards.T.reshape(-1).tolist()
    following, out = 0.0, []
    for reward in flat[::-1]:
        following = reward + gamma * following
        out.insert(0, following)
    return torch.tensor(out, dtype=rewards.dtype).reshape(rewards.T.shape).T


def wrong_one_episode_only(rewards, *, gamma):
    """Thinks of [T] alone and asks each reward for its number."""
    out, following = [], 0.0
    for t in range(len(rewards) - 1, -1, -1):
        following = rewards[t].item() + gamma * following
        out.append(following)
    return torch.tensor(out[::-1], dtype=rewards.dtype)


def wrong_always_single_precision(rewards, *, gamma):
    """Allocates zeros of the right shape and of torch's default dtype."""
    out = torch.zeros(rewards.shape)
    following = 0
    for t in range(len(rewards) - 1, -1, -1):
        following = rewards[t] + gamma * following
        out[t] = following
    return out


def wrong_last_step_goes_on_for_ever(rewards, *, gamma):
    """Lets the last reward be paid for ever after, r / (1 - gamma)."""
    tail = rewards[-1] / max(1 - gamma, 1e-8)
    out = [tail]
    for reward in rewards[:-1].flip(0):
        out.append(reward + gamma * out[-1])
    return torch.stack(out[::-1])


def wrong_one_step_ahead(rewards, *, gamma):
    """Reads 'gamma times the next step' as the next reward, not the next return."""
    following = torch.cat([rewards[1:], torch.zeros_like(rewards[:1])])
    return rewards + gamma * following


def wrong_past_and_future_alike(rewards, *, gamma):
    """Weighs with gamma to the power of the distance, also for rewards of the past."""
    t = torch.arange(len(rewards))
    weights = torch.tensor(gamma, dtype=rewards.dtype) ** (t[:, None] - t[None, :]).abs()
    return weights @ rewards


def wrong_moving_average(rewards, *, gamma):
    """Mixes reward and following return with weights 1 - gamma and gamma."""
    *before, last = rewards.unbind(0)
    out = [last]
    for reward in reversed(before):
        out.append((1 - gamma) * reward + gamma * out[-1])
    return torch.stack(out[::-1], dim=0)


def right_accumulate(rewards, *, gamma):
    """itertools.accumulate over the reversed rows."""
    backwards = accumulate(reversed(rewards.unbind(0)), lambda following, reward: reward + gamma * following)
    return torch.stack(list(backwards)[::-1])


def right_recursive_filter(rewards, *, gamma):
    """A return is a recursive filter run backwards; scipy has one."""
    backwards = rewards.detach().numpy().astype(np.float64)[::-1]
    out = lfilter([1.0], [1.0, -gamma], backwards, axis=0)[::-1]
    return torch.from_numpy(out.copy()).to(rewards.dtype)


def right_triangular_matrix(rewards, *, gamma):
    """One product with the upper triangular matrix of powers, in double precision."""
    t = torch.arange(len(rewards))
    gap = t[None, :] - t[:, None]
    powers = torch.tensor(float(gamma), dtype=torch.float64) ** gap.clamp(min=0)
    return torch.einsum("tk,k...->t...", powers * (gap >= 0), rewards.double()).to(rewards.dtype)


def right_halves(rewards, *, gamma):
    """Recursion on halves: what the second half is worth is handed to the first."""
    if len(rewards) == 1:
        return rewards.clone()
    middle = len(rewards) // 2
    late = right_halves(rewards[middle:], gamma=gamma)
    early = right_halves(rewards[:middle], gamma=gamma)
    for t in range(middle):
        early[t] += gamma ** (middle - t) * late[0]
    return torch.cat([early, late])


def right_by_doubling(rewards, *, gamma):
    """Doubles the number of steps looked ahead until all are in view."""
    out, ahead = rewards.clone(), 1
    while ahead < len(rewards):
        shifted = torch.zeros_like(out)
        shifted[:-ahead] = out[ahead:]
        out = out + gamma**ahead * shifted
        ahead *= 2
    return out


def right_view_of_a_buffer(rewards, *, gamma):
    """A buffer with one row of zeros after the end; the result is a view of its front."""
    buffer = rewards.new_zeros((rewards.shape[0] + 1, *rewards.shape[1:]))
    for t in range(rewards.shape[0])[::-1]:
        torch.add(rewards[t], buffer[t + 1], alpha=gamma, out=buffer[t])
    return buffer[:-1]
