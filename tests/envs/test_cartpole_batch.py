"""The batched CartPole against Gymnasium's own batched one, over a hundred thousand states at once."""

import numpy as np
import torch
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv as GymnasiumCartPole

from pgcourse.envs import CartPoleVectorEnv


def test_a_hundred_thousand_random_states_and_actions_equal_gymnasiums() -> None:
    """States up to and beyond both limits, fast and slow; a step of each, and whether it ends the episode."""
    count = 100_000
    random = np.random.default_rng(0)
    spread = np.array([2.6, 4.0, 0.25, 4.0])  # the limits are 2.4 m and 0.209 rad
    states = random.uniform(-spread, spread, (count, 4)).astype(np.float32)
    actions = random.integers(0, 2, count)
    ours, theirs = CartPoleVectorEnv(count), GymnasiumCartPole(num_envs=count)
    ours.reset(seed=0)
    theirs.reset(seed=0)
    ours.state, theirs.state = torch.tensor(states), states.T.astype(np.float64)
    _, rewards, terminated, truncated, info = ours.step(torch.tensor(actions))
    obs, their_rewards, their_terminated, their_truncated, _ = theirs.step(actions)
    np.testing.assert_allclose(info["final_obs"].numpy(), obs, rtol=1e-5, atol=1e-6)
    assert np.array_equal(rewards.numpy(), their_rewards)
    assert np.array_equal(truncated.numpy(), their_truncated)
    # float32 may round a state on a limit to either side of it; none of these lies so close
    assert np.array_equal(terminated.numpy(), their_terminated)
    assert 0.1 < terminated.float().mean() < 0.9
