"""Our advantages against Stable-Baselines3's, and the one thing that its buffer cannot say.

Needs the extra `bench`. Its rollout buffer keeps "an episode starts here" and the value of each visited state. It has no
column for the value of the true next observation, and no way to tell a truncated episode from a terminated one.
"""

import numpy as np
import pytest
import torch
from torch import Tensor

from pgcourse import returns

buffers = pytest.importorskip("stable_baselines3.common.buffers")
spaces = pytest.importorskip("gymnasium.spaces")

STEPS, ENVS = 40, 5


class Experience:
    """Random rows; V(next) is V of the next row, but at an episode's end, where it is of a state that nobody acts in."""

    def __init__(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.rewards = torch.randn(STEPS, ENVS, generator=generator)
        self.values = torch.randn(STEPS, ENVS, generator=generator)
        self.last_values = torch.randn(ENVS, generator=generator)
        self.ends = torch.rand(STEPS, ENVS, generator=generator) < 0.15
        self.ends[-1, 0], self.ends[-1, 1] = True, False  # the last row, with an end and without
        self.final_values = torch.randn(STEPS, ENVS, generator=generator)
        following = torch.cat([self.values[1:], self.last_values[None]])
        self.next_values = torch.where(self.ends, self.final_values, following)
        self.never = torch.zeros_like(self.ends)


def theirs(experience: Experience, rewards: Tensor, *, gamma: float, gae_lambda: float) -> tuple[Tensor, Tensor]:
    """Advantages and returns [T, N] of Stable-Baselines3, in which every end is an end."""
    space = spaces.Box(-1, 1, (1,), np.float32)
    buffer = buffers.RolloutBuffer(STEPS, space, spaces.Discrete(2), gamma=gamma, gae_lambda=gae_lambda, n_envs=ENVS)
    starts = np.ones(ENVS, bool)
    for t in range(STEPS):
        row = np.zeros((ENVS, 1), np.float32), np.zeros((ENVS, 1)), rewards[t].numpy(), starts
        buffer.add(*row, experience.values[t], torch.zeros(ENVS))
        starts = experience.ends[t].numpy()
    buffer.compute_returns_and_advantage(experience.last_values, dones=starts)
    return torch.as_tensor(buffer.advantages), torch.as_tensor(buffer.returns)


SETTINGS = [(0.99, 0.95), (0.9, 1.0), (0.9, 0.0), (1.0, 1.0)]


@pytest.mark.parametrize(("gamma", "gae_lambda"), SETTINGS)
@pytest.mark.parametrize("seed", range(3))
def test_advantages_of_terminated_episodes_are_stable_baselines3s(seed: int, gamma: float, gae_lambda: float) -> None:
    e = Experience(seed)
    ours = returns.gae(e.rewards, e.values, e.next_values, e.ends, e.never, gamma=gamma, gae_lambda=gae_lambda)
    advantages, targets = theirs(e, e.rewards, gamma=gamma, gae_lambda=gae_lambda)
    torch.testing.assert_close(ours, advantages, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours + e.values, targets, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("gamma", "gae_lambda"), SETTINGS)
def test_for_truncated_episodes_its_buffer_needs_other_rewards(gamma: float, gae_lambda: float) -> None:
    """It drops the bootstrap of a truncated row; with gamma * V(last observation) put into the reward it agrees.

    That is what its `collect_rollouts` does. The row's advantage comes out right, but the rewards in the buffer are no
    longer those of the environment.
    """
    e = Experience(7)
    ours = returns.gae(e.rewards, e.values, e.next_values, e.never, e.ends, gamma=gamma, gae_lambda=gae_lambda)
    as_given, _ = theirs(e, e.rewards, gamma=gamma, gae_lambda=gae_lambda)
    missing = (ours - as_given)[e.ends]
    torch.testing.assert_close(missing, gamma * e.final_values[e.ends], rtol=1e-4, atol=1e-5)
    assert missing.abs().min() > 1e-4

    helped, _ = theirs(e, e.rewards + gamma * e.final_values * e.ends, gamma=gamma, gae_lambda=gae_lambda)
    torch.testing.assert_close(ours, helped, rtol=1e-5, atol=1e-5)
