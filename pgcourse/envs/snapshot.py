"""Save and restore environments, as tensors and JSON, so that a run goes on bit for bit where it stopped.

Ours can be copied whole. Of Gymnasium's, the classic-control family can: their state is one array. Simulators such as
Box2D and MuJoCo hold state that no array shows, so their runs go on with fresh episodes.
"""

import json
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit
from torch import Tensor

from .adapter import TensorAdapter
from .tensor import TensorVectorEnv


def save_envs(envs: VectorEnv) -> dict[str, Any] | None:
    """Everything that the next step depends on; None for environments that cannot be copied."""
    if isinstance(envs, TensorVectorEnv):
        return {"keys": envs.keys, "episode": envs.episode, "elapsed": envs.elapsed, "state": envs.state}
    singles = _classic_control(envs)
    if singles is None:
        return None
    assert isinstance(envs, TensorAdapter)
    return {"obs": envs.obs, "envs": json.dumps([_save_single(env) for env in singles])}


def restore_envs(envs: VectorEnv, saved: dict[str, Any]) -> Tensor:
    """Put environments of the same make into the saved state. Returns: the observations [N, D] to act on."""
    if isinstance(envs, TensorVectorEnv):
        for name, value in saved.items():
            setattr(envs, name, value.to(envs.device))
        return envs.observe(envs.state)
    singles = _classic_control(envs)
    assert isinstance(envs, TensorAdapter) and singles is not None
    envs.reset()  # so that the wrappers know of an episode under way
    for env, state in zip(singles, json.loads(saved["envs"]), strict=True):
        _restore_single(env, state)
    envs.obs = saved["obs"].to(envs.device)
    return envs.obs


def _classic_control(envs: VectorEnv) -> list[gymnasium.Env[Any, Any]] | None:
    base = envs.env if isinstance(envs, TensorAdapter) else None
    if not isinstance(base, SyncVectorEnv):
        return None
    known = all(
        type(env.unwrapped).__module__.startswith("gymnasium.envs.classic_control.")
        and _time_limit(env) is not None
        and _only_known_wrappers(env)
        for env in base.envs
    )
    return list(base.envs) if known else None


def _only_known_wrappers(env: gymnasium.Env[Any, Any]) -> bool:
    """Whether nothing but what `gymnasium.make` puts around an environment is there: others may hold state of their own."""
    while isinstance(env, gymnasium.Wrapper):
        if not isinstance(env, TimeLimit | OrderEnforcing | PassiveEnvChecker):
            return False
        env = env.env
    return True


def _save_single(env: gymnasium.Env[Any, Any]) -> dict[str, Any]:
    state = env.unwrapped.state  # type: ignore[attr-defined]
    limit = _time_limit(env)
    assert limit is not None
    return {
        "state": np.asarray(state, dtype=np.float64).tolist(),  # float32 fits in float64, and JSON keeps float64 whole
        "dtype": str(np.asarray(state).dtype),
        "kind": type(state).__name__,
        "elapsed": limit._elapsed_steps,
        "random": env.unwrapped.np_random.bit_generator.state,
    }


def _restore_single(env: gymnasium.Env[Any, Any], saved: dict[str, Any]) -> None:
    state: Any = np.array(saved["state"], dtype=saved["dtype"])
    if saved["kind"] != "ndarray":
        state = tuple(state)
    env.unwrapped.state = state  # type: ignore[attr-defined]
    limit = _time_limit(env)
    assert limit is not None
    limit._elapsed_steps = saved["elapsed"]
    env.unwrapped.np_random.bit_generator.state = saved["random"]


def _time_limit(env: gymnasium.Env[Any, Any]) -> TimeLimit[Any, Any] | None:
    while isinstance(env, gymnasium.Wrapper):
        if isinstance(env, TimeLimit):
            return env
        env = env.env
    return None
