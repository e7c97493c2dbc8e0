"""The small tasks that studies bring along: what they pay, when they end, and what is known of them exactly."""

import pytest
import torch

from pgcourse import make_envs
from tools.claims.decoy import LARGE, SMALL, DecoyVectorEnv, FarDecoyVectorEnv
from tools.claims.gaussian_reinforce import LIMIT, STEPS, PointVectorEnv
from tools.claims.reward_clipping import ClippedDecoyVectorEnv, ClippedPendulumVectorEnv, clipped_share


def walked(envs: DecoyVectorEnv, actions: list[int]) -> tuple[list[float], list[bool], list[int]]:
    """Rewards, ends and the squares shown, of one environment."""
    obs, _ = envs.reset(seed=0)
    rewards, ends, squares = [], [], [int(obs.argmax())]
    for action in actions:
        _, reward, terminated, _, info = envs.step(torch.tensor([action]))
        rewards.append(float(reward))
        ends.append(bool(terminated))
        squares.append(int(info["final_obs"].argmax()) if info["final_obs"].any() else -1)
    return rewards, ends, squares


@pytest.mark.parametrize("kind", [DecoyVectorEnv, FarDecoyVectorEnv])
def test_the_whole_walk_pays_the_large_prize_at_its_end(kind: type[DecoyVectorEnv]) -> None:
    rewards, ends, squares = walked(kind(1), [1] * kind.squares)
    assert rewards == [0.0] * (kind.squares - 1) + [LARGE]
    assert ends == [False] * (kind.squares - 1) + [True]
    assert squares == [*range(kind.squares), -1]


def test_leaving_pays_at_the_start_alone() -> None:
    assert walked(DecoyVectorEnv(1), [0])[:2] == ([SMALL], [True])
    assert walked(DecoyVectorEnv(1), [1, 0])[:2] == ([0.0, 0.0], [False, True])


def test_clipped_both_prizes_are_the_same() -> None:
    assert walked(ClippedDecoyVectorEnv(1), [0])[0] == [1.0]
    assert walked(ClippedDecoyVectorEnv(1), [1] * DecoyVectorEnv.squares)[0][-1] == 1.0


def test_a_clipped_pendulum_moves_as_the_other_one() -> None:
    clipped, plain = ClippedPendulumVectorEnv(8), make_envs("Pendulum-v1", 8, seed=3)
    start = clipped.reset(seed=3)[0], plain.reset(seed=3)[0]
    torch.testing.assert_close(*start, rtol=0, atol=0)
    for _ in range(20):
        after, wanted = clipped.step(torch.ones(8, 1)), plain.step(torch.ones(8, 1))
        torch.testing.assert_close(after[0], wanted[0], rtol=0, atol=0)
        torch.testing.assert_close(after[1], wanted[1].clamp(min=-1.0), rtol=0, atol=0)


def test_most_rewards_of_a_random_agent_on_pendulum_are_clipped() -> None:
    assert 0.8 < clipped_share(type("Seeded", (), {"seed": 5})()) < 1.0


@pytest.mark.parametrize("width", [0.1, 0.3])
def test_the_best_move_costs_five_times_the_variance(width: float) -> None:
    torch.manual_seed(0)
    envs = PointVectorEnv(20_000)
    obs, _ = envs.reset(seed=1)
    total = torch.zeros(envs.num_envs)
    for step in range(STEPS):
        torch.testing.assert_close(obs[:, 1], torch.full((envs.num_envs,), 1 - step / STEPS))
        obs, rewards, terminated, _, _ = envs.step(-obs[:, :1] + width * torch.randn(envs.num_envs, 1))
        total += rewards
        assert bool(terminated.all()) == (step == STEPS - 1)
    assert float(total.mean()) == pytest.approx(-STEPS * width**2, rel=0.02)


def test_a_move_beyond_the_limit_is_cut() -> None:
    envs = PointVectorEnv(1)
    start = float(envs.reset(seed=0)[0][0, 0])
    assert float(envs.step(torch.tensor([[10.0]]))[1]) == pytest.approx(-((start + LIMIT) ** 2), rel=1e-5)
