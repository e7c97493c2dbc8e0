"""Environments given as objects or functions: trained in, scored in and drawn as what they are, and recorded so."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import FlattenObservation, TransformReward

from pgcourse import a2c, evaluate, load, make_envs, ppo, record_gif, reinforce, trpo
from pgcourse.envs import CartPoleVectorEnv, as_tensor_envs, env_seeds
from pgcourse.networks import CategoricalPolicy, GaussianPolicy
from pgcourse.render import record_frames
from pgcourse.study.seeds import run_seeds
from tests.recording import refused

TINY: dict[str, Any] = {"hidden_sizes": (8,), "seed": 3}
CONFIGS: dict[str, tuple[Callable[..., Any], Any]] = {
    "reinforce": (reinforce.train, replace(reinforce.CARTPOLE, **TINY, num_episodes=6)),
    "a2c": (a2c.train, replace(a2c.CARTPOLE, **TINY, num_steps=8, num_episodes=None, total_timesteps=48)),
    "ppo": (ppo.train, replace(ppo.CARTPOLE, **TINY, num_steps=8, minibatch_size=64, total_timesteps=48)),
    "trpo": (trpo.train, replace(trpo.CARTPOLE, **TINY, num_steps=8, total_timesteps=48)),
}


def costly(render_mode: str | None = None) -> gymnasium.Env:
    """CartPole that pays -10 a step."""
    env = gymnasium.make("CartPole-v1", render_mode=render_mode)
    return TransformReward(env, lambda reward: -10.0 * float(reward))


class CostlyCartPole(CartPoleVectorEnv):
    """The same as batched dynamics."""

    def dynamics(self, state: torch.Tensor, actions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        state, rewards, terminated = super().dynamics(state, actions)
        return state, -10 * rewards, terminated


def in_one(maker: Callable[[], gymnasium.Env], count: int) -> VectorEnv:
    return SyncVectorEnv([maker] * count, autoreset_mode=AutoresetMode.SAME_STEP)


# Training.


@pytest.mark.parametrize("name", CONFIGS)
def test_the_record_says_what_was_trained_in(name: str, tmp_path: Path) -> None:
    """Three environments of another task than the preset's, as many steps as were counted, in memory and on disk."""
    train, config = CONFIGS[name]
    result = train(config, envs=in_one(lambda: gymnasium.make("Acrobot-v1", max_episode_steps=20), 3))
    assert config.num_envs != 3
    assert (result.config.num_envs, result.config.env_id, result.config.seed) == (3, "Acrobot-v1", 3)
    if name != "reinforce":
        assert result.metrics["charts/env_step"][0] == 3 * config.num_steps
    assert load(result.save(tmp_path)).config == result.config


@pytest.mark.parametrize("name", CONFIGS)
def test_the_same_environments_leave_the_same_record(name: str) -> None:
    """Ours go by two names, which mean the same."""
    train, config = CONFIGS[name]
    assert train(config, envs=make_envs("CartPole-v1", config.num_envs, seed=3)).config == config


def test_a_batch_smaller_than_a_minibatch_is_recorded_as_one_minibatch() -> None:
    result = ppo.train(CONFIGS["ppo"][1], envs=make_envs("CartPole-v1", 2, seed=0))
    assert (result.config.num_envs, result.config.batch_size, result.config.minibatch_size) == (2, 16, 16)


# Evaluation.

