"""Shaped rewards: what is added, what a loop earns from it, and that potentials leave nothing to earn."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from pgcourse.envs import PendulumVectorEnv
from pgcourse.envs.pendulum import TIME_STEP
from pgcourse.study.shaping import ShapedEnvs, gamed_from, mean_speed, spinning_reward

ACTIONS = torch.randn(40, 3, 1, generator=torch.Generator().manual_seed(0))  # [T, N, A]


def run(envs: PendulumVectorEnv) -> tuple[Tensor, Tensor]:
    """Observations [T + 1, N, 3] and rewards [T, N]."""
    obs, rewards = [envs.reset(seed=4)[0]], []
    for action in ACTIONS:
        next_obs, reward, _, _, _ = envs.step(action)
        obs.append(next_obs)
        rewards.append(reward)
    return torch.stack(obs), torch.stack(rewards)


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


def test_what_turning_for_ever_earns() -> None:
    """The formula against a pendulum that is carried round at a steady speed."""
    bonus, speed = 1.5, 7.5  # the best speed is 5 x the bonus
    angles = torch.arange(0, 2 * math.pi, speed * TIME_STEP / 100)
    wrapped = torch.remainder(angles + math.pi, 2 * math.pi) - math.pi
    carried = (-wrapped.square() - 0.1 * speed**2 + bonus * speed).mean().item()
    assert spinning_reward(bonus) == pytest.approx(carried, abs=0.01)
    assert spinning_reward(3.0) == pytest.approx(3.0 * 8 - 6.4 - math.pi**2 / 3), "no faster than the limit"
    for other in (6.5, 7.9):
        assert -0.1 * other**2 + bonus * other < -0.1 * speed**2 + bonus * speed


def test_the_bonus_from_which_it_pays() -> None:
    assert spinning_reward(gamed_from()) == pytest.approx(0, abs=1e-9)
    assert spinning_reward(gamed_from() - 0.01) < 0 < spinning_reward(gamed_from() + 0.01)


class FullTorque(nn.Module):
    """Pushes one way, or not at all."""

    def __init__(self, torque: float) -> None:
        super().__init__()
        self.torque = torque

    def forward(self, obs: Tensor) -> SimpleNamespace:
        return SimpleNamespace(mode=torch.full((len(obs), 1), self.torque))


def test_mean_speed_tells_who_turns() -> None:
    pushed, left_alone = mean_speed(FullTorque(2.0), seed=0), mean_speed(FullTorque(0.0), seed=0)
    assert 0 < left_alone < pushed <= 8.0
