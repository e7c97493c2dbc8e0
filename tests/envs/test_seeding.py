"""Start states: any device, any order, no two seeds alike, and training never sees an evaluation's."""

import gymnasium
import numpy as np
import pytest
import scipy.stats
import torch

from pgcourse.envs import CartPoleVectorEnv, env_seeds, make_envs
from pgcourse.envs.seeding import stream_keys, uniform
from tests.recording import refused


def numbers(seeds: list[int], episodes: list[int], count: int = 4) -> torch.Tensor:
    return uniform(stream_keys(torch.tensor(seeds)), torch.tensor(episodes), count)


def start_states(seeds: list[int], num_episodes: int) -> torch.Tensor:
    """Return the start states [E, N, 4] of the first episodes, reached by one-step episodes."""
    envs = CartPoleVectorEnv(len(seeds), max_episode_steps=1)
    states = [envs.reset(seed=seeds)[0]]
    for _ in range(num_episodes - 1):
        states.append(envs.step(torch.zeros(len(seeds)))[0])
    return torch.stack(states)


def rows(states: torch.Tensor) -> set[tuple[float, ...]]:
    return {tuple(row) for row in states.reshape(-1, 4).tolist()}


def test_a_start_state_depends_only_on_seed_and_episode() -> None:
    seeds, episodes = [11, 12, 13], [0, 5, 2]
    together = numbers(seeds, episodes)
    for n in (2, 0, 1):  # alone, in another order
        assert torch.equal(numbers([seeds[n]], [episodes[n]])[0], together[n])


def test_an_environment_does_not_notice_its_neighbours() -> None:
    together, alone = start_states([7, 8, 9], 5), start_states([8], 5)
    assert torch.equal(together[:, 1], alone[:, 0])


def test_the_start_of_an_episode_does_not_depend_on_when_the_one_before_ended() -> None:
    """So a run is resumable: episode 3 of an environment is the same one after short or long episodes."""
    short, long = CartPoleVectorEnv(1, max_episode_steps=2), CartPoleVectorEnv(1, max_episode_steps=9)
    found = []
    for envs in (short, long):
        envs.reset(seed=[42])
        ended = 0
        while ended < 3:
            obs, _, terminated, truncated, _ = envs.step(torch.tensor([ended % 2]))
            ended += int(terminated | truncated)
        found.append(obs)
    assert torch.equal(*found)


def test_a_reset_with_a_seed_begins_anew_and_one_without_goes_on() -> None:
    """One seed for all is the same as the seeds derived from it."""
    envs = CartPoleVectorEnv(3)
    first, second = envs.reset(seed=6)[0], envs.reset()[0]
    assert torch.equal(envs.reset(seed=env_seeds(6, 3))[0], first)
    assert torch.equal(envs.reset()[0], second)
    assert not torch.equal(first, second)


def test_a_wrong_number_of_seeds_is_refused() -> None:
    with refused("2 seeds for 3 environments; give one each, or one integer"):
        CartPoleVectorEnv(3).reset(seed=[1, 2])


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Acrobot-v1"])
def test_neighbouring_seeds_share_no_start_state_as_gymnasiums_do(env_id: str) -> None:
    """Gymnasium seeds environment i with seed + i, so runs 1 and 2 of eight environments have seven starts in common."""

    def starts(envs: gymnasium.vector.VectorEnv, **options: int) -> set[tuple[float, ...]]:
        return {tuple(row) for row in envs.reset(**options)[0].tolist()}

    gymnasiums = gymnasium.make_vec(env_id, num_envs=8, vectorization_mode="sync")
    assert len(starts(gymnasiums, seed=1) & starts(gymnasiums, seed=2)) == 7
    first, second, third = (starts(make_envs(env_id, 8, seed=seed)) for seed in (1, 2, 3))
    assert first & second == second & third == set()
    assert len(first) == len(second) == len(third) == 8


def test_neighbouring_environment_seeds_give_unrelated_streams() -> None:
    """Streams that overlap, one a few draws after the other, are the danger of counters."""
    states = start_states(list(range(20)), 50)  # 20 neighbouring seeds, 50 episodes
    assert len(rows(states)) == 1000
    first = states[:, :, 0].numpy()
    correlations = np.corrcoef(first.T)[~np.eye(20, dtype=bool)]
    # 190 pairs of 50 independent numbers: a correlation has a deviation of 1/7, and the largest is around 3 of them.
    assert np.abs(correlations).max() < 4.5 / np.sqrt(50)
    assert np.abs(correlations.mean()) < 0.03


def test_training_and_evaluation_seeds_never_meet_and_more_environments_keep_the_seeds_of_the_first() -> None:
    for seed in (0, 1, 2, 900, 2**40):
        assert all(value % 2 == 0 for value in env_seeds(seed, 100, "training"))
        assert all(value % 2 == 1 for value in env_seeds(seed, 100, "evaluation"))
        assert env_seeds(seed, 8)[:5] == env_seeds(seed, 5)


def test_seeds_are_distinct_and_fit_in_a_signed_word() -> None:
    seeds = [value for seed in range(50) for value in env_seeds(seed, 200)]
    assert len(set(seeds)) == len(seeds)
    assert min(seeds) >= 0 and max(seeds) < 2**62


def test_start_states_are_uniform_in_every_dimension() -> None:
    """Kolmogorov-Smirnov against the uniform law of [-0.05, 0.05), and no dependence between dimensions."""
    states = start_states(env_seeds(0, 100), 100).reshape(-1, 4).numpy().astype(np.float64)
    for dimension in range(4):
        assert scipy.stats.kstest(states[:, dimension], "uniform", args=(-0.05, 0.1)).pvalue > 1e-3
    off_diagonal = np.corrcoef(states.T)[~np.eye(4, dtype=bool)]
    assert np.abs(off_diagonal).max() < 4.5 / np.sqrt(len(states))


def test_numbers_are_uniform_along_episodes_and_along_seeds() -> None:
    along_episodes = numbers([123] * 5000, list(range(5000)), 1).numpy()[:, 0]
    along_seeds = numbers(list(range(5000)), [0] * 5000, 1).numpy()[:, 0]
    for x in (along_episodes, along_seeds):
        assert x.min() >= 0 and x.max() < 1
        assert scipy.stats.kstest(x, "uniform").pvalue > 1e-3
        assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 4.5 / np.sqrt(len(x))


def test_the_scrambling_is_splitmix64() -> None:
    """The published generator in plain integers: state += golden gamma, then its finaliser; 24 high bits are kept."""

    def finalise(x: int) -> int:
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
        return x ^ (x >> 31)

    # First output of the reference implementation for the state 1234567.
    assert finalise((1234567 + 0x9E3779B97F4A7C15) % 2**64) == 6457827717110365317
    seed, episode, count = 2**61 + 3, 7, 4
    key = finalise(seed)
    expected = [
        (finalise((key + 0x9E3779B97F4A7C15 * (episode * count + draw)) % 2**64) >> 40) / 2**24
        for draw in range(1, count + 1)
    ]
    assert numbers([seed], [episode], count)[0].tolist() == expected
