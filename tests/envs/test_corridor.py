"""The corridor: the batched one equals the single one, and the exact formulas are what simulation gives."""

import math

import gymnasium
import numpy as np
import pytest
import torch

from pgcourse.envs import ShortCorridorVectorEnv, corridor, make_envs, make_single_env
from pgcourse.rollout import collect_episodes


class Sides(torch.nn.Module):
    """A policy that goes right with a fixed probability: one logit for left (0), one for right."""

    def __init__(self, right_probability: float) -> None:
        super().__init__()
        logit = math.log(right_probability / (1 - right_probability))
        self.logit = torch.nn.Parameter(torch.tensor(logit))

    def forward(self, obs: torch.Tensor) -> torch.distributions.Distribution:
        logits = torch.stack([torch.zeros_like(self.logit), self.logit])
        return torch.distributions.Categorical(logits=logits.expand(*obs.shape[:-1], 2))


def test_the_batched_corridor_equals_the_single_one_step_by_step() -> None:
    generator = torch.Generator().manual_seed(0)
    envs = ShortCorridorVectorEnv(20)
    envs.reset(seed=0)
    singles = [gymnasium.make("pgcourse/ShortCorridor-v0").unwrapped for _ in range(20)]
    for single in singles:
        single.reset(seed=0)
    ends = 0
    for _ in range(200):
        actions = torch.randint(0, 2, (20,), generator=generator)
        obs, rewards, terminated, truncated, info = envs.step(actions)
        for n, single in enumerate(singles):
            their_obs, reward, their_end, _, _ = single.step(int(actions[n]))
            assert (rewards[n].item(), bool(terminated[n])) == (reward, their_end)
            assert obs[n].tolist() == info["final_obs"][n].tolist() == their_obs.tolist() == [1.0]
            if their_end:
                single.reset()
            assert envs.state[n].item() == single.square
        assert not truncated.any()
        ends += int(terminated.sum())
    assert ends > 100


def test_the_short_id_is_the_same_environment_alone_and_in_a_batch() -> None:
    assert isinstance(make_envs("ShortCorridor-v0", 2, seed=0), ShortCorridorVectorEnv)
    assert isinstance(make_single_env("ShortCorridor-v0").unwrapped, corridor.ShortCorridorEnv)


def test_the_second_square_switches_the_actions_and_the_first_has_a_wall() -> None:
    envs = ShortCorridorVectorEnv(1)
    envs.reset(seed=0)
    squares = []
    for action in (0, 1, 1, 1, 0, 0, 1, 0, 1):
        terminated = envs.step(torch.tensor([action]))[2]
        squares.append(int(envs.state.item()))
    # Wall, to 1, switched back to 0, to 1, switched on to 2, left to 1, switched to 0 ... and never to the goal.
    assert squares == [0, 1, 0, 1, 2, 1, 0, 0, 1]
    assert not terminated
    assert not envs.step(torch.tensor([0]))[2]  # on to 2
    assert envs.step(torch.tensor([1]))[2]  # and to the goal


def test_going_right_always_never_arrives_and_is_truncated() -> None:
    envs = ShortCorridorVectorEnv(1, max_episode_steps=7)
    envs.reset(seed=0)
    flags = [(bool(t), bool(u)) for _, _, t, u, _ in (envs.step(torch.tensor([1])) for _ in range(7))]
    assert flags == [(False, False)] * 6 + [(False, True)]
    assert corridor.exact_value(1.0) == corridor.exact_value(0.0) == -math.inf


@pytest.mark.parametrize("p", [0.05, 0.3, 0.5, corridor.BEST_RIGHT_PROBABILITY, 0.95])
def test_the_exact_value_solves_the_bellman_equations(p: float) -> None:
    """v0 = -1 + (1-p) v0 + p v1;  v1 = -1 + p v0 + (1-p) v2;  v2 = -1 + (1-p) v1."""
    system = np.array([[p, -p, 0], [-p, 1, -(1 - p)], [0, -(1 - p), 1]])
    value = np.linalg.solve(system, -np.ones(3))[0]
    assert corridor.exact_value(p) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.6, 0.9])
def test_the_exact_value_is_what_simulation_gives(p: float) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(int(1000 * p))
        envs = ShortCorridorVectorEnv(4000)
        envs.reset(seed=0)
        returns = np.array([float(episode.rewards.sum()) for episode in collect_episodes(Sides(p), envs)])
    z = (returns.mean() - corridor.exact_value(p)) / (returns.std() / math.sqrt(len(returns)))
    assert abs(z) < 4


@pytest.mark.parametrize("p", [0.05, 0.3, 0.5, 0.7, 0.95])
def test_the_exact_gradient_is_the_slope_of_the_value_over_the_logit(p: float) -> None:
    def value(logit: float) -> float:
        return corridor.exact_value(1 / (1 + math.exp(-logit)))

    logit, h = math.log(p / (1 - p)), 1e-5
    assert corridor.exact_gradient(p) == pytest.approx((value(logit + h) - value(logit - h)) / (2 * h), rel=1e-6)


def test_the_best_probability_is_where_sutton_and_barto_say() -> None:
    """Example 13.1: about 0.59, with a value of about -11.6."""
    best = corridor.BEST_RIGHT_PROBABILITY
    assert corridor.exact_gradient(best) == pytest.approx(0, abs=1e-9)
    assert round(best, 2) == 0.59
    assert corridor.exact_value(best) == pytest.approx(-11.66, abs=0.01)
    assert corridor.exact_value(best) > max(corridor.exact_value(best + step) for step in (-0.01, 0.01))
