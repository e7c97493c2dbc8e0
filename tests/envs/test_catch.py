"""Catch: the batch equals the single game, the limits hold, and PPO learns it from the picture."""

from dataclasses import replace

import gymnasium
import numpy as np
import pytest
import torch

from pgcourse import evaluate, load, ppo, record_gif
from pgcourse.envs import CatchVectorEnv, make_envs, make_single_env
from pgcourse.envs.catch import EPISODE_STEPS, SIZE, CatchEnv
from pgcourse.networks import ConvolutionalCritic, ConvolutionalPolicy


def test_the_batch_equals_single_games() -> None:
    generator = torch.Generator().manual_seed(0)
    num_envs = 24
    envs = CatchVectorEnv(num_envs)
    obs, _ = envs.reset(seed=5)
    singles = [CatchEnv() for _ in range(num_envs)]
    total = []
    for _ in range(3):
        columns = envs.state[:, 1].int().tolist()
        for single, column in zip(singles, columns, strict=True):
            single.reset(seed=0)
            single.column = column
        np.testing.assert_array_equal(obs.numpy(), np.stack([single._observation() for single in singles]))
        for t in range(EPISODE_STEPS):
            actions = torch.randint(0, 3, (num_envs,), generator=generator)
            obs, rewards, terminated, truncated, info = envs.step(actions)
            taken = [single.step(int(action)) for single, action in zip(singles, actions, strict=True)]
            np.testing.assert_array_equal(info["final_obs"].numpy(), np.stack([step[0] for step in taken]))
            assert rewards.tolist() == [step[1] for step in taken]
            assert terminated.tolist() == [step[2] for step in taken] == [t == EPISODE_STEPS - 1] * num_envs
            assert not truncated.any()
        total += rewards.tolist()
    assert set(total) == {-1.0, 1.0}


def test_one_game_by_hand() -> None:
    env = CatchEnv()
    env.reset(seed=0)
    env.column = 9
    picture = env._observation()[..., 0]
    assert np.argwhere(picture).tolist() == [[0, 9], [9, 5]]
    for _ in range(4):
        observation, reward, terminated, _, _ = env.step(2)
        assert (reward, terminated) == (0.0, False)
    assert np.argwhere(observation[..., 0]).tolist() == [[4, 9], [9, 9]]
    for action in (2, 2, 1, 1):  # the paddle stays at the wall
        env.step(action)
    observation, reward, terminated, _, _ = env.step(1)
    assert (reward, terminated) == (1.0, True)
    assert np.argwhere(observation[..., 0]).tolist() == [[9, 9]]  # ball and paddle in one pixel


@pytest.mark.parametrize("aim", [0, SIZE - 1])
def test_every_start_can_be_won(aim: int) -> None:
    """The paddle starts in the middle and has nine moves: enough for either wall."""
    env = CatchEnv()
    env.reset(seed=0)
    env.column = aim
    steps = [env.step(int(np.sign(env.column - env.paddle)) + 1) for _ in range(EPISODE_STEPS)]
    assert steps[-1][1] == 1.0


def test_it_is_registered_alone_and_in_a_batch_and_its_balls_fall_everywhere() -> None:
    envs = make_envs("Catch-v0", 400, seed=0)
    assert isinstance(envs, CatchVectorEnv) and isinstance(make_single_env("Catch-v0").unwrapped, CatchEnv)
    assert gymnasium.spec("pgcourse/Catch-v0").max_episode_steps > EPISODE_STEPS
    obs, _ = envs.reset()
    assert obs.shape == (400, SIZE, SIZE, 1) and envs.observation_space.contains(obs.numpy())
    columns, counts = envs.state[:, 1].unique(return_counts=True)
    assert columns.tolist() == list(range(SIZE)) and counts.min() > 20


def test_ppo_learns_it_from_the_picture(tmp_path) -> None:
    """Held-out starts; a random agent gets about -0.8. The run can be saved, loaded and filmed."""
    config = replace(
        ppo.CARTPOLE, env_id="Catch-v0", seed=1, total_timesteps=40_000, num_steps=18, minibatch_size=144, update_epochs=4,
        policy_lr=3e-3, critic_lr=3e-3,
    )  # fmt: skip
    shape, channels = (SIZE, SIZE, 1), (8, 16)
    torch.manual_seed(config.seed)
    policy = ConvolutionalPolicy(shape, 3, channels=channels)
    before = evaluate(policy, "Catch-v0", seed=1).mean

    def caught(progress) -> bool:
        return len(progress.episodes) > 500 and progress.episodes["episodic_return"][-200:].mean() > 0.95

    result = ppo.train(config, policy=policy, critic=ConvolutionalCritic(shape, channels=channels), on_iteration=caught)
    after = evaluate(result.policy, "Catch-v0", seed=1).mean
    assert before < 0 and after >= 0.9, (before, after)
    again = load(result.save(tmp_path / "run"))
    assert evaluate(again.policy, "Catch-v0", seed=1).mean == after
    assert record_gif(again.policy, "Catch-v0", tmp_path / "catch.gif", seed=0).stat().st_size > 1000