POLICY = CategoricalPolicy(4, 2, (8,))
SOURCES: dict[str, Callable[[], Any]] = {
    "a function": lambda: costly,
    "one environment": costly,
    "a vector environment": lambda: in_one(costly, 4),
    "one of ours": lambda: CostlyCartPole(4),
    "one that is adapted already": lambda: as_tensor_envs(in_one(costly, 4)),
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("policy", [POLICY, None], ids=["trained", "random"])
def test_every_step_is_scored_by_the_environment_that_is_given(name: str, policy: torch.nn.Module | None) -> None:
    """-10 a step, from 10 start states: with 4 environments side by side, the two that are left over do not count."""
    scores = evaluate(policy, SOURCES[name](), num_episodes=10, seed=1)
    assert scores.returns.shape == scores.lengths.shape == (10,)
    assert scores.returns.tolist() == (-10.0 * scores.lengths).tolist()
    assert scores.lengths.min() > 5


@pytest.mark.parametrize("name", ["a function", "one environment", "a vector environment"])
def test_the_start_states_are_those_of_an_id(name: str) -> None:
    """All of Gymnasium's own CartPole: each episode as long as with `make_envs` of the same dynamics."""
    seen: dict[int, list[float]] = {}

    class Remembers(gymnasium.Wrapper):
        def reset(
            self, *, seed: int | None = None, options: dict[str, Any] | None = None
        ) -> tuple[Any, dict[str, Any]]:
            obs, info = super().reset(seed=seed, options=options)
            if seed is not None:
                seen[seed] = obs.tolist()
            return obs, info

    def make() -> gymnasium.Env:
        return Remembers(gymnasium.make("CartPole-v1"))

    source = {"a function": make, "one environment": make(), "a vector environment": in_one(make, 3)}[name]
    evaluate(POLICY, source, num_episodes=5, seed=1)
    starts = env_seeds(1, 6, "evaluation")
    assert list(seen)[:5] == starts[:5] and set(seen) <= set(starts)
    assert len({tuple(start) for start in seen.values()}) == len(seen)


def test_all_ways_of_giving_an_environment_give_the_same_scores() -> None:
    policy, env_id = GaussianPolicy(2, 1, (8,), initial_std=0.5), "MountainCarContinuous-v0"
    torch.nn.init.constant_(policy.mean[-1].weight, 0.2)
    makers = in_one(lambda: gymnasium.make(env_id), 2)
    scores = [
        evaluate(policy, source, num_episodes=2, seed=2).returns
        for source in (env_id, lambda: gymnasium.make(env_id), gymnasium.make(env_id), makers)
    ]
    assert len(set(scores[0])) == 2
    for other in scores[1:]:
        np.testing.assert_allclose(other, scores[0], rtol=1e-4)


def test_one_environment_plays_no_episode_that_does_not_count_and_stays_open() -> None:
    class Counted(gymnasium.Wrapper):
        resets, closed = 0, False

        def reset(self, **options: Any) -> Any:
            self.resets += 1
            return super().reset(**options)

        def close(self) -> None:
            self.closed = True

    env = Counted(gymnasium.make("CartPole-v1"))
    evaluate(POLICY, env, num_episodes=4, seed=0)
    assert env.resets == 4 and not env.closed
    envs = in_one(lambda: env, 1)
    evaluate(POLICY, envs, num_episodes=2, seed=0)
    assert not env.closed and not envs.closed


def test_actions_that_do_not_start_at_0_are_the_environments_own_for_a_random_agent_too() -> None:
    class From5(gymnasium.ActionWrapper):
        action_space = gymnasium.spaces.Discrete(2, start=5)

        def action(self, action: Any) -> int:
            taken.add(int(action))
            return int(action) - 5

    def make() -> gymnasium.Env:
        return From5(gymnasium.make("CartPole-v1"))

    for policy in (None, POLICY):
        for source in (make, make()):
            taken: set[int] = set()
            evaluate(policy, source, num_episodes=3, seed=0, deterministic=False)
            assert taken == {5, 6}


def test_studies_score_in_the_environments_that_they_train_in() -> None:
    config = replace(reinforce.CARTPOLE, num_episodes=4)
    seams = {"costly": {"envs": costly_of_seed}, "bonus": {"envs": scored_elsewhere}}
    runs = run_seeds({"costly": config, "bonus": config}, [0], seams=seams, progress=False)
    assert (runs["costly"][0].evaluation < 0).all(), "an environment that pays -10 a step"
    assert (runs["bonus"][0].evaluation > 0).all(), "it says that it is for training alone"


def costly_of_seed(seed: int) -> VectorEnv:
    return CostlyCartPole(4)


def scored_elsewhere(seed: int) -> VectorEnv:
    envs = CostlyCartPole(4)
    envs.scored_on = "CartPole-v1"  # type: ignore[attr-defined]
    return envs


# Pictures.


@pytest.mark.parametrize("name", ["a function", "one environment", "a vector environment"])
def test_pictures_and_their_return_are_of_the_environment_that_is_given(name: str, tmp_path: Path) -> None:
    def make() -> gymnasium.Env:
        return costly("rgb_array")

    source = {"a function": make, "one environment": make(), "a vector environment": in_one(make, 2)}[name]
    frames = record_frames(POLICY, source, seed=5, max_steps=4)
    assert frames.rewards.tolist() == [-10.0] * 4
    expected = record_frames(POLICY, "CartPole-v1", seed=5, max_steps=4)
    np.testing.assert_array_equal(frames.images[4], expected.images[4])
    assert record_gif(POLICY, source, tmp_path / "a.gif", seed=5, max_steps=3).stat().st_size > 1000


def test_of_our_batched_environments_the_single_one_is_drawn() -> None:
    envs = make_envs("CartPole-v1", 3, seed=0)
    frames = record_frames(POLICY, envs, seed=5, max_steps=2)
    np.testing.assert_array_equal(frames.images[2], record_frames(POLICY, "CartPole-v1", seed=5, max_steps=2).images[2])


# What is refused, and where the advice leads.


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (7, "the environment is int; give an id such as CartPole-v1, a Gymnasium environment, or a function"),
        (lambda: "CartPole-v1", "the function gives str; give an id"),
        (lambda: make_envs("CartPole-v1", 2, seed=0), "the function gives CartPoleVectorEnv; give an id"),
        (gymnasium.make_vec("CartPole-v1", num_envs=2), "resets in mode NEXT_STEP, pgcourse needs SAME_STEP"),
    ],
    ids=["a number", "a function of an id", "a function of many", "another autoreset mode"],
)
def test_what_is_no_environment_is_refused_in_one_line(source: Any, message: str) -> None:
    with refused(message):
        evaluate(None, source, num_episodes=3, seed=0)


