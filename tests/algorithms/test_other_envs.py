"""Environments that are not ours, of every kind of observations and actions, through the same code."""

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from pgcourse import a2c, evaluate, load, networks, ppo, record_gif, reinforce, trpo
from pgcourse.envs import as_tensor_envs, env_seeds, make_envs, make_single_env
from pgcourse.errors import InvalidInput
from tests.recording import refused

PRESETS = {
    "Acrobot-v1": ppo.ACROBOT,
    "LunarLander-v3": ppo.LUNAR_LANDER,
    "InvertedPendulum-v5": ppo.INVERTED_PENDULUM,
    "HalfCheetah-v5": ppo.HALF_CHEETAH,
    "MountainCarContinuous-v0": replace(ppo.PENDULUM, env_id="MountainCarContinuous-v0"),
}


def require(env_id: str) -> None:
    """Skip where the extra that brings the environment is not installed."""
    try:
        make_single_env(env_id).close()
    except InvalidInput as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("env_id", PRESETS)
def test_one_update_of_each_algorithm_moves_the_policy_and_counts_true_steps(env_id: str) -> None:
    require(env_id)
    for module in (a2c, ppo, trpo):
        preset = PRESETS[env_id]
        base = preset if module is ppo else replace(module.CARTPOLE, env_id=env_id)
        budget = {"num_envs": 2, "num_steps": 64, "total_timesteps": 128, "num_episodes": None, "seed": 3}
        if module is ppo:
            budget |= {"minibatch_size": 64, "update_epochs": 1}
        result = module.train(replace(base, **budget))
        assert result.metrics["charts/env_step"].tolist() == [128.0]
        moved = [value[0] for name, value in result.metrics.items() if name.startswith("updates/policy.")]
        assert max(moved) > 0 and np.isfinite(moved).all()
        obs_dim = gymnasium.spec(env_id).make().observation_space.shape[0]  # type: ignore[index]
        assert result.policy.arguments["obs_dim"] == obs_dim


def test_reinforce_takes_continuous_actions_too() -> None:
    config = replace(reinforce.CARTPOLE, env_id="MountainCarContinuous-v0", num_envs=1, num_episodes=1, seed=1)
    result = reinforce.train(config)
    assert result.episodes["length"].tolist() == [999]  # nobody climbs the hill by chance, and time runs out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env_id", "steps", "enough"),
    [("Acrobot-v1", 60_000, -110.0), ("InvertedPendulum-v5", 60_000, 900.0)],
)
def test_the_preset_learns(env_id: str, steps: int, enough: float) -> None:
    """Scores of one seed that was not used to choose the preset; -500 and about 10 are what a random agent gets."""
    require(env_id)
    result = ppo.train(replace(PRESETS[env_id], total_timesteps=steps, seed=77))
    assert evaluate(result.policy, env_id, num_episodes=20, seed=1).mean >= enough


def same_step(make: Any, num_envs: int) -> VectorEnv:
    return SyncVectorEnv([make] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)


STRUCTURED = {"FrozenLake-v1": 16, "Taxi-v4": 500, "Blackjack-v1": 32 + 11 + 2}


