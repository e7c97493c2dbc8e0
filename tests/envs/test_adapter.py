"""Gymnasium's NumPy environments through our interface, and what is refused."""

import re
from collections.abc import Callable

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from pgcourse.envs import TensorAdapter, TensorVectorEnv, as_tensor_envs, env_seeds, make_envs
from pgcourse.errors import InvalidInput
from tests.recording import refused


class Countdown(gymnasium.Env):
    """Ends after 3 steps. Keeps the actions that it was given."""

    observation_space = spaces.Box(0, 10, (1,), np.float64)

    def __init__(self, action_space: spaces.Space) -> None:
        self.action_space = action_space
        self.given: list = []

    def reset(self, *, seed=None, options=None):
        return np.zeros(1), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.given.append(action)
        return np.full(1, float(len(self.given))), 0.5, len(self.given) == 3, False, {}


def same_step(*makers: Callable[[], gymnasium.Env], **options) -> SyncVectorEnv:
    return SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP, **options)


@pytest.mark.parametrize(("env_id", "limit"), [("Acrobot-v1", 500), ("MountainCarContinuous-v0", 999)])
def test_the_true_last_observation_is_that_of_the_environment_alone(env_id: str, limit: int) -> None:
    """Beside each environment of the batch, one by itself with the same seed gets the same actions."""
    num_envs = 3
    envs = make_envs(env_id, num_envs, seed=4)
    singles = [gymnasium.make(env_id) for _ in range(num_envs)]
    ours, _ = envs.reset(seed=env_seeds(4, num_envs))
    theirs = np.stack([single.reset(seed=s)[0] for single, s in zip(singles, env_seeds(4, num_envs), strict=True)])
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6)
    envs.action_space.seed(0)
    ends = 0
    for _ in range(limit + 20):
        actions = envs.action_space.sample()
        obs, rewards, terminated, truncated, info = envs.step(torch.as_tensor(actions))
        for n, single in enumerate(singles):
            next_obs, reward, term, trunc, _ = single.step(actions[n])
            np.testing.assert_allclose(info["final_obs"][n].numpy(), next_obs, rtol=1e-5, atol=1e-6)
            assert rewards[n].item() == pytest.approx(reward, rel=1e-5, abs=1e-6)
            done = (bool(terminated[n]), bool(truncated[n]))
            assert done == (term, trunc)
            assert bool(info["_final_obs"][n]) == (term or trunc)
            if term or trunc:
                ends += 1
                next_obs, _ = single.reset()
            np.testing.assert_allclose(obs[n].numpy(), next_obs, rtol=1e-5, atol=1e-6)
    assert ends >= num_envs


def test_what_comes_out_are_tensors_of_the_promised_types() -> None:
    envs = make_envs("Acrobot-v1", 2, seed=0)
    obs, _ = envs.reset()
    assert (obs.shape, obs.dtype) == ((2, 6), torch.float32)
    obs, rewards, terminated, truncated, info = envs.step(torch.tensor([0, 2]))
    assert obs.dtype == rewards.dtype == info["final_obs"].dtype == torch.float32
    assert terminated.dtype == truncated.dtype == info["_final_obs"].dtype == torch.bool
    assert obs.shape == info["final_obs"].shape == (2, 6)


BOX = spaces.Box(np.array([-1, 0], np.float32), np.array([1, 2], np.float32))


@pytest.mark.parametrize(
    ("space", "chosen", "given"),
    [
        (spaces.Discrete(3, start=5), [0, 2], [5, 7]),  # a policy gives 0, 1, 2; this environment knows 5, 6, 7
        (BOX, [[-3.0, 0.5], [0.25, 7.0]], [[-1.0, 0.5], [0.25, 2.0]]),  # it refuses what is outside
        (spaces.MultiDiscrete([3, 2], start=[4, 0]), [[0, 1], [2, 0]], [[4, 1], [6, 0]]),
        (spaces.MultiBinary(2), [[0, 1], [1, 1]], [[0, 1], [1, 1]]),
    ],
    ids=["shifted", "clipped", "each_shifted", "binary"],
)
def test_actions_are_fitted_on_their_way_into_the_environment_only(
    space: spaces.Space, chosen: list, given: list
) -> None:
    """The sample, which the log-probability is of, stays as it was."""
    base = same_step(lambda: Countdown(space), lambda: Countdown(space))
    envs = as_tensor_envs(base)
    envs.reset()
    actions = torch.tensor(chosen)
    envs.step(actions)
    assert [np.asarray(env.given[0]).tolist() for env in base.envs] == given
    assert actions.tolist() == chosen


