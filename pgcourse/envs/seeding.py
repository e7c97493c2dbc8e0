"""Seeding of environments: no two share a random stream, and any episode can be had without the ones before.

Neighbouring integer seeds must not share start states (a vector environment's `reset(seed=s)` gives environment i the
seed s + i, so seeds 1 and 2 have all but one start state in common), and training must never see an evaluation start.
"""

from typing import Literal

import numpy as np
import torch
from torch import Tensor

Purpose = Literal["training", "evaluation"]

# The constants of SplitMix64 (Steele, Lea and Flood, 2014), as signed 64-bit integers: torch wraps around as they need.
GOLDEN_GAMMA = 0x9E3779B97F4A7C15 - (1 << 64)
MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
MIX_2 = 0x94D049BB133111EB - (1 << 64)


def env_seeds(seed: int, num_envs: int, purpose: Purpose = "training") -> list[int]:
    """One seed for each environment, derived from the run's seed.

    Args: seed: >= 0. Returns: `num_envs` distinct-by-chance integers below 2**62; training seeds are even and
    evaluation seeds odd, so that the two can never meet. The first k do not depend on `num_envs`.
    """
    words = np.random.SeedSequence(seed).generate_state(num_envs, np.uint64)
    return [int(word >> np.uint64(3)) * 2 + (purpose == "evaluation") for word in words]


def stream_keys(seeds: Tensor) -> Tensor:
    """Scrambled seeds for `uniform`, so that neighbouring ones give unrelated streams. Args and returns: [N] int64."""
    return _mix(seeds)


def uniform(keys: Tensor, episodes: Tensor, count: int) -> Tensor:
    """`count` numbers in [0, 1) that depend on nothing but (environment seed, episode index).

    Args: keys: [N] int64 of `stream_keys`; episodes: [N] int64.
    Returns: [N, count] float32, the same bits on any device and in any order.
    """
    draw = torch.arange(1, count + 1, device=keys.device)  # [count]
    counter = episodes[:, None] * count + draw  # [N, count]
    bits = _mix(torch.add(keys[:, None], counter, alpha=GOLDEN_GAMMA))
    return _shift_right(bits, 40).to(torch.float32) * 2.0**-24  # the 24 highest bits: exact in float32


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shift_right(x, 30)) * MIX_1
    x = (x ^ _shift_right(x, 27)) * MIX_2
    return x ^ _shift_right(x, 31)


def _shift_right(x: Tensor, bits: int) -> Tensor:
    return (x >> bits) & ((1 << (64 - bits)) - 1)  # torch's shift copies the sign bit; the mask clears it