@pytest.mark.parametrize("own", [False, True], ids=["by id", "given"])
@pytest.mark.parametrize("env_id", STRUCTURED)
def test_structured_observations_arrive_as_gymnasium_flattens_them(env_id: str, own: bool) -> None:
    """Beside each environment of the batch, one by itself with the same seed gets the same actions."""
    seeds = env_seeds(4, 3)
    envs = as_tensor_envs(same_step(lambda: gymnasium.make(env_id), 3)) if own else make_envs(env_id, 3, seed=4)
    assert envs.single_observation_space.shape == (STRUCTURED[env_id],)
    assert envs.observation_space.shape == (3, STRUCTURED[env_id])
    singles = [gymnasium.wrappers.FlattenObservation(gymnasium.make(env_id)) for _ in seeds]
    obs, _ = envs.reset(seed=seeds)  # type: ignore[arg-type]
    assert obs.tolist() == [single.reset(seed=s)[0].tolist() for single, s in zip(singles, seeds, strict=True)]
    envs.action_space.seed(0)
    ends = 0
    for _ in range(210):
        actions = envs.action_space.sample()
        obs, _, terminated, truncated, info = envs.step(torch.as_tensor(actions))
        for n, single in enumerate(singles):
            next_obs, _, over, out_of_time, _ = single.step(actions[n])
            assert info["final_obs"][n].tolist() == next_obs.tolist()
            assert (bool(terminated[n]), bool(truncated[n])) == (over, out_of_time)
            if over or out_of_time:
                ends += 1
                next_obs, _ = single.reset()
            assert obs[n].tolist() == next_obs.tolist()
    assert ends >= 3


SHORT: dict[str, Any] = {"num_envs": 4, "hidden_sizes": (8,), "seed": 1, "num_episodes": None, "total_timesteps": 256}
PPO: dict[str, Any] = {"num_steps": 32, "minibatch_size": 64, "update_epochs": 2}


@pytest.mark.parametrize("env_id", STRUCTURED)
def test_every_algorithm_trains_on_structured_observations(env_id: str) -> None:
    budgets: dict[Any, dict[str, Any]] = {reinforce: {}, a2c: {}, ppo: PPO, trpo: {}}
    for module, budget in budgets.items():
        config = replace(module.CARTPOLE, env_id=env_id, **(SHORT | budget))
        for envs in (None, same_step(lambda: gymnasium.make(env_id), 4)):
            result = module.train(config, envs=envs)
            assert len(result.metrics["charts/env_step"]) > 0
    assert len(evaluate(result.policy, env_id, num_episodes=3, seed=0).returns) == 3


def test_frozen_lake_is_learned_saved_and_filmed(tmp_path) -> None:
    """Without slipping; a random agent reaches the goal in one to two of 100 episodes."""
    config = replace(
        ppo.CARTPOLE, env_id="FrozenLake-v1", seed=0, total_timesteps=40_000, ent_coef=0.02, num_steps=64,
    )  # fmt: skip

    def make(**options: Any) -> gymnasium.Env:
        return gymnasium.make("FrozenLake-v1", is_slippery=False, **options)

    result = ppo.train(config, envs=same_step(make, 32))
    assert evaluate(result.policy, make, num_episodes=5, seed=0).mean == 1.0
    again = load(result.save(tmp_path / "run"))
    path = record_gif(again.policy, lambda: make(render_mode="rgb_array"), tmp_path / "lake.gif", seed=0)
    assert path.stat().st_size > 1000


class Switches(gymnasium.Env):
    """One step; a point for every action that is the one that the observation asks for."""

    def __init__(self, action_space: Any) -> None:
        self.action_space = action_space
        choices = getattr(action_space, "nvec", [2] * action_space.shape[0])
        self.observation_space = spaces.MultiDiscrete(choices)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.asked = self.np_random.integers(self.observation_space.nvec)
        return self.asked, {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), action
        first = getattr(self.action_space, "start", 0)
        return self.asked, float((action - first == self.asked).mean()), True, False, {}


