"""The three autoreset modes of Gymnasium's vector environments, and what each asks of a collector.

When an episode ends at step t, a vector environment has to begin a new one, and the modes differ in when:

    SAME_STEP   step t returns the new episode's first observation; the true last one is in info["final_obs"].
    NEXT_STEP   step t returns the true last observation; step t + 1 ignores the action and returns the first one of
                the new episode, with reward 0: a reset row, which is no experience and has to be dropped. It may be the
                first row of the next rollout.
    DISABLED    step t returns the true last observation; the caller resets the finished ones with a mask.

The package runs in SAME_STEP (`rollout.collect_rollout`). These two collectors give the same advantages from the other
modes. They take Gymnasium's NumPy environments and are for study: nothing else in the package calls them.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import Tensor, nn

from ..errors import InvalidInput
from ..rollout import Rollout


class Carry(NamedTuple):
    """What the next rollout needs to know of the last one."""

    obs: Tensor  # [N, D], to act on
    reset_row: Tensor  # [N] bool, whether the next step of this environment is a reset row


def begin(envs: VectorEnv, *, seed: int | list[int] | None = None) -> Carry:
    """Reset all environments. Returns: what the first rollout starts from."""
    obs, _ = envs.reset(seed=seed)  # type: ignore[arg-type]
    return Carry(_tensor(obs), torch.zeros(envs.num_envs, dtype=torch.bool))


def collect_next_step(
    policy: nn.Module, critic: nn.Module, envs: VectorEnv, carry: Carry, num_steps: int
) -> tuple[Rollout, Tensor, Carry]:
    """A rollout [T, N] from environments in NEXT_STEP mode.

    Returns: rollout; valid [T, N] bool, False in reset rows, which must be dropped from the batch before advantages are
    normalised; the carry. A reset row cannot leak into another: the row before it is an episode's end, where GAE cuts.
    """
    _require(envs, AutoresetMode.NEXT_STEP)
    rows, valid = [], []
    obs, reset_row = carry
    for _ in range(num_steps):
        actions, log_prob = _act(policy, obs)
        next_array, rewards, terminated, truncated, _ = envs.step(actions.numpy())
        next_obs = _tensor(next_array)
        rows.append((obs, actions, log_prob, _tensor(rewards), _flag(terminated), _flag(truncated), next_obs))
        valid.append(~reset_row)
        reset_row = _flag(terminated) | _flag(truncated)
        obs = next_obs  # after an end: the true last observation, on which the environment will not act
    return _rollout(rows, critic), torch.stack(valid), Carry(obs, reset_row)


def collect_disabled(
    policy: nn.Module, critic: nn.Module, envs: VectorEnv, carry: Carry, num_steps: int
) -> tuple[Rollout, Tensor, Carry]:
    """A rollout [T, N] from environments in DISABLED mode, with a masked reset after each end.

    Returns: rollout; valid [T, N], True throughout; the carry.
    """
    _require(envs, AutoresetMode.DISABLED)
    rows = []
    obs = carry.obs
    for _ in range(num_steps):
        actions, log_prob = _act(policy, obs)
        next_array, rewards, terminated, truncated, _ = envs.step(actions.numpy())
        next_obs = _tensor(next_array)
        rows.append((obs, actions, log_prob, _tensor(rewards), _flag(terminated), _flag(truncated), next_obs))
        done = np.logical_or(terminated, truncated)
        if done.any():
            next_array, _ = envs.reset(options={"reset_mask": done})  # gives all rows; those not reset are as they were
            next_obs = _tensor(next_array)
        obs = next_obs
    rollout = _rollout(rows, critic)
    return rollout, torch.ones_like(rollout.terminated), Carry(obs, carry.reset_row)


def _rollout(rows: Sequence[tuple[Tensor, ...]], critic: nn.Module) -> Rollout:
    obs, actions, log_prob, rewards, terminated, truncated, next_obs = (
        torch.stack(column) for column in zip(*rows, strict=True)
    )
    with torch.no_grad():
        values = critic(obs.flatten(0, 1)).view(rewards.shape)  # networks take [B, D]
        next_values = critic(next_obs.flatten(0, 1)).view(rewards.shape)
    return Rollout(obs, actions, log_prob, rewards, values, next_values, terminated, truncated)


@torch.no_grad()
def _act(policy: nn.Module, obs: Tensor) -> tuple[Tensor, Tensor]:
    distribution = policy(obs)
    actions = distribution.sample()
    return actions, distribution.log_prob(actions)


def _require(envs: VectorEnv, mode: AutoresetMode) -> None:
    given = envs.metadata.get("autoreset_mode")
    if given != mode:
        raise InvalidInput(
            f"the vector environment resets in mode {getattr(given, 'name', given)}, this collector is for {mode.name}: "
            f"make it with SyncVectorEnv(env_fns, autoreset_mode=AutoresetMode.{mode.name})"
        )


def _tensor(array: Any) -> Tensor:
    return torch.tensor(np.asarray(array), dtype=torch.float32)


def _flag(array: Any) -> Tensor:
    return torch.tensor(np.asarray(array), dtype=torch.bool)
