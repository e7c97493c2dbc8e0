"""The batched Pendulum does what Gymnasium's does, step by step, and keeps the contract of SAME_STEP."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.envs.classic_control.pendulum import PendulumEnv
from gymnasium.vector import AutoresetMode

from pgcourse.envs import PendulumVectorEnv, make_envs


def test_a_hundred_thousand_random_states_and_torques_equal_gymnasiums() -> None:
    """From angles of several turns and from speeds up to the limit, with torques far outside theirs."""
    count = 100_000
    random = np.random.default_rng(0)
    angle = random.uniform(-4 * np.pi, 4 * np.pi, count).astype(np.float32)
    velocity = random.uniform(-8, 8, count).astype(np.float32)
    torque = random.normal(0, 3, (count, 1)).astype(np.float32)
    velocity[:3], torque[:3] = [8.0, -8.0, 0.0], [[50.0], [-50.0], [0.0]]
    envs = PendulumVectorEnv(count)
    envs.reset(seed=0)
    envs.state = torch.tensor(np.stack([angle, velocity], axis=1))
    _, rewards, terminated, truncated, info = envs.step(torch.tensor(torque))

    # Gymnasium's own step, in float64. It has no shapes in it, so one environment steps 100,000 pendulums at once.
    single = PendulumEnv()
    single.reset(seed=0)
    single.state = np.stack([angle, velocity]).astype(np.float64)
    obs, costs, *_ = single.step(torque.T.astype(np.float64))
    assert obs.shape == (3, count)
    np.testing.assert_allclose(info["final_obs"].numpy(), obs.T, rtol=1e-5, atol=3e-6)
    np.testing.assert_allclose(rewards.numpy(), costs, rtol=2e-5, atol=1e-6)
    assert info["final_obs"][:, 2].abs().max() == 8.0
    assert not terminated.any() and not truncated.any()


def test_a_whole_episode_from_the_same_start_state_stays_with_gymnasiums() -> None:
    envs = PendulumVectorEnv(1)
    envs.reset(seed=3)
    single = PendulumEnv()
    single.reset(seed=0)
    single.state = envs.state[0].numpy().astype(np.float64)
    total, expected = 0.0, 0.0
    for step in range(200):
        torque = np.array([2 * np.sin(0.3 * step)])
        obs, reward, *_ = single.step(torque)
        _, rewards, _, truncated, info = envs.step(torch.tensor(torque[None], dtype=torch.float32))
        np.testing.assert_allclose(info["final_obs"][0].numpy(), obs, rtol=1e-3, atol=1e-3)
        total, expected = total + rewards.item(), expected + float(reward)
    assert truncated.item()
    assert total == pytest.approx(expected, rel=1e-3)


def test_the_torque_is_limited_by_the_environment_and_the_speed_by_its_physics() -> None:
    envs = PendulumVectorEnv(2)
    envs.reset(seed=0)
    envs.state = torch.tensor([[0.5, 1.0], [0.5, 1.0]])
    _, rewards, _, _, info = envs.step(torch.tensor([[2.0], [1000.0]]))
    assert torch.equal(info["final_obs"][0], info["final_obs"][1])
    assert rewards[0] == rewards[1]
    envs.state = torch.tensor([[np.pi / 2, 7.9], [-np.pi / 2, -7.9]])
    _, _, _, _, info = envs.step(torch.tensor([[2.0], [-2.0]]))
    assert info["final_obs"][:, 2].tolist() == [8.0, -8.0]


def test_the_cost_by_hand() -> None:
    """Hanging still with full torque: pi^2 + 0.001 * 4. Upright at speed 2 without: 0.1 * 4."""
    envs = PendulumVectorEnv(2)
    envs.reset(seed=0)
    envs.state = torch.tensor([[np.pi, 0.0], [0.0, 2.0]], dtype=torch.float32)
    _, rewards, *_ = envs.step(torch.tensor([[2.0], [0.0]]))
    assert rewards.tolist() == pytest.approx([-(np.pi**2 + 0.004), -0.4], rel=1e-5)


def test_an_episode_is_cut_after_200_steps_and_the_true_last_observation_is_kept() -> None:
    envs = PendulumVectorEnv(3)
    obs, _ = envs.reset(seed=4)
    for step in range(1, 401):
        state = envs.state.clone()
        obs, _, terminated, truncated, info = envs.step(torch.zeros(3, 1))
        assert not terminated.any()
        assert truncated.all() == (step % 200 == 0)
        assert torch.equal(info["_final_obs"], truncated)
        true_next, _, _ = envs.dynamics(state, torch.zeros(3, 1))
        assert torch.equal(info["final_obs"], envs.observe(true_next))
        assert torch.equal(obs, info["final_obs"]) != bool(truncated.all())
        if truncated.all():
            assert (envs.state[:, 1].abs() <= 1).all()  # a start state
    assert envs.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP


def test_start_states_are_in_gymnasiums_range() -> None:
    envs = PendulumVectorEnv(5000)
    envs.reset(seed=0)
    angle, velocity = envs.state.unbind(-1)
    for values, limit in ((angle, np.pi), (velocity, 1.0)):
        assert -limit <= values.min() < -0.99 * limit
        assert 0.99 * limit < values.max() <= limit
        assert abs(values.mean()) < 4 * limit / np.sqrt(3 * 5000)


def test_spaces_and_ids_are_gymnasiums() -> None:
    single = gymnasium.make("pgcourse/Pendulum-v1")
    assert isinstance(single.unwrapped, PendulumEnv)
    assert single.spec is not None and single.spec.max_episode_steps == 200
    for envs in (make_envs("Pendulum-v1", 2, seed=0), gymnasium.make_vec("pgcourse/Pendulum-v1", num_envs=2)):
        assert isinstance(envs, PendulumVectorEnv)
        assert envs.num_envs == 2
        assert envs.single_action_space == single.action_space
        assert envs.single_observation_space == single.observation_space
        obs, _ = envs.reset(seed=0)
        assert envs.observation_space.contains(obs.numpy())
        obs, rewards, *_ = envs.step(torch.zeros(2, 1))
        assert (obs.shape, obs.dtype, rewards.shape, rewards.dtype) == ((2, 3), torch.float32, (2,), torch.float32)