@pytest.mark.parametrize(
    "space", [spaces.MultiDiscrete([3, 2, 4], start=[1, 0, 2]), spaces.MultiBinary(3)], ids=lambda s: type(s).__name__
)
def test_several_discrete_actions_at_a_time_are_learned(space: Any, tmp_path) -> None:
    envs = same_step(lambda: Switches(space), 32)
    config = replace(ppo.CARTPOLE, seed=0, total_timesteps=12_000, policy_lr=1e-2)
    result = ppo.train(config, envs=envs)
    assert isinstance(result.policy, networks.MultiCategoricalPolicy)
    assert evaluate(result.policy, lambda: Switches(space), seed=0).mean > 0.95 > evaluate(None, envs, seed=0).mean
    assert evaluate(result.policy, Switches(space), num_episodes=30, seed=0).mean > 0.95  # one after the other
    again = load(result.save(tmp_path / "run"))
    assert isinstance(again.policy, networks.MultiCategoricalPolicy)
    for module in (a2c, trpo, reinforce):
        module.train(replace(module.CARTPOLE, **SHORT), envs=same_step(lambda: Switches(space), 4))
    with refused("continuous actions of shape"):
        evaluate(networks.GaussianPolicy(envs.single_observation_space.nvec.sum(), 3), lambda: Switches(space), seed=0)


class Doors(gymnasium.Env):
    """Three steps; some of five doors are open, and the last open one pays. To try a closed one is an error."""

    action_space = spaces.Discrete(5)
    observation_space = spaces.Dict({"step": spaces.Discrete(4), "action_mask": spaces.MultiBinary(5)})

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.elapsed = 0
        return self._observation(), {}

    def step(self, action: Any) -> Any:
        assert self.open[action], "the door is closed"
        reward = float(action == np.flatnonzero(self.open)[-1])
        self.elapsed += 1
        return self._observation(), reward, self.elapsed == 3, False, {}

    def _observation(self) -> Any:
        self.open = self.np_random.integers(0, 2, 5).astype(np.int8)
        self.open[self.np_random.integers(5)] = 1
        return {"step": self.elapsed, "action_mask": self.open.copy()}


def test_a_masked_environment_is_learned_without_one_action_that_is_not_allowed(tmp_path) -> None:
    config = replace(ppo.CARTPOLE, seed=0, total_timesteps=15_000, ent_coef=0.01, policy_lr=5e-3)
    result = ppo.train(config, envs=same_step(Doors, 32))
    assert isinstance(result.policy, networks.MaskedPolicy)
    assert all(np.isfinite(values).all() for values in result.metrics.values())
    assert evaluate(result.policy, Doors, seed=0).mean > 2.8
    again = load(result.save(tmp_path / "run"))
    assert evaluate(again.policy, Doors(), num_episodes=20, seed=0, deterministic=False).mean > 2.5
    for module in (a2c, trpo, reinforce):
        module.train(replace(module.CARTPOLE, **SHORT), envs=same_step(Doors, 4))


def test_pixels_reach_a_network_of_ones_own_whole() -> None:
    """uint8 from 0 to 255, in height, width, channels, as the environment draws them."""

    class Noise(gymnasium.Env):
        observation_space = spaces.Box(0, 255, (4, 6, 3), np.uint8)
        action_space = spaces.Discrete(2)

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            super().reset(seed=seed)
            return np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3) + np.uint8(180), {}

        def step(self, action: Any) -> Any:
            return self.np_random.integers(0, 256, (4, 6, 3), dtype=np.uint8), 1.0, True, False, {}

    seen = []

    class Own(networks.ConvolutionalPolicy):
        def forward(self, obs: torch.Tensor) -> Any:
            seen.append(obs)
            return super().forward(obs)

    def policy() -> Own:
        return Own((4, 6, 3), 2, obs_scale=255.0)

    critic = networks.ConvolutionalCritic((4, 6, 3), obs_scale=255.0)
    for module in (reinforce, a2c, ppo, trpo):
        budget = PPO if module is ppo else {}
        envs = same_step(Noise, 4)
        result = module.train(replace(module.CARTPOLE, **(SHORT | budget)), envs=envs, policy=policy(), critic=critic)
        assert len(result.episodes) > 0
    first = torch.tensor(Noise().reset()[0]).float()
    assert first.max() == 251 and torch.equal(seen[0], first.expand(4, 4, 6, 3))
    with refused("observations are an image"):
        ppo.train(replace(ppo.CARTPOLE, **(SHORT | PPO)), envs=same_step(Noise, 4))
