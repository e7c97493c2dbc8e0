"""Advantages of M answers to each of P prompts, from one reward an answer: [P, M] -> [P, M].

Every token of an answer gets the answer's advantage: between prompt and END nothing is rewarded and nothing is random but the
choice of tokens. All of these leave the expected gradient as it is, up to a factor, but for `group_normalized`.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def none(rewards: Tensor) -> Tensor:
    """The reward itself: REINFORCE without a baseline."""
    return rewards


def batch_mean(rewards: Tensor) -> Tensor:
    """Less the mean of all answers to all prompts. The expected gradient is 1 - 1/(P M) times the true one."""
    return rewards - rewards.mean()


def group_mean(rewards: Tensor) -> Tensor:
    """Less the mean of the answers to the same prompt. The expected gradient is 1 - 1/M times the true one.

    The answer itself is in its baseline, and takes that share of its own reward away. Source: Liu et al. (2025),
    "Understanding R1-Zero-like training: a critical perspective", who call it Dr. GRPO.
    """
    return rewards - rewards.mean(-1, keepdim=True)


def leave_one_out(rewards: Tensor) -> Tensor:
    """Less the mean of the *other* answers to the same prompt: M / (M - 1) times `group_mean`, exact in expectation.

    Source: Kool et al. (2019), "Buy 4 REINFORCE samples, get a baseline for free!"; for language models Ahmadian et al.
    (2024), "Back to basics".
    """
    others = rewards.shape[-1] - 1
    return rewards - (rewards.sum(-1, keepdim=True) - rewards) / others


def group_normalized(rewards: Tensor, *, eps: float = 1e-4) -> Tensor:
    """Less the group's mean, divided by its standard deviation: hard and easy prompts count as much as medium ones.

    A group whose rewards are all equal gets 0: it says nothing. Args: eps: added to the deviation, which divides by M - 1.
    Source: Shao et al. (2024), "DeepSeekMath", equation for outcome supervision, who call it GRPO.
    """
    deviation = rewards.std(-1, keepdim=True)
    return group_mean(rewards) / (deviation + eps)


AdvantageFn = Callable[[Tensor], Tensor]
BY_NAME: dict[str, AdvantageFn] = {
    "none": none,
    "batch_mean": batch_mean,
    "group_mean": group_mean,
    "leave_one_out": leave_one_out,
    "group_normalized": group_normalized,
}


def informative(rewards: Tensor) -> Tensor:
    """Share of the groups whose rewards are not all equal, scalar: the others give no gradient with a group's baseline."""
    return (rewards.amax(-1) > rewards.amin(-1)).to(torch.float32).mean()
