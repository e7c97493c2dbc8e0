"""Pendulum-v1 as batched tensor dynamics; the equations and constants are those of Gymnasium's environment.

Gymnasium 1.4 has no vectorised Pendulum of its own, so one step of N costs N steps there; here it costs one.
"""

import math

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from .tensor import TensorVectorEnv

GRAVITY, MASS, LENGTH = 10.0, 1.0, 1.0  # m/s^2, kg, m
TIME_STEP = 0.05  # s
MAX_SPEED = 8.0  # rad/s
MAX_TORQUE = 2.0  # N m


class PendulumVectorEnv(TensorVectorEnv):
    """A pendulum to swing up and hold with too weak a motor; 200 steps, never terminated.

    State [N, 2]: angle [rad], 0 is upright, and angular velocity [rad/s]. Observation [N, 3]: cosine and sine of the
    angle, angular velocity. Action [N, 1]: torque [N m], clipped here to its limits. Reward: minus the cost
    angle^2 + 0.1 velocity^2 + 0.001 torque^2, with the angle in [-pi, pi].
    """

    start_size = 2

    def __init__(self, num_envs: int = 1, *, max_episode_steps: int = 200, device: str | torch.device = "cpu") -> None:
        super().__init__(num_envs, max_episode_steps=max_episode_steps, device=device)
        self.start_low = torch.tensor([-math.pi, -1.0], device=self.device)
        self.never = torch.zeros(num_envs, dtype=torch.bool, device=self.device)

    def spaces(self) -> tuple[spaces.Box, spaces.Box]:
        high = np.array([1.0, 1.0, MAX_SPEED], dtype=np.float32)
        return spaces.Box(-high, high, dtype=np.float32), spaces.Box(-MAX_TORQUE, MAX_TORQUE, (1,), np.float32)

    def start_states(self, numbers: Tensor) -> Tensor:
        return (1 - 2 * numbers) * self.start_low

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        angle, velocity = state.unbind(-1)  # [N] each
        torque = actions[:, 0].clamp(-MAX_TORQUE, MAX_TORQUE)
        wrapped = torch.remainder(angle + math.pi, 2 * math.pi) - math.pi
        cost = wrapped.square().add(velocity.square(), alpha=0.1).add(torque.square(), alpha=0.001)
        velocity = velocity.add(angle.sin(), alpha=1.5 * GRAVITY / LENGTH * TIME_STEP)
        velocity = velocity.add(torque, alpha=3.0 / (MASS * LENGTH**2) * TIME_STEP).clamp(-MAX_SPEED, MAX_SPEED)
        angle = angle.add(velocity, alpha=TIME_STEP)
        return torch.stack([angle, velocity], dim=-1), -cost, self.never.clone()

    def observe(self, state: Tensor) -> Tensor:
        angle, velocity = state.unbind(-1)
        return torch.stack([angle.cos(), angle.sin(), velocity], dim=-1)


def single_env(render_mode: str | None = None) -> gymnasium.Env:
    """Gymnasium's own Pendulum: what `gymnasium.make("pgcourse/Pendulum-v1")` gives."""
    from gymnasium.envs.classic_control.pendulum import PendulumEnv

    return PendulumEnv(render_mode=render_mode)
