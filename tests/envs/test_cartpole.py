"""The batched CartPole does what Gymnasium's does, step by step, and keeps the contract of SAME_STEP."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv as GymnasiumCartPole
from gymnasium.vector import AutoresetMode
from torch import Tensor

import pgcourse
from pgcourse.envs import CartPoleVectorEnv, make_envs
from pgcourse.errors import InvalidInput

POSITION_LIMIT, ANGLE_LIMIT = 2.4, 12 * 2 * np.pi / 360


def single_step(single: gymnasium.Env, state: Tensor, action: int) -> tuple[np.ndarray, float, bool]:
    single.reset(seed=0)
    single.unwrapped.state = state.numpy().astype(np.float64)
    single.unwrapped.steps_beyond_terminated = None
    obs, reward, terminated, _, _ = single.step(action)
    return obs, float(reward), terminated


def test_a_hundred_thousand_random_states_and_actions_equal_gymnasiums() -> None:
    """States up to and beyond both limits, fast and slow; a step of each, and whether it ends the episode."""
    count = 100_000
    random = np.random.default_rng(0)
    spread = np.array([2.6, 4.0, 0.25, 4.0])  # the limits are 2.4 m and 0.209 rad
    states = random.uniform(-spread, spread, (count, 4)).astype(np.float32)
    actions = random.integers(0, 2, count)
    ours, theirs = CartPoleVectorEnv(count), GymnasiumCartPole(num_envs=count)
    ours.reset(seed=0)
    theirs.reset(seed=0)
    ours.state, theirs.state = torch.tensor(states), states.T.astype(np.float64)
    _, rewards, terminated, truncated, info = ours.step(torch.tensor(actions))
    obs, their_rewards, their_terminated, their_truncated, _ = theirs.step(actions)
    np.testing.assert_allclose(info["final_obs"].numpy(), obs, rtol=1e-5, atol=1e-6)
    assert np.array_equal(rewards.numpy(), their_rewards)
    assert np.array_equal(truncated.numpy(), their_truncated)
    # float32 may round a state on a limit to either side of it; none of these lies so close
    assert np.array_equal(terminated.numpy(), their_terminated)
    assert 0.1 < terminated.float().mean() < 0.9


def test_a_whole_episode_from_the_same_start_state_equals_gymnasiums() -> None:
    envs = CartPoleVectorEnv(1)
    start, _ = envs.reset(seed=2)
    single = CartPoleEnv()
    single.reset(seed=0)
    single.state = start[0].numpy().astype(np.float64)
    for step in range(500):
        action = step % 2
        obs, _, terminated, _, _ = single.step(action)
        _, _, ours, _, info = envs.step(torch.tensor([action]))
        np.testing.assert_allclose(info["final_obs"][0].numpy(), obs, rtol=1e-4, atol=1e-5)
        assert bool(ours[0]) == terminated
        if terminated:
            break
    assert terminated and step > 10


@pytest.mark.parametrize(
    ("state", "terminated"),
    [
        *(((sign * (POSITION_LIMIT - 1e-3), 0, 0, 0), False) for sign in (1, -1)),
        *(((sign * (POSITION_LIMIT + 1e-3), 0, 0, 0), True) for sign in (1, -1)),
        *(((0, 0, sign * (ANGLE_LIMIT - 1e-4), 0), False) for sign in (1, -1)),
        *(((0, 0, sign * (ANGLE_LIMIT + 1e-4), 0), True) for sign in (1, -1)),
        ((0, 50, 0, -5), False),  # velocities have no limit, as long as one step stays inside
        ((POSITION_LIMIT - 1e-3, 1, 0, 0), True),  # moves over the line within the step
    ],
)
def test_an_episode_terminates_where_gymnasiums_does(state: tuple[float, ...], terminated: bool) -> None:
    envs = CartPoleVectorEnv(1)
    envs.reset(seed=0)
    envs.state = torch.tensor([state], dtype=torch.float32)
    theirs = single_step(CartPoleEnv(), envs.state[0], 1)[2]
    assert bool(envs.step(torch.tensor([1]))[2][0]) == theirs == terminated


def balance(obs: Tensor) -> Tensor:
    """Push under the falling pole: keeps it up for more than 500 steps from most starts."""
    return (obs @ torch.tensor([0.1, 0.5, 5.0, 1.0]) > 0).long()


def test_an_episode_that_stays_up_is_truncated_after_500_steps_exactly() -> None:
    envs = make_envs("CartPole-v1", 4, seed=0)
    obs, _ = envs.reset(seed=3)
    for step in range(1, 501):
        obs, _, terminated, truncated, info = envs.step(balance(obs))
        assert not terminated.any()
        assert truncated.tolist() == [step == 500] * 4
    assert info["_final_obs"].all()
    assert (obs.abs() <= 0.05).all(), "the next episodes have begun"
    assert not envs.step(balance(obs))[3].any(), "and count their own steps"


def test_an_episode_can_be_terminated_and_truncated_at_once() -> None:
    envs = CartPoleVectorEnv(1, max_episode_steps=1)
    envs.reset(seed=0)
    envs.state = torch.tensor([[POSITION_LIMIT, 1.0, 0.0, 0.0]])
    _, _, terminated, truncated, info = envs.step(torch.tensor([1]))
    assert terminated.tolist() == truncated.tolist() == info["_final_obs"].tolist() == [True]


def test_same_step_gives_the_next_start_and_keeps_the_true_last_observation() -> None:
    envs = CartPoleVectorEnv(3)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    first, _ = envs.reset(seed=5)
    assert (first.abs() <= 0.05).all()
    envs.state[1] = torch.tensor([0.0, 0.0, 0.2, 3.0])  # falls in one step
    expected = single_step(CartPoleEnv(), envs.state[1], 0)[0]
    obs, _, terminated, _, info = envs.step(torch.tensor([0, 0, 0]))
    assert terminated.tolist() == info["_final_obs"].tolist() == [False, True, False]
    np.testing.assert_allclose(info["final_obs"][1].numpy(), expected, rtol=1e-5)
    assert (obs[1].abs() <= 0.05).all() and not torch.equal(obs[1], first[1])
    # Dense: where no episode ended, it is the current observation.
    assert torch.equal(info["final_obs"][[0, 2]], obs[[0, 2]])
    # The next episode goes on from the observation that was given.
    following = single_step(CartPoleEnv(), obs[1], 1)[0]
    np.testing.assert_allclose(envs.step(torch.tensor([1, 1, 1]))[0][1].numpy(), following, rtol=1e-4, atol=1e-6)


def test_what_step_returned_is_not_changed_by_later_steps() -> None:
    envs = CartPoleVectorEnv(2)
    kept = [envs.reset(seed=0)[0]]
    copies = [kept[0].clone()]
    for _ in range(60):
        *tensors, info = envs.step(torch.tensor([0, 1]))
        kept += [*tensors, *info.values()]
        copies += [tensor.clone() for tensor in (*tensors, *info.values())]
    assert all(map(torch.equal, kept, copies))


def test_observations_rewards_and_flags_have_the_promised_shapes_and_types() -> None:
    envs = make_envs("CartPole-v1", 5, seed=0)
    obs, info = envs.reset(seed=0)
    assert (obs.shape, obs.dtype, info) == ((5, 4), torch.float32, {})
    obs, rewards, terminated, truncated, info = envs.step(envs.action_space.sample())
    assert obs.shape == info["final_obs"].shape == (5, 4)
    assert (rewards.shape, rewards.dtype) == ((5,), torch.float32)
    for flag in (terminated, truncated, info["_final_obs"]):
        assert (flag.shape, flag.dtype) == ((5,), torch.bool)
    assert envs.observation_space.contains(obs.numpy())
    single = gymnasium.make("CartPole-v1")
    assert envs.single_action_space == single.action_space == gymnasium.spaces.Discrete(2)
    np.testing.assert_allclose(envs.single_observation_space.high, single.observation_space.high)
    np.testing.assert_allclose(envs.single_observation_space.low, single.observation_space.low)


def test_gymnasium_makes_ours_in_batches_and_its_own_alone() -> None:
    batch = gymnasium.make_vec("pgcourse/CartPole-v1", num_envs=3)
    assert isinstance(batch, CartPoleVectorEnv) and batch.num_envs == 3 and batch.max_episode_steps == 500
    single = gymnasium.make("pgcourse/CartPole-v1", render_mode="rgb_array")
    assert isinstance(single.unwrapped, CartPoleEnv)
    assert single.spec is not None and single.spec.max_episode_steps == 500
    assert isinstance(pgcourse.make_envs("CartPole-v1", 2, seed=0), CartPoleVectorEnv)
    assert isinstance(pgcourse.make_envs("pgcourse/CartPole-v1", 2, seed=0), CartPoleVectorEnv)


def test_registering_twice_changes_nothing(recwarn: pytest.WarningsRecorder) -> None:
    before = gymnasium.registry["pgcourse/CartPole-v1"]
    pgcourse.register_envs()
    assert gymnasium.registry["pgcourse/CartPole-v1"] is before
    assert not recwarn.list


def test_no_environment_at_all_is_refused() -> None:
    with pytest.raises(InvalidInput, match="num_envs=0 is not positive; use at least 1"):
        make_envs("CartPole-v1", 0, seed=0)
    with pytest.raises(InvalidInput, match="num_envs=-3 is not positive"):
        CartPoleVectorEnv(-3)
