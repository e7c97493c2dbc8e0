"""CartPole without velocities, and frames stacked: the batch equals the single one, and no episode sees the one before it."""

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

from pgcourse import Checkpoint, evaluate, ppo, record_gif
from pgcourse.envs import (
    CartPolePositionsVectorEnv,
    CartPoleVectorEnv,
    CatchVectorEnv,
    FrameStack,
    make_envs,
    make_single_env,
)
from pgcourse.envs.frames import stack_frames
from pgcourse.errors import InvalidInput
from tests.algorithms.test_resume import same

TASK = "CartPolePositions-v0"


def test_it_is_cartpole_seen_without_velocities() -> None:
    generator = torch.Generator().manual_seed(0)
    whole, seen = CartPoleVectorEnv(8), CartPolePositionsVectorEnv(8)
    everything, obs = whole.reset(seed=2)[0], seen.reset(seed=2)[0]
    assert obs.shape == (8, 2)
    ends = 0
    for _ in range(60):
        assert torch.equal(obs, everything[:, [0, 2]])
        actions = torch.randint(0, 2, (8,), generator=generator)
        everything, *others, info = whole.step(actions)
        obs, *those, seen_info = seen.step(actions)
        assert all(torch.equal(one, other) for one, other in zip(others, those, strict=True))
        assert torch.equal(seen_info["final_obs"], info["final_obs"][:, [0, 2]])
        ends += int(info["_final_obs"].sum())
    assert ends > 8


@pytest.mark.parametrize("frames", [None, 1, 3])
def test_a_whole_episode_equals_the_single_ones(frames: int | None) -> None:
    plain = CartPolePositionsVectorEnv(1)
    envs = plain if frames is None else FrameStack(plain, frames)
    single = make_single_env(TASK) if frames is None else stack_frames(make_single_env(TASK), frames)
    obs, _ = envs.reset(seed=2)
    unwrapped: Any = single.unwrapped
    unwrapped.reset = lambda **_: (np.array(start, dtype=np.float32), {})
    start = envs.state[0, :4].tolist()
    unwrapped.state = np.array(start)
    first, _ = single.reset(seed=0)
    np.testing.assert_allclose(obs[0].numpy(), first, atol=1e-6)
    for step in range(500):
        theirs, reward, terminated, _, _ = single.step(step % 2)
        _, rewards, ended, _, info = envs.step(torch.tensor([step % 2]))
        np.testing.assert_allclose(info["final_obs"][0].numpy(), theirs, rtol=1e-4, atol=1e-5)
        assert (rewards[0].item(), bool(ended[0])) == (reward, terminated)
        assert envs.single_observation_space.shape == single.observation_space.shape
        if terminated:
            break
    assert terminated and step > 10


def test_it_is_registered_alone_and_in_a_batch() -> None:
    envs, single = make_envs(TASK, 3, seed=0), make_single_env(TASK)
    assert isinstance(envs, CartPolePositionsVectorEnv) and envs.single_observation_space == single.observation_space
    spec = gymnasium.spec("pgcourse/" + TASK)
    assert spec.max_episode_steps == 500 and spec.reward_threshold == 475
    assert envs.observation_space.contains(envs.reset(seed=0)[0].numpy())


def test_frames_by_hand() -> None:
    """Oldest first; before the first observation stands the first; an end begins a stack of its own."""
    envs = FrameStack(CartPolePositionsVectorEnv(2, max_episode_steps=3), 3)
    seen = [envs.reset(seed=0)[0]]
    newest = [seen[0][:, -2:]]
    for step in range(5):
        obs, _, _, truncated, info = envs.step(torch.tensor([0, 1]))
        assert truncated.tolist() == [step == 2] * 2
        seen.append(obs)
        newest.append(obs[:, -2:])
        if step == 2:
            final = info["final_obs"]
    a, b, c, d, e, f = newest
    for found, expected in zip(seen, [(a, a, a), (a, a, b), (a, b, c), (d, d, d), (d, d, e), (d, e, f)], strict=True):
        assert torch.equal(found, torch.cat(expected, -1))
    assert torch.equal(final[:, :4], torch.cat([b, c], -1)) and not torch.equal(final[:, 4:], d)


def test_stacks_of_what_cannot_be_stacked_are_refused() -> None:
    with pytest.raises(InvalidInput, match="num_frames=0"):
        FrameStack(CartPolePositionsVectorEnv(2), 0)
    with pytest.raises(InvalidInput, match="shape \\(10, 10, 1\\)"):
        FrameStack(CatchVectorEnv(2), 4)


def test_a_run_with_frames_is_trained_evaluated_filmed_and_resumed(tmp_path: Any) -> None:
    config = replace(
        ppo.CARTPOLE, env_id=TASK, num_envs=3, num_steps=25, minibatch_size=40, update_epochs=2, hidden_sizes=(8,),
        total_timesteps=75 * 6,
    )  # fmt: skip

    def envs() -> FrameStack:
        plain = make_envs(TASK, 3, seed=0)
        assert isinstance(plain, CartPolePositionsVectorEnv)
        return FrameStack(plain, 2)

    whole = ppo.train(config, envs=envs())
    assert evaluate(whole.policy, envs(), num_episodes=4, seed=0).lengths.min() > 5

    def drawn() -> gymnasium.Env:
        return stack_frames(make_single_env(TASK, render_mode="rgb_array"), 2)

    assert record_gif(whole.policy, drawn, tmp_path / "agent.gif", seed=0, max_steps=5).stat().st_size > 1000
    ppo.train(
        config,
        envs=envs(),
        checkpoint=Checkpoint(tmp_path, every=3),
        on_iteration=lambda progress: progress.iteration == 3,
    )
    assert same(whole, ppo.train(config, envs=envs(), checkpoint=Checkpoint(tmp_path, every=3, resume=True)))
