"""Reward shaping on Pendulum: a bonus for speed, when it is gamed, and potential-based shaping, which cannot be."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from gymnasium.vector import VectorEnv
from scipy.integrate import quad
from torch import Tensor

from ..envs import PendulumVectorEnv, env_seeds

SPEED_COST = 0.1  # of Pendulum's own reward, for each (rad/s)^2
GRAVITY_GAIN = 15.0  # rad/s^2: 3 g / (2 l) with g = 10 and l = 1, as in Pendulum


class PaidForSpeed(PendulumVectorEnv):
    """Pendulum whose reward has `bonus * |speed|` added to it, in the hope that it helps the swing-up."""

    scored_on = "Pendulum-v1"  # `run_seeds` scores there: what is different here is for training alone

    def __init__(self, num_envs: int, *, bonus: float) -> None:
        super().__init__(num_envs)
        self.bonus = bonus  # reward for each rad/s and step

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        after, reward, terminated = super().dynamics(state, actions)
        return after, reward + self.bonus * after[:, 1].abs(), terminated


class PaidForGain(PaidForSpeed):
    """The same wish as a difference of potentials: paid for speed that is gained, charged for speed that is lost.

    F = gamma * Phi(s') - Phi(s) with Phi = bonus * |speed|: along any path the payments telescope to the potential of its
    first state, so which policy is best stays the same. Source: Ng, Harada and Russell (1999), theorem 1.
    """

    def __init__(self, num_envs: int, *, bonus: float, gamma: float) -> None:
        super().__init__(num_envs, bonus=bonus)
        self.gamma = gamma

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        after, reward, terminated = PendulumVectorEnv.dynamics(self, state, actions)
        gain = self.gamma * after[:, 1].abs() - state[:, 1].abs()
        return after, reward + self.bonus * gain, terminated


@dataclass(frozen=True)
class ShapedEnvs:
    """Seeded environments of one kind, for `envs` in `run_seeds`. A gamma makes it `PaidForGain`."""

    num_envs: int
    bonus: float
    gamma: float | None = None

    def __call__(self, seed: int) -> VectorEnv:
        envs: Any = (
            PaidForSpeed(self.num_envs, bonus=self.bonus)
            if self.gamma is None
            else PaidForGain(self.num_envs, bonus=self.bonus, gamma=self.gamma)
        )
        envs.reset(seed=env_seeds(seed, self.num_envs))
        return envs


def turning_reward(bonus: float, top_speed: float) -> float:
    """Reward a step [-] of a pendulum that turns for ever without torque; standing upright earns 0.

    Gravity alone makes it fast below: (d angle/dt)^2 = top_speed^2 + 30 (1 - cos angle), in rad/s, upright at angle 0.
    A turn earns the bonus times its length, 2 pi, and costs what Pendulum charges for angle and speed; both are divided
    by the turn's time. Valid up to a top speed of 2 rad/s, from which it would pass the limit of 8 rad/s below.
    """
    period, cost = _turn(top_speed)
    return (bonus * 2 * math.pi - cost) / period


def gamed_from(top_speed: float) -> float:
    """The bonus [reward for each rad/s] from which turning freely for ever earns more than standing upright."""
    return _turn(top_speed)[1] / (2 * math.pi)


def _turn(top_speed: float) -> tuple[float, float]:
    """Time [s] of a free turn, and the integral of Pendulum's cost over that time."""

    def speed(angle: float) -> float:
        return math.sqrt(top_speed**2 + 2 * GRAVITY_GAIN * (1 - math.cos(angle)))

    period = 2 * quad(lambda angle: 1 / speed(angle), 0, math.pi, limit=200)[0]
    cost = 2 * quad(lambda angle: angle**2 / speed(angle) + SPEED_COST * speed(angle), 0, math.pi)[0]
    return period, cost


@torch.no_grad()
def mean_speed(policy: torch.nn.Module, *, seed: int, num_envs: int = 64, num_steps: int = 200) -> float:
    """Mean of |speed| [rad/s] over the second half of episodes in which the policy takes its mode."""
    envs = PendulumVectorEnv(num_envs)
    obs, _ = envs.reset(seed=env_seeds(seed, num_envs, "evaluation"))
    speeds = []
    for step in range(num_steps):
        obs = envs.step(policy(obs).mode)[0]
        if num_steps // 2 <= step < num_steps - 1:  # the last step gives the next episode's first observation
            speeds.append(obs[:, 2].abs().mean())
    return float(torch.stack(speeds).mean())
