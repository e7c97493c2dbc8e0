"""CartPole-v1 as batched tensor dynamics; the equations and constants are those of Gymnasium's environment."""

import math

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from .tensor import TensorVectorEnv

GRAVITY = 9.8  # m/s^2
CART_MASS, POLE_MASS = 1.0, 0.1  # kg
TOTAL_MASS = CART_MASS + POLE_MASS
HALF_LENGTH = 0.5  # m, half of the pole
FORCE = 10.0  # N
TIME_STEP = 0.02  # s
POSITION_LIMIT = 2.4  # m
ANGLE_LIMIT = 12 * 2 * math.pi / 360  # rad


class CartPoleVectorEnv(TensorVectorEnv):
    """A pole on a cart, pushed left (0) or right (1); reward 1 a step until it falls, leaves the track, or 500 steps.

    State and observation [N, 4]: cart position [m] and velocity [m/s], pole angle [rad] and angular velocity [rad/s].
    """

    start_size = 4

    def __init__(self, num_envs: int = 1, *, max_episode_steps: int = 500, device: str | torch.device = "cpu") -> None:
        super().__init__(num_envs, max_episode_steps=max_episode_steps, device=device)
        self.limits = torch.tensor([POSITION_LIMIT, math.inf, ANGLE_LIMIT, math.inf], device=self.device)
        self.push_left = torch.tensor(-FORCE / TOTAL_MASS, device=self.device)  # m/s^2
        self.inertia = torch.tensor(HALF_LENGTH * 4 / 3, device=self.device)  # m

    def spaces(self) -> tuple[spaces.Box, spaces.Discrete]:
        high = np.array([2 * POSITION_LIMIT, np.inf, 2 * ANGLE_LIMIT, np.inf], dtype=np.float32)
        return spaces.Box(-high, high, dtype=np.float32), spaces.Discrete(2)

    def start_states(self, numbers: Tensor) -> Tensor:
        return numbers * 0.1 - 0.05

    def dynamics(self, state: Tensor, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        # add(alpha=) and addcmul(value=) fold a product into a sum: half the operations, and so half the time of a
        # step, since a small batch pays for operations and not for numbers.
        _, velocity, angle, angular_velocity = state.unbind(-1)  # [N] each
        sine, cosine = angle.sin(), angle.cos()
        # push = (force + m l w^2 sin) / M, with force = -F or +F
        push = torch.add(self.push_left, actions, alpha=2 * FORCE / TOTAL_MASS)
        push = push.addcmul(angular_velocity.square(), sine, value=POLE_MASS * HALF_LENGTH / TOTAL_MASS)
        # angular acceleration = (g sin - push cos) / (l (4/3 - m cos^2 / M))
        torque = (GRAVITY * sine).addcmul(push, cosine, value=-1)
        angular_acceleration = torque / torch.add(
            self.inertia, cosine.square(), alpha=-HALF_LENGTH * POLE_MASS / TOTAL_MASS
        )
        # acceleration = push - m l (angular acceleration) cos / M
        acceleration = push.addcmul(angular_acceleration, cosine, value=-POLE_MASS * HALF_LENGTH / TOTAL_MASS)
        change = torch.stack([velocity, acceleration, angular_velocity, angular_acceleration], dim=-1)  # [N, 4]
        state = state.add(change, alpha=TIME_STEP)
        return state, torch.ones_like(velocity), (state.abs() > self.limits).any(dim=-1)

    def observe(self, state: Tensor) -> Tensor:
        return state


def single_env(render_mode: str | None = None) -> gymnasium.Env:
    """Gymnasium's own CartPole: what `gymnasium.make("pgcourse/CartPole-v1")` gives."""
    from gymnasium.envs.classic_control.cartpole import CartPoleEnv

    return CartPoleEnv(render_mode=render_mode)