def test_a_function_that_gives_one_environment_again_and_again_is_refused() -> None:
    env = gymnasium.make("CartPole-v1")
    with refused("gives the same environment each time; give the environment itself"):
        evaluate(None, lambda: env, num_episodes=3, seed=0)


def test_an_environment_that_was_not_made_to_be_drawn_is_refused() -> None:
    with refused("CartPole-v1 was made with render_mode=None; make it with render_mode='rgb_array'"):
        record_frames(None, gymnasium.make("CartPole-v1"), seed=0)
    with refused("CostlyCartPole has no single environment in it"):
        record_frames(None, CostlyCartPole(2), seed=0)
    with refused("cannot draw itself"):
        record_frames(None, make_envs("pgcourse/ShortCorridor-v0", 2, seed=0), seed=0)


class Grid(gymnasium.Env):
    """Observations of two rows, an image to the package, for which it makes no network; one step an episode."""

    observation_space = gymnasium.spaces.Box(0, 1, (2, 3), np.float32)
    action_space = gymnasium.spaces.Discrete(2)
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}
    render_mode = "rgb_array"

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        return np.ones((2, 3), np.float32), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        return np.zeros((2, 3), np.float32), 5.0, True, False, {}

    def render(self) -> Any:
        return np.zeros((8, 8, 3), np.uint8)


def test_the_advice_of_the_refusal_leads_to_a_run_its_score_and_its_picture(tmp_path: Path) -> None:
    config = replace(reinforce.CARTPOLE, num_episodes=4, hidden_sizes=(8,))
    with refused("wrap the environment with gymnasium.wrappers.FlattenObservation") as caught:
        reinforce.train(config, envs=in_one(Grid, 2))
    (advice,) = re.findall(r"gymnasium\.wrappers\.(\w+)", str(caught.value))
    assert advice == FlattenObservation.__name__

    def wrapped() -> gymnasium.Env:
        return FlattenObservation(Grid())

    policy = reinforce.train(config, envs=in_one(wrapped, 2)).policy
    for source in (wrapped, wrapped(), in_one(wrapped, 2)):
        assert evaluate(policy, source, num_episodes=3, seed=0).returns.tolist() == [5.0] * 3
        assert record_gif(policy, source, tmp_path / "grid.gif", seed=0).exists()
