"""Environments that are not ours: any flat Box of observations, Discrete or Box actions, through the same code."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest

from pgcourse import a2c, evaluate, ppo, reinforce, trpo
from pgcourse.envs import make_single_env
from pgcourse.errors import InvalidInput

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
