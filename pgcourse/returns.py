"""Returns and advantages: pure functions on tensors whose first axis is time.

Shapes: T steps, N environments. A column is the experience of one environment in order of time.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


def discounted_returns(rewards: Tensor, *, gamma: float) -> Tensor:
    """Reward-to-go of complete episodes: G_t = r_t + gamma * G_{t+1}, with nothing after the last step.

    Args: rewards: [T] or [T, N], each column one complete episode, in units of reward. gamma: discount in [0, 1].
    Returns: same shape, dtype and device. Raises: ValueError for integer rewards.
    Source: Sutton and Barto (2018), equation 3.9.
    """
    if not rewards.is_floating_point():
        raise ValueError(
            f"rewards are {rewards.dtype}, which would cut every return to an integer; use rewards.float()"
        )
    following = torch.zeros_like(rewards[0])
    returns = []
    # Rows taken apart once and put together once: a quarter off reading and writing them one by one.
    for reward in reversed(rewards.unbind()):
        following = reward + gamma * following
        returns.append(following)
    return torch.stack(returns[::-1])


def episode_returns(rewards: Sequence[Tensor], *, gamma: float) -> Tensor:
    """`discounted_returns` of complete episodes of different lengths, one after the other.

    Args: rewards: [T_n] of each episode n. Returns: [T_1 + T_2 + ...].
    """
    # All episodes at once, in as many operations as the longest has steps. The zeros behind a shorter one add nothing.
    padded = discounted_returns(pad_sequence(list(rewards)), gamma=gamma)  # [T, N]
    return torch.cat([padded[: len(episode), n] for n, episode in enumerate(rewards)])


def gae(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    *,
    gamma: float,
    gae_lambda: float,
) -> Tensor:
    """Generalised advantage estimation, right at every kind of boundary.

        delta_t = r_t + gamma * V(s_{t+1}) * (1 - terminated_t) - V(s_t)
        A_t     = delta_t + gamma * gae_lambda * (1 - (terminated_t or truncated_t)) * A_{t+1}

    A terminated episode has no future, so its bootstrap is dropped; a truncated one, and the rollout's end, has a
    future that nobody saw, so it bootstraps. The trace is cut at both: the next row is another episode.

    Args: all [T, N]; rewards, values V(s_t) and next_values V(s_{t+1}) of the true next observation (never the
    reset one), in units of reward; terminated and truncated bool, where both are set counts as terminated.
    Returns: advantages [T, N], detached. Raises: ValueError for flags that are not bool.
    Source: Schulman et al. (2016), equation 16.
    """
    if terminated.dtype != torch.bool or truncated.dtype != torch.bool:
        raise ValueError(
            f"terminated and truncated are {terminated.dtype} and {truncated.dtype}, and ~ would flip their bits; use .bool()"
        )
    with torch.no_grad():
        deltas = rewards + gamma * next_values * ~terminated - values  # [T, N]
        # In the dtype of the rewards: a number times a bool tensor would be float32 whatever they are.
        decay = gamma * gae_lambda * (~(terminated | truncated)).to(deltas.dtype)  # [T, N]
        following = torch.zeros_like(deltas[0])
        advantages = []
        for delta, share in zip(reversed(deltas.unbind()), reversed(decay.unbind()), strict=True):
            following = delta + share * following
            advantages.append(following)
        return torch.stack(advantages[::-1])


def normalize(x: Tensor, *, eps: float = 1e-8, dim: int | None = None) -> Tensor:
    """Shift and scale to mean 0 and standard deviation 1: (x - mean) / (std + eps).

    Args: x: any shape. eps keeps the result finite. dim: the axis over which mean and deviation are taken; None is all.
    Returns: same shape; zeros where x is constant or has one element. The standard deviation is the biased one (division
    by the number of elements).
    """
    centred = x - x.mean(dim, keepdim=True)
    return centred / (centred.square().mean(dim, keepdim=True).sqrt() + eps)
