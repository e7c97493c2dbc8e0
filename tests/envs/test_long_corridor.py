"""The long corridor: the batched one equals a plain walk, and its values are what simulation gives."""

import gymnasium
import numpy as np
import pytest
import torch
from torch import Tensor

from pgcourse import returns
from pgcourse.envs import LongCorridorVectorEnv, make_envs, make_single_env
from pgcourse.envs.long_corridor import (
    EPISODE_STEPS,
    LENGTH,
    NUM_PLACES,
    PRIZE,
    LongCorridorEnv,
    exact_values,
)


def walk(coins: list[float], actions: list[int]) -> list[tuple[list[float], float, bool]]:
    """One episode from its coins, as the description says it: (next observation, reward, terminated) of each step."""
    steps = []
    corridor = actions[0]
    for square in range(LENGTH + 1):
        reward = 0.0 if square == 0 else coins[square - 1]
        if square == LENGTH and corridor == 1:
            reward += PRIZE
        observation = [0.0] * NUM_PLACES
        if square < LENGTH:
            observation[1 + corridor * LENGTH + square] = 1.0
        steps.append((observation, reward, square == LENGTH))
    return steps


def test_the_batched_corridor_equals_a_plain_walk() -> None:
    generator = torch.Generator().manual_seed(0)
    envs = LongCorridorVectorEnv(12)
    obs, _ = envs.reset(seed=3)
    for _ in range(3):
        assert obs.tolist() == [[1.0] + [0.0] * (NUM_PLACES - 1)] * 12
        coins = envs.state[:, 2:].tolist()
        actions = torch.randint(0, 2, (EPISODE_STEPS, 12), generator=generator)
        expected = [walk(coins[n], actions[:, n].tolist()) for n in range(12)]
        for t in range(EPISODE_STEPS):
            obs, rewards, terminated, truncated, info = envs.step(actions[t])
            for n in range(12):
                found = (info["final_obs"][n].tolist(), rewards[n].item(), bool(terminated[n]))
                assert found == expected[n][t]
            assert not truncated.any()


def test_the_single_one_walks_the_same_way() -> None:
    env = LongCorridorEnv()
    for episode, corridor in enumerate((0, 1)):
        observation, _ = env.reset(seed=episode)
        assert observation.tolist() == [1.0] + [0.0] * (NUM_PLACES - 1)
        actions = [corridor] + [1 - corridor] * LENGTH  # later actions have no effect
        taken = [env.step(action) for action in actions]
        prize = PRIZE * corridor
        coins = [step[1] for step in taken[1:]]
        coins[-1] -= prize
        assert set(coins) <= {-1.0, 1.0}
        assert [(step[0].tolist(), step[1], step[2]) for step in taken] == walk(coins, actions)


def test_it_is_registered_alone_and_in_a_batch() -> None:
    assert isinstance(make_envs("LongCorridor-v0", 2, seed=0), LongCorridorVectorEnv)
    assert isinstance(make_single_env("LongCorridor-v0").unwrapped, LongCorridorEnv)
    assert gymnasium.spec("pgcourse/LongCorridor-v0").max_episode_steps > EPISODE_STEPS


def test_coins_are_fair_and_differ_between_squares_episodes_and_seeds() -> None:
    envs = LongCorridorVectorEnv(2000)
    envs.reset(seed=0)
    first = envs.state[:, 2:].clone()
    envs.reset()
    second = envs.state[:, 2:]
    spread = 1 / 2000**0.5
    assert first.mean(dim=0).abs().max() < 4.5 * spread
    correlation = torch.corrcoef(torch.cat([first, second], dim=1).T) - torch.eye(2 * LENGTH)
    assert correlation.abs().max() < 5 * spread


@pytest.mark.parametrize(("prize_probability", "gamma"), [(0.5, 1.0), (0.2, 0.9), (1.0, 0.99)])
def test_the_exact_values_are_what_simulation_gives(prize_probability: float, gamma: float) -> None:
    episodes = 6000
    rewards, places = simulate(episodes, prize_probability)
    to_go = returns.discounted_returns(rewards, gamma=gamma)  # [T, N]
    exact = exact_values(prize_probability, gamma=gamma)
    for place in range(NUM_PLACES):
        seen = to_go[places == place]
        if len(seen):
            assert abs(seen.mean() - exact[place]) < 4.5 * seen.std() / len(seen) ** 0.5 + 1e-6


def simulate(episodes: int, prize_probability: float) -> tuple[Tensor, Tensor]:
    """Rewards and places [T, N] of whole episodes."""
    generator = torch.Generator().manual_seed(1)
    envs = LongCorridorVectorEnv(episodes)
    obs, _ = envs.reset(seed=1)
    rewards, places = [], []
    for _ in range(EPISODE_STEPS):
        places.append(obs.argmax(dim=1))
        chosen = (torch.rand(episodes, generator=generator) < prize_probability).long()
        obs, reward, _, _, _ = envs.step(chosen)
        rewards.append(reward)
    return torch.stack(rewards), torch.stack(places)


def test_bellmans_equation_holds_for_the_exact_values() -> None:
    values = exact_values(0.3, gamma=0.9).numpy()
    fork, zero, one = values[0], values[1 : LENGTH + 1], values[LENGTH + 1 :]
    assert fork == pytest.approx(0.9 * (0.3 * one[0] + 0.7 * zero[0]))
    np.testing.assert_allclose(one[:-1], 0.9 * one[1:], rtol=1e-6)
    assert one[-1] == PRIZE and not zero.any()
