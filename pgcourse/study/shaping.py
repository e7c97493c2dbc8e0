"""A pendulum that is also paid for speed: a shaped reward, when it is gamed, and the shaping that cannot be."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor

from ..envs import PendulumVectorEnv, env_seeds
from ..envs.pendulum import MAX_SPEED

SPEED_COST = 0.1  # of Pendulum's own reward, for each (rad/s)^2


class PaidForSpeed(PendulumVectorEnv):
    """Pendulum whose reward has `bonus * |speed|` added to it, in the hope that it helps the swing-up."""

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
    """Seeded environments of one kind: the `envs` seam of `run_seeds`. A gamma makes it `PaidForGain`."""

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


def spinning_reward(bonus: float) -> float:
    """Reward a step [-] of a pendulum that turns for ever at the speed that pays best; standing upright earns 0.

    At a steady speed v all angles are equally frequent, and the mean of angle^2 over a turn is pi^2 / 3, so a step earns
    bonus * v - 0.1 v^2 - pi^2 / 3. Best is v = 5 * bonus, within the limit of 8 rad/s. The torque's cost, at most 0.004,
    is left out.
    """
    speed = min(bonus / (2 * SPEED_COST), MAX_SPEED)
    return bonus * speed - SPEED_COST * speed**2 - math.pi**2 / 3


def gamed_from() -> float:
    """The bonus [reward for each rad/s] above which turning for ever earns more than standing upright."""
    # bonus^2 / 0.4 = pi^2 / 3; the best speed there, 5.7 rad/s, is within the limit.
    return math.sqrt(4 * SPEED_COST * math.pi**2 / 3)


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
