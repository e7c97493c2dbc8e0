"""Environments put back into a saved state go on exactly as they would have."""

import io
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.envs.classic_control import PendulumEnv
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from pgcourse.envs import as_tensor_envs, make_envs
from pgcourse.envs.snapshot import restore_envs, save_envs
from pgcourse.runs import to_bytes

OURS = ["CartPole-v1", "Pendulum-v1", "ShortCorridor-v0"]
GYMNASIUMS = ["Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0"]


def sync(*makers: Callable[[], gymnasium.Env]) -> VectorEnv:
    return as_tensor_envs(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP))


def through_a_file(saved: dict[str, Any]) -> dict[str, Any]:
    """As a checkpoint would keep it: tensors and text only."""
    return torch.load(io.BytesIO(to_bytes(saved)), weights_only=True)


def actions_for(envs: VectorEnv, count: int, seed: int) -> list[torch.Tensor]:
    envs.action_space.seed(seed)
    return [torch.as_tensor(envs.action_space.sample()) for _ in range(count)]


def life(envs: VectorEnv, actions: list[torch.Tensor]) -> list[tuple[torch.Tensor, ...]]:
    rows = []
    for action in actions:
        obs, rewards, terminated, truncated, info = envs.step(action)
        rows.append((obs.clone(), rewards, terminated, truncated, info["final_obs"]))
    return rows


def same_life(first: list[tuple[torch.Tensor, ...]], second: list[tuple[torch.Tensor, ...]]) -> bool:
    return all(
        torch.equal(a, b) for one, other in zip(first, second, strict=True) for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("env_id", OURS + GYMNASIUMS)
def test_restored_environments_live_the_same_life(env_id: str) -> None:
    """Saved in the middle of episodes; the copy starts from other seeds, and lives through ends and new starts."""
    original, copy, untouched = (make_envs(env_id, 3, seed=seed) for seed in (1, 99, 99))
    actions = actions_for(original, 600, seed=1)
    life(original, actions_for(original, 30, seed=0))
    saved = through_a_file(save_envs(original))
    expected = life(original, actions)
    assert restore_envs(copy, saved).shape == (3, *original.single_observation_space.shape)
    found = life(copy, actions)
    assert same_life(found, expected)
    assert any((row[2] | row[3]).any() for row in found) or env_id == "MountainCarContinuous-v0"
    # In the corridor every start is the same.
    assert env_id == "ShortCorridor-v0" or not same_life(life(untouched, actions), expected)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Acrobot-v1"])
def test_the_observations_to_act_on_come_back(env_id: str) -> None:
    original = make_envs(env_id, 3, seed=1)
    obs = life(original, actions_for(original, 8, seed=0))[-1][0]
    assert torch.equal(restore_envs(make_envs(env_id, 3, seed=2), through_a_file(save_envs(original))), obs)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1", *GYMNASIUMS])
def test_the_clock_of_the_time_limit_is_kept(env_id: str) -> None:
    """Gymnasium's own five, with a limit of 9 steps, saved after 4: five more to the cut, and then nine."""
    makers = [lambda: gymnasium.make(env_id, max_episode_steps=9)] * 2
    original, copy = sync(*makers), sync(*makers)
    original.reset(seed=[3, 4])
    copy.reset(seed=[5, 6])
    action = torch.as_tensor(np.zeros_like(original.action_space.sample()))
    life(original, [action] * 4)
    restore_envs(copy, through_a_file(save_envs(original)))
    rows = life(copy, [action] * 14)
    assert same_life(rows, life(original, [action] * 14))
    if env_id != "CartPole-v1":  # where the pole may fall before
        assert [bool(row[3].all()) for row in rows] == [step in (5, 14) for step in range(1, 15)]


@pytest.mark.parametrize("env_id", ["CartPole-v1", "MountainCar-v0"])
def test_saving_changes_nothing_and_a_snapshot_is_not_a_view(env_id: str) -> None:
    watched, other = make_envs(env_id, 2, seed=1), make_envs(env_id, 2, seed=1)
    actions = actions_for(watched, 300, seed=0)
    first = save_envs(watched)
    before = through_a_file(first)
    rows = []
    for action in actions:
        save_envs(watched)
        rows += life(watched, [action])
    assert same_life(rows, life(other, actions))
    assert to_bytes(first) == to_bytes(before)


# What cannot be copied.


class Noise(gymnasium.ObservationWrapper):
    """Has a random stream of its own, which the state of the environment below does not show."""

    def observation(self, observation: np.ndarray) -> np.ndarray:
        return observation


class OwnPendulum(PendulumEnv):
    """A subclass may hold more than its parent's state."""


class Opaque(gymnasium.Env):
    observation_space = spaces.Box(-1, 1, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict | None = None) -> tuple[np.ndarray, dict]:
        return np.zeros(1, np.float32), {}


@pytest.mark.parametrize(
    "maker",
    [
        Opaque,
        lambda: gymnasium.wrappers.TimeLimit(OwnPendulum(), 10),
        lambda: Noise(gymnasium.make("Acrobot-v1")),
        lambda: gymnasium.wrappers.NormalizeObservation(gymnasium.make("Pendulum-v1")),
        PendulumEnv,
    ],
    ids=["foreign", "subclass", "own wrapper", "wrapper with statistics", "no time limit"],
)
def test_what_may_hide_state_is_not_copied(maker: Callable[[], gymnasium.Env]) -> None:
    assert save_envs(sync(maker)) is None


def test_another_kind_of_vector_environment_is_not_copied() -> None:
    class Wrapped(gymnasium.vector.VectorWrapper):
        pass

    makers = [lambda: gymnasium.make("Acrobot-v1")] * 2
    envs = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
    assert save_envs(as_tensor_envs(envs)) is not None
    assert save_envs(as_tensor_envs(Wrapped(envs))) is None