@pytest.mark.parametrize("copy", [True, False])
def test_observations_are_not_overwritten_by_later_steps(copy: bool) -> None:
    """With copy=False Gymnasium writes every observation into one array."""
    base = SyncVectorEnv([lambda: gymnasium.make("MountainCar-v0")], copy=copy, autoreset_mode=AutoresetMode.SAME_STEP)
    envs = as_tensor_envs(base)
    first, _ = envs.reset(seed=0)
    kept = first.clone()
    for _ in range(5):
        envs.step(torch.tensor([2]))
    assert torch.equal(first, kept)


@pytest.mark.parametrize(("env_id", "kind"), [("CartPole-v1", TensorVectorEnv), ("Acrobot-v1", TensorAdapter)])
def test_ours_and_adapted_environments_pass_unchanged(env_id: str, kind: type) -> None:
    envs = make_envs(env_id, 2, seed=0)
    assert as_tensor_envs(envs) is envs and isinstance(envs, kind)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
def test_another_autoreset_mode_is_refused_with_the_line_that_makes_the_right_one(mode: AutoresetMode) -> None:
    envs = SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")], autoreset_mode=mode)
    with refused(f"resets in mode {mode.name}.*autoreset_mode=gymnasium.vector.AutoresetMode.SAME_STEP"):
        as_tensor_envs(envs)


def test_gymnasiums_numpy_cartpole_is_refused_as_it_only_knows_next_step() -> None:
    with pytest.raises(InvalidInput, match="NEXT_STEP"):
        as_tensor_envs(gymnasium.make_vec("CartPole-v1", num_envs=2))


class Fixed(gymnasium.Env):
    def __init__(self, observation_space: spaces.Space, action_space: spaces.Space) -> None:
        self.observation_space, self.action_space = observation_space, action_space


FLAT, TWO = spaces.Box(-1, 1, (3,)), spaces.Discrete(2)


@pytest.mark.parametrize(
    ("observation_space", "action_space", "complaint"),
    [
        (spaces.Graph(TWO, None), TWO, r"observations are Graph \(Graph\(Discrete\(2\), None\)\)"),
        (spaces.Dict({"a": spaces.Sequence(TWO)}), TWO, "observations are Dict"),
        (FLAT, spaces.MultiDiscrete([[3, 2], [2, 2]]), "actions are MultiDiscrete"),
        (FLAT, spaces.MultiBinary((2, 2)), "actions are MultiBinary"),
        (FLAT, spaces.Box(-1, 1, (2, 2)), r"actions are Box \(Box\(2, 2\)\)"),
        (FLAT, spaces.Dict({"a": TWO}), "actions are Dict"),
    ],
)
def test_spaces_that_pgcourse_cannot_take_are_refused_in_one_line(
    observation_space: spaces.Space, action_space: spaces.Space, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gymnasium.envs.registration, "registry", dict(gymnasium.registry))
    gymnasium.register("test/Fixed-v0", entry_point=lambda **_: Fixed(observation_space, action_space))
    with refused(f"{complaint}.*pgcourse takes.*choose another environment"):
        make_envs("test/Fixed-v0", 2, seed=0)


@pytest.mark.parametrize(
    "env_id", ["NoSuchThing-v0", "CartPole-v99", "nowhere/Thing-v0", "module_that_is_not:Env-v0", "a b", ""]
)
def test_an_unknown_id_is_refused_in_one_line(env_id: str) -> None:
    with refused(f"(?=.*{re.escape(repr(env_id))}).*CartPole-v1"):
        make_envs(env_id, 2, seed=0)


def test_a_missing_package_is_named_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_, **__):
        raise gymnasium.error.DependencyNotInstalled("no box2d")

    monkeypatch.setattr(gymnasium, "make", missing)
    with refused(r"LunarLander-v3.*pip install"):
        make_envs("LunarLander-v3", 1, seed=0)
