"""Key and door: the batch equals the single corridor, the key and the limits work, and what is exact agrees with simulation."""

import gymnasium
import numpy as np
import pytest
import torch

from pgcourse import record_gif
from pgcourse.envs import make_envs, make_single_env
from pgcourse.envs.key_door import (
    EPISODE_STEPS,
    LENGTH,
    NUM_PLACES,
    SHORTEST,
    START,
    SWITCHED_SQUARES,
    KeyDoorEnv,
    KeyDoorVectorEnv,
    optimal_return,
    remaining_steps,
    success_probability,
)

LEFT, RIGHT = False, True


def action(square: int, direction: bool, switched: bool = True) -> int:
    """The action that goes this way from a square."""
    return int(direction != (switched and square in SWITCHED_SQUARES))


@pytest.mark.parametrize("switched", [True, False])
def test_the_batch_equals_single_corridors(switched: bool) -> None:
    """Walks that lean left and right in turn, so that keys are found and doors reached, with and without them."""
    generator = torch.Generator().manual_seed(0)
    num_envs = 24
    envs = KeyDoorVectorEnv(num_envs, switched=switched)
    obs, _ = envs.reset(seed=5)
    singles = [KeyDoorEnv(switched=switched) for _ in range(num_envs)]
    first = np.stack([single.reset(seed=0)[0] for single in singles])
    np.testing.assert_array_equal(obs.numpy(), first)
    elapsed, seen = np.zeros(num_envs, int), {"opened": 0, "cut": 0, "door without key": 0}
    for step in range(400):
        lean = 0.1 if step % 100 < 40 else 0.9
        right = (torch.rand(num_envs, generator=generator) < lean).tolist()
        actions = [action(single.square, way, switched) for single, way in zip(singles, right, strict=True)]
        obs, rewards, terminated, truncated, info = envs.step(torch.tensor(actions))
        taken = [single.step(move) for single, move in zip(singles, actions, strict=True)]
        elapsed += 1
        np.testing.assert_array_equal(info["final_obs"].numpy(), np.stack([each[0] for each in taken]))
        assert rewards.tolist() == [each[1] for each in taken]
        assert terminated.tolist() == [each[2] for each in taken]
        assert truncated.tolist() == (elapsed >= EPISODE_STEPS).tolist()
        seen["door without key"] += sum(single.square == LENGTH - 1 and not single.key for single in singles)
        for n in np.flatnonzero((terminated | truncated).numpy()):
            seen["opened" if terminated[n] else "cut"] += 1
            singles[n].reset()
            elapsed[n] = 0
        np.testing.assert_array_equal(obs.numpy(), np.stack([single._observation() for single in singles]))
    assert min(seen.values()) > 5, seen


def test_the_shortest_way_by_hand() -> None:
    env = KeyDoorEnv()
    observation, _ = env.reset(seed=0)
    assert observation.argmax() == START and observation.sum() == 1
    way = [LEFT] * START + [RIGHT] * (LENGTH - 1)
    assert len(way) == SHORTEST == 36
    steps = []
    for direction in way:
        assert remaining_steps(torch.tensor([observation.argmax()])).item() == len(way) - len(steps)
        observation, *rest = env.step(action(env.square, direction))
        steps.append(rest)
    assert [step[0] for step in steps] == [0.0] * (SHORTEST - 1) + [1.0]
    assert [step[1] for step in steps] == [False] * (SHORTEST - 1) + [True]
    assert observation.argmax() == NUM_PLACES - 1 and remaining_steps(torch.tensor([NUM_PLACES - 1])).item() == 0
    assert optimal_return(gamma=0.5) == 0.5**35 and optimal_return(gamma=1.0) == 1


def test_the_door_without_the_key_is_a_wall() -> None:
    env = KeyDoorEnv()
    env.reset(seed=0)
    for _ in range(LENGTH):
        observation, reward, terminated, truncated, _ = env.step(action(env.square, RIGHT))
        assert (reward, terminated, truncated) == (0.0, False, False)
    assert observation.argmax() == LENGTH - 1


def test_it_is_registered_alone_and_in_a_batch_with_its_limit() -> None:
    for env_id, switched in (("KeyDoor-v0", True), ("StraightKeyDoor-v0", False)):
        envs, single = make_envs(env_id, 3, seed=0), make_single_env(env_id)
        assert isinstance(envs, KeyDoorVectorEnv) and isinstance(single.unwrapped, KeyDoorEnv)
        assert gymnasium.spec(f"pgcourse/{env_id}").max_episode_steps == envs.max_episode_steps == EPISODE_STEPS
        envs.reset()
        assert envs.step(torch.tensor([1, 1, 0]))[0].argmax(dim=1).tolist() == (
            [START - 1, START - 1, START + 1] if switched else [START + 1, START + 1, START - 1]
        )
        single.reset(seed=0)
        assert single.step(1)[0].argmax() == (START - 1 if switched else START + 1)
        ends = [single.step(step % 2)[3] for step in range(EPISODE_STEPS - 1)]
        assert ends == [False] * (EPISODE_STEPS - 2) + [True]


@pytest.mark.parametrize(("right_probability", "episode_steps"), [(0.5, 400), (0.5, 120), (0.6, 300), (0.4, 250)])
def test_the_probability_of_success_is_what_simulation_gives(right_probability: float, episode_steps: int) -> None:
    """With limits under which success is not rare."""
    episodes, generator = 20_000, np.random.default_rng(0)
    square, key, arrived = np.full(episodes, START), np.zeros(episodes, bool), np.zeros(episodes, bool)
    for _ in range(episode_steps):
        step = np.where(generator.random(episodes) < right_probability, 1, -1)
        square = np.clip(square + step, 0, LENGTH - 1)
        key |= square == 0
        arrived |= key & (square == LENGTH - 1)
    exact = success_probability(right_probability, episode_steps=episode_steps)
    assert abs(arrived.mean() - exact) < 4.5 * (exact * (1 - exact) / episodes) ** 0.5 + 1e-4


def test_a_random_walk_hardly_ever_arrives_and_the_limits_are_exact() -> None:
    assert success_probability(episode_steps=SHORTEST - 1) == 0
    assert success_probability(episode_steps=SHORTEST) == pytest.approx(0.5**SHORTEST)  # one way, each step a coin
    assert success_probability() == pytest.approx(6.4e-6, rel=0.01)
    assert success_probability(1.0) == success_probability(0.0) == 0


def test_it_is_drawn(tmp_path) -> None:
    env = KeyDoorEnv(render_mode="rgb_array")
    env.reset(seed=0)
    before = env.render()
    assert before.dtype == np.uint8 and before.shape == (48, 400, 3)
    for _ in range(START):
        env.step(action(env.square, LEFT))
    assert (before != env.render()).any()
    assert record_gif(None, "KeyDoor-v0", tmp_path / "key.gif", seed=0, max_steps=70).stat().st_size > 500
