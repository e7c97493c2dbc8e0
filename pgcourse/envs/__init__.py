"""Environments: our batched tensor ones, and any other registered with Gymnasium, behind one interface."""

from typing import Any

import gymnasium
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from ..errors import InvalidInput
from ..registration import NAMESPACE
from ..spaces import require_supported_spaces
from .adapter import TensorAdapter, as_tensor_envs, flat_observations
from .cartpole import CartPoleVectorEnv
from .catch import CatchVectorEnv
from .corridor import ShortCorridorVectorEnv
from .frames import FrameStack
from .long_corridor import LongCorridorVectorEnv
from .pendulum import PendulumVectorEnv
from .positions import CartPolePositionsVectorEnv
from .seeding import env_seeds
from .tensor import TensorVectorEnv

__all__ = [
    "CartPolePositionsVectorEnv",
    "CartPoleVectorEnv",
    "CatchVectorEnv",
    "FrameStack",
    "LongCorridorVectorEnv",
    "PendulumVectorEnv",
    "ShortCorridorVectorEnv",
    "TensorAdapter",
    "TensorVectorEnv",
    "as_tensor_envs",
    "env_seeds",
    "flat_observations",
    "make_envs",
    "make_single_env",
]


def has_tensor_envs(env_id: str) -> bool:
    """Whether `make_envs` gives batched tensor environments for this id."""
    return NAMESPACE + env_id.removeprefix(NAMESPACE) in gymnasium.registry


def make_envs(env_id: str, num_envs: int, *, seed: int, device: str | torch.device = "cpu") -> VectorEnv:
    """`num_envs` environments with tensors in and out, in SAME_STEP mode, seeded one by one from `seed`.

    Ours where it exists ("CartPole-v1" and "pgcourse/CartPole-v1" are the same), else Gymnasium's `SyncVectorEnv`.

    Raises: InvalidInput for an unknown id, a missing extra, or spaces that pgcourse cannot take.
    """
    if num_envs < 1:
        raise InvalidInput(f"num_envs={num_envs} is not positive; use at least 1")
    envs: VectorEnv
    if has_tensor_envs(env_id):
        envs = gymnasium.make_vec(NAMESPACE + env_id.removeprefix(NAMESPACE), num_envs=num_envs, device=device)
    else:
        first = make_single_env(env_id)
        require_supported_spaces(first.observation_space, first.action_space)
        first.close()
        makers = [lambda: make_single_env(env_id)] * num_envs
        envs = TensorAdapter(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP), device=device)
    envs.reset(seed=env_seeds(seed, num_envs))  # type: ignore[arg-type]
    return envs


def make_single_env(env_id: str, *, render_mode: str | None = None) -> gymnasium.Env:
    """One NumPy environment. Raises: InvalidInput with one line for an unknown id, a missing extra, a bad render mode."""
    ours_only = env_id not in gymnasium.registry and has_tensor_envs(env_id)  # "ShortCorridor-v0", as in `make_envs`
    try:
        # Not passed where there is none: an environment need not take the argument.
        options: dict[str, Any] = {} if render_mode is None else {"render_mode": render_mode}
        return gymnasium.make((NAMESPACE if ours_only else "") + env_id, disable_env_checker=True, **options)
    except gymnasium.error.DependencyNotInstalled as error:
        raise InvalidInput(
            f"environment {env_id!r} needs a package that is not installed; install the extra that brings it: "
            'pip install -e ".[box2d]" for LunarLander and its kin, ".[mujoco]" for MuJoCo'
        ) from error
    except (gymnasium.error.Error, ModuleNotFoundError) as error:
        raise InvalidInput(
            f"no environment {env_id!r} ({_first_line(error)}); use a Gymnasium id such as CartPole-v1 or Acrobot-v1"
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
