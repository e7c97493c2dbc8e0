"""Shaped rewards: what is added, what a loop earns from it, and that potentials leave nothing to earn."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from pgcourse.envs import PendulumVectorEnv
from pgcourse.envs.pendulum import TIME_STEP
from pgcourse.study.shaping import ShapedEnvs, gamed_from, mean_speed, turning_reward

ACTIONS = torch.randn(40, 3, 1, generator=torch.Generator().manual_seed(0))  # [T, N, A]


def run(envs: PendulumVectorEnv) -> tuple[Tensor, Tensor]:
    """Observations [T + 1, N, 3] and rewards [T, N]."""
    first, _ = envs.reset(seed=4)
    steps = [envs.step(action) for action in ACTIONS]
    return torch.stack([first, *(step[0] for step in steps)]), torch.stack([step[1] for step in steps])


def test_speed_is_paid_on_top_and_nothing_else_changes() -> None:
    obs, plain = run(PendulumVectorEnv(3))
    same_obs, paid = run(ShapedEnvs(3, 1.5)(0))  # type: ignore[arg-type]
    torch.testing.assert_close(obs, same_obs)
    torch.testing.assert_close(paid - plain, 1.5 * obs[1:, :, 2].abs())


def test_a_difference_of_potentials_telescopes_to_the_first_state() -> None:
    """Sum of gamma^t (gamma Phi(s') - Phi(s)) over T steps is gamma^T Phi(s_T) - Phi(s_0), whatever lies between."""
    obs, plain = run(PendulumVectorEnv(3))
    _, paid = run(ShapedEnvs(3, 2.0, 0.9)(0))  # type: ignore[arg-type]
    discounts = 0.9 ** torch.arange(len(ACTIONS))[:, None]
    potential = 2.0 * obs[:, :, 2].abs()
    expected = 0.9 ** len(ACTIONS) * potential[-1] - potential[0]
    torch.testing.assert_close((discounts * (paid - plain)).sum(dim=0), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("top_speed", [1.0, 1.8])
def test_what_turning_for_ever_earns(top_speed: float) -> None:
    """The integral against a pendulum that is let go at the top, over twenty turns and without torque."""
    envs = ShapedEnvs(1, 1.5)(0)
    state = torch.tensor([[0.0, top_speed]], dtype=torch.float64)  # upright
    rewards, turned = [], 0.0
    while turned < 20 * 2 * math.pi:
        state, reward, _ = envs.dynamics(state, torch.zeros(1, 1, dtype=torch.float64))  # type: ignore[attr-defined]
        turned += float(state[0, 1]) * TIME_STEP
        rewards.append(float(reward))
    assert turning_reward(1.5, top_speed) == pytest.approx(sum(rewards) / len(rewards), rel=0.05)


@pytest.mark.parametrize("top_speed", [0.01, 1.0, 2.0])
def test_the_bonus_from_which_it_pays(top_speed: float) -> None:
    line = gamed_from(top_speed)
    assert turning_reward(line, top_speed) == pytest.approx(0, abs=1e-9)
    assert turning_reward(line - 0.01, top_speed) < 0 < turning_reward(line + 0.01, top_speed)


class Push(nn.Module):
    def forward(self, obs: Tensor) -> SimpleNamespace:
        return SimpleNamespace(mode=torch.full((len(obs), 1), 2.0))


class LetGo(nn.Module):
    def forward(self, obs: Tensor) -> SimpleNamespace:
        return SimpleNamespace(mode=torch.zeros(len(obs), 1))


def test_mean_speed_tells_who_turns() -> None:
    assert 0 < mean_speed(LetGo(), seed=0) < mean_speed(Push(), seed=0) <= 8.0
