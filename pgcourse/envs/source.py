"""An environment however it is given: by its id, as an object, or as a function that makes one."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from ..errors import InvalidInput
from ..spaces import require_supported_spaces
from . import adapter, make_envs, make_single_env

# An id, one environment, a vector environment in SAME_STEP mode, or a function without arguments that makes one environment.
EnvSource = str | gymnasium.Env | VectorEnv | Callable[[], gymnasium.Env]


def vector_envs(source: EnvSource, count: int, *, device: str | torch.device = "cpu") -> VectorEnv:
    """`count` environments with tensors in and out; a vector environment stays as many as it is.

    Raises: InvalidInput for what is no environment, and for spaces or an autoreset mode that pgcourse cannot take.
    """
    if isinstance(source, str):
        return make_envs(source, count, seed=0, device=device)
    if isinstance(source, VectorEnv):
        return adapter.as_tensor_envs(source, device=device)
    made = [_made(source) for _ in range(count)]
    if len({id(env) for env in made}) < count:
        raise InvalidInput(
            "the function gives the same environment each time; give the environment itself, or a function that makes a new one"
        )
    makers = [lambda env=env: env for env in made]
    return adapter.as_tensor_envs(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP), device=device)


@contextlib.contextmanager
def single_env(source: EnvSource, *, render_mode: str | None = None) -> Iterator[gymnasium.Env[Any, Any]]:
    """One environment with observations as policies see them, closed after if made here; of a vector environment, the first.

    Raises: InvalidInput for what is no environment, for spaces that pgcourse cannot take, and for an environment that is
    given in another render mode.
    """
    if isinstance(source, VectorEnv):
        inner = source.env if isinstance(source, adapter.TensorAdapter) else source
        if isinstance(inner, SyncVectorEnv):
            source = inner.envs[0]
        elif (
            inner is inner.unwrapped and inner.spec is not None
        ):  # of ours, a single one is registered under the same id
            source = inner.spec.id
        else:
            raise InvalidInput(
                f"{type(inner).__name__} has no single environment in it; give an id, or one environment of the same kind"
            )
    env: gymnasium.Env[Any, Any]
    env = make_single_env(source, render_mode=render_mode) if isinstance(source, str) else _made(source)
    try:
        if render_mode is not None and env.render_mode != render_mode:
            raise InvalidInput(
                f"{env_name(env)} was made with render_mode={env.render_mode!r}; make it with render_mode={render_mode!r}"
            )
        require_supported_spaces(env.observation_space, env.action_space)
        yield adapter.flat_observations(env)
    finally:
        if env is not source:
            env.close()


def env_name(source: EnvSource) -> str:
    """An id where one is known, else the name of the class or function."""
    if isinstance(source, str):
        return source
    spec = getattr(source, "spec", None)
    inner = getattr(source, "unwrapped", source)
    return spec.id if spec is not None else getattr(inner, "__name__", type(inner).__name__)


def _made(source: Any) -> gymnasium.Env[Any, Any]:
    """The environment itself, or what the function makes."""
    env = source() if callable(source) and not isinstance(source, gymnasium.Env) else source
    if not isinstance(env, gymnasium.Env):
        where = "the function gives" if env is not source else "the environment is"
        raise InvalidInput(
            f"{where} {type(env).__name__}; give an id such as CartPole-v1, a Gymnasium environment, or a function without "
            "arguments that makes one gymnasium.Env"
        )
    return env
