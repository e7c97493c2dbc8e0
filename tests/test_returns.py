"""Returns and advantages against numbers worked by hand and against other ways to the same answer."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pgcourse import returns

# The same examples each time, and no clock: a busy machine is slow without being wrong.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

NEAR = {"rtol": 1e-9, "atol": 1e-9}  # for float64


def flags(*rows: int) -> Tensor:
    return torch.tensor(rows, dtype=torch.bool)[:, None]


def column(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)[:, None]


class Rows:
    """Random experience [T, N] with random ends of episodes."""

    def __init__(self, seed: int, steps: int, envs: int) -> None:
        generator = torch.Generator().manual_seed(seed)

        def normal() -> Tensor:
            return torch.randn(steps, envs, generator=generator, dtype=torch.float64)

        self.rewards, self.values, self.next_values = normal(), normal(), normal()
        self.terminated = torch.rand(steps, envs, generator=generator) < 0.2
        self.truncated = torch.rand(steps, envs, generator=generator) < 0.2

    def gae(self, gamma: float, gae_lambda: float, columns: slice = slice(None)) -> Tensor:
        fields = (self.rewards, self.values, self.next_values, self.terminated, self.truncated)
        return returns.gae(*(field[:, columns] for field in fields), gamma=gamma, gae_lambda=gae_lambda)


rows = st.builds(Rows, st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 4))
shares = st.floats(0, 1)


# Discounted returns.


@pytest.mark.parametrize(
    ("rewards", "gamma", "expected"),
    [
        ([1.0, 2.0, 3.0], 0.5, [2.75, 3.5, 3.0]),  # G_2 = 3, G_1 = 2 + 3/2 = 3.5, G_0 = 1 + 3.5/2 = 2.75
        ([1.0, -2.0, 4.0], 1.0, [3.0, 2.0, 4.0]),  # without discount the sum to go
        ([1.0, -2.0, 4.0], 0.0, [1.0, -2.0, 4.0]),  # with full discount the reward
    ],
)
def test_a_return_is_the_reward_plus_the_discounted_return_after_it(
    rewards: list, gamma: float, expected: list
) -> None:
    assert returns.discounted_returns(torch.tensor(rewards), gamma=gamma).tolist() == expected


def test_a_reward_of_one_for_ever_is_worth_one_over_one_minus_gamma() -> None:
    result = returns.discounted_returns(torch.ones(5000, dtype=torch.float64), gamma=0.99)
    assert result[0].item() == pytest.approx(100.0, rel=1e-9)  # 1 / (1 - 0.99); 0.99^5000 is below 1e-21


@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 4), shares)
def test_a_batch_of_episodes_equals_its_episodes_one_by_one(seed: int, steps: int, envs: int, gamma: float) -> None:
    rewards = torch.randn(steps, envs, generator=torch.Generator().manual_seed(seed))
    together = returns.discounted_returns(rewards, gamma=gamma)
    for n in range(envs):
        assert torch.equal(together[:, n], returns.discounted_returns(rewards[:, n], gamma=gamma))


@given(st.integers(0, 2**32), st.lists(st.integers(1, 9), min_size=1, max_size=4), shares)
def test_episodes_of_different_lengths_at_once_equal_them_one_by_one(
    seed: int, lengths: list[int], gamma: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    rewards = [torch.randn(length, generator=generator) for length in lengths]
    one_by_one = torch.cat([returns.discounted_returns(episode, gamma=gamma) for episode in rewards])
    assert torch.equal(returns.episode_returns(rewards, gamma=gamma), one_by_one)


@pytest.mark.parametrize("shape", [(1,), (7,), (7, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_returns_keep_shape_and_dtype_and_leave_the_rewards_alone(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    rewards = torch.ones(shape, dtype=dtype)
    result = returns.discounted_returns(rewards, gamma=0.9)
    assert (result.shape, result.dtype) == (shape, dtype)
    assert torch.equal(rewards, torch.ones(shape, dtype=dtype))


def test_integer_rewards_are_refused_as_their_returns_would_be_cut() -> None:
    with pytest.raises(ValueError, match=r"int64.*rewards\.float\(\)"):
        returns.discounted_returns(torch.tensor([1, 1]), gamma=0.5)


# Generalised advantage estimation.


@pytest.mark.parametrize(
    ("values", "next_values", "terminated", "truncated", "expected"),
    [
        # gamma = lambda = 1/2. delta_1 = 2 - 6 = -4 (no bootstrap: terminated), A_1 = -4.
        # delta_0 = 1 + 1/2 * 6 - 3 = 1, A_0 = 1 + 1/4 * -4 = 0.
        ((3, 6), (6, 100), (0, 1), (0, 0), [0.0, -4.0]),
        # Row 0 is truncated before a state worth 8, row 1 belongs to the next episode and ends the rollout before 10.
        # A_1 = 2 + 1/2 * 10 - 4 = 3. A_0 = 1 + 1/2 * 8 - 3 = 2, with nothing of A_1.
        ((3, 4), (8, 10), (0, 0), (1, 0), [2.0, 3.0]),
    ],
    ids=["terminated", "truncated"],
)
def test_advantages_by_hand(
    values: tuple, next_values: tuple, terminated: tuple, truncated: tuple, expected: list
) -> None:
    fields = column(1, 2), column(*values), column(*next_values), flags(*terminated), flags(*truncated)
    assert returns.gae(*fields, gamma=0.5, gae_lambda=0.5).flatten().tolist() == expected


@given(rows, shares, shares)
def test_both_flags_at_once_count_as_terminated(rows: Rows, gamma: float, gae_lambda: float) -> None:
    rows.truncated = rows.truncated | rows.terminated
    both = rows.gae(gamma, gae_lambda)
    rows.truncated = rows.truncated & ~rows.terminated
    assert torch.equal(both, rows.gae(gamma, gae_lambda))


@given(rows, shares)
def test_with_lambda_0_the_advantage_is_the_temporal_difference_error(rows: Rows, gamma: float) -> None:
    future = torch.where(rows.terminated, 0.0, rows.next_values)
    torch.testing.assert_close(rows.gae(gamma, 0.0), rows.rewards + gamma * future - rows.values, **NEAR)


@given(st.integers(0, 2**32), st.integers(1, 12), shares, st.booleans())
def test_with_lambda_1_the_advantage_plus_the_value_is_the_discounted_return(
    seed: int, steps: int, gamma: float, terminates: bool
) -> None:
    """One episode; truncated, the value of the state that nobody acted in stands for the rewards after it."""
    one = Rows(seed, steps, 1)
    one.next_values = torch.cat([one.values[1:], one.next_values[-1:]])  # V(s_{t+1}) is the next row's V(s_t)
    one.terminated = torch.zeros(steps, 1, dtype=torch.bool)
    one.truncated = one.terminated.clone()
    (one.terminated if terminates else one.truncated)[-1] = True
    rewards = one.rewards.clone()
    if not terminates:
        rewards[-1] += gamma * one.next_values[-1]
    expected = returns.discounted_returns(rewards, gamma=gamma)
    torch.testing.assert_close(one.gae(gamma, 1.0) + one.values, expected, **NEAR)


@given(rows, shares, shares)
def test_a_batch_of_trajectories_equals_them_one_by_one(rows: Rows, gamma: float, gae_lambda: float) -> None:
    together = rows.gae(gamma, gae_lambda)
    for n in range(together.shape[1]):
        assert torch.equal(together[:, n : n + 1], rows.gae(gamma, gae_lambda, slice(n, n + 1)))


@given(rows, shares, shares)
def test_every_episode_of_a_rollout_has_the_advantages_that_it_has_alone(
    rows: Rows, gamma: float, gae_lambda: float
) -> None:
    """The definition: A_t is the sum of (gamma lambda)^k delta_{t+k} over the steps left in the episode of step t."""
    result = rows.gae(gamma, gae_lambda)
    deltas = rows.rewards + gamma * torch.where(rows.terminated, 0.0, rows.next_values) - rows.values
    steps, envs = result.shape
    for n in range(envs):
        for t in range(steps):
            expected = 0.0
            for later in range(t, steps):
                expected += (gamma * gae_lambda) ** (later - t) * deltas[later, n].item()
                if rows.terminated[later, n] or rows.truncated[later, n]:
                    break
            assert result[t, n].item() == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_what_lies_behind_a_boundary_does_not_matter() -> None:
    rows = Rows(0, 6, 2)
    rows.terminated[2], rows.truncated[2] = True, False
    before = rows.gae(0.9, 0.8)[:3]
    rows.rewards[3:], rows.values[3:], rows.next_values[2:] = 1e6, -1e6, 1e6
    assert torch.equal(rows.gae(0.9, 0.8)[:3], before)


def test_advantages_carry_no_gradient_and_change_no_argument() -> None:
    rows = Rows(1, 5, 2)
    rows.values.requires_grad_()
    copies = [field.detach().clone() for field in (rows.rewards, rows.values, rows.next_values)]
    result = rows.gae(0.9, 0.8)
    assert not result.requires_grad
    assert all(map(torch.equal, copies, (rows.rewards, rows.values, rows.next_values)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_advantages_keep_shape_and_dtype(dtype: torch.dtype) -> None:
    ones, no = torch.ones(4, 3, dtype=dtype), torch.zeros(4, 3, dtype=torch.bool)
    result = returns.gae(ones, ones, ones, no, no, gamma=0.99, gae_lambda=0.95)
    assert (result.shape, result.dtype) == ((4, 3), dtype)


@pytest.mark.parametrize("types", [(torch.uint8, torch.bool), (torch.bool, torch.uint8)])
def test_flags_that_are_not_bool_are_refused(types: tuple[torch.dtype, torch.dtype]) -> None:
    # ~ of the byte 0 is 255, so byte flags would bootstrap 255 times the value and raise no error.
    ones, no = torch.ones(2, 1), [torch.zeros(2, 1, dtype=dtype) for dtype in types]
    with pytest.raises(ValueError, match=r"uint8.*\.bool\(\)"):
        returns.gae(ones, ones, ones, *no, gamma=0.9, gae_lambda=0.9)


# Normalisation.


def test_normalised_numbers_by_hand() -> None:
    # Mean 3, deviations -2, 0, 2, biased variance 8/3.
    scale = math.sqrt(8 / 3)
    result = returns.normalize(torch.tensor([1.0, 3.0, 5.0], dtype=torch.float64))
    torch.testing.assert_close(result, torch.tensor([-2, 0, 2], dtype=torch.float64) / scale, rtol=1e-7, atol=1e-7)


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.floats(-1e3, 1e3), st.floats(0.01, 1e3))
def test_normalised_numbers_have_mean_0_and_deviation_1_over_all_elements(
    seed: int, shift: float, scale: float
) -> None:
    x = torch.randn(8, 5, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * scale + shift
    result = returns.normalize(x)
    assert result.shape == x.shape
    assert result.mean().item() == pytest.approx(0, abs=1e-6)
    assert result.std(correction=0).item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("x", [torch.tensor([7.0]), torch.full((3, 2), 0.5), torch.zeros(4)])
def test_what_does_not_vary_becomes_zero(x: Tensor) -> None:
    assert torch.equal(returns.normalize(x), torch.zeros_like(x))
