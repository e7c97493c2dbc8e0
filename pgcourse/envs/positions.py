"""CartPole without its velocities: one observation no longer tells what happens next, so a policy needs a memory.

The dynamics are those of CartPole-v1. Seen are the cart's position and the pole's angle; how fast either changes has to be
read from more than one observation. Source: Wierstra et al. (2007), "Solving deep memory POMDPs with recurrent policy
gradients".
"""

import gymnasium
import numpy as np
from gymnasium import spaces
from torch import Tensor

from .cartpole import ANGLE_LIMIT, POSITION_LIMIT, CartPoleVectorEnv

SEEN = slice(None, None, 2)  # of CartPole's four numbers: every second one, from the first


class CartPolePositionsVectorEnv(CartPoleVectorEnv):
    """CartPole of which only positions are seen. State [N, 4] as in CartPole; observation [N, 2]: cart position [m], pole
    angle [rad]."""

    def spaces(self) -> tuple[spaces.Box, spaces.Discrete]:
        return seen_space(), spaces.Discrete(2)

    def observe(self, state: Tensor) -> Tensor:
        return state[:, SEEN]


def seen_space() -> spaces.Box:
    """What is seen of one CartPole."""
    high = np.array([2 * POSITION_LIMIT, 2 * ANGLE_LIMIT], dtype=np.float32)
    return spaces.Box(-high, high, dtype=np.float32)


def single_env(render_mode: str | None = None) -> gymnasium.Env:
    """Gymnasium's own CartPole without its velocities: what `gymnasium.make("pgcourse/CartPolePositions-v0")` gives."""
    from gymnasium.envs.classic_control.cartpole import CartPoleEnv
    from gymnasium.wrappers import TransformObservation

    return TransformObservation(CartPoleEnv(render_mode=render_mode), lambda obs: obs[SEEN], seen_space())
