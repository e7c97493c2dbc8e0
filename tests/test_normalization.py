"""Running statistics: the same however the data come in, and still while a batch is used."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pgcourse import a2c, evaluate, load, ppo
from pgcourse.networks import CategoricalPolicy, GaussianPolicy, ValueNetwork
from pgcourse.normalization import ObservationNorm, ReturnScale, update_normalization
from tests.recording import Recorded

TINY = replace(
    a2c.CARTPOLE, num_envs=4, num_steps=16, num_episodes=None, total_timesteps=64 * 5, hidden_sizes=(8,),
    normalize_observations=True,
)  # fmt: skip


@settings(deadline=None, derandomize=True)
@given(
    st.lists(st.integers(1, 20), min_size=1, max_size=8),
    st.integers(0, 2**31),
    st.floats(-100, 100),
    st.floats(0.01, 100),
)
def test_any_split_into_batches_gives_the_statistics_of_all_at_once(
    sizes: list[int], seed: int, shift: float, scale: float
) -> None:
    data = shift + scale * torch.randn(sum(sizes), 3, generator=torch.Generator().manual_seed(seed))
    norm = ObservationNorm(3)
    for batch in data.split(sizes):
        norm.update(batch)
    exact = data.double().numpy()
    assert norm.count.item() == sum(sizes)
    np.testing.assert_allclose(norm.mean.numpy(), exact.mean(axis=0), rtol=1e-4, atol=1e-4 * scale)
    # float32 carries the variance to a part in 10^4 of the squares it is made of
    np.testing.assert_allclose(norm.var.numpy(), exact.var(axis=0), rtol=1e-3, atol=1e-6 * (shift**2 + scale**2))


def test_ten_thousand_single_rows_do_not_drift() -> None:
    data = 50 + 0.5 * torch.randn(10_000, 1, generator=torch.Generator().manual_seed(0))
    norm = ObservationNorm(1)
    for row in data:
        norm.update(row[None])
    assert norm.mean.item() == pytest.approx(data.double().mean().item(), rel=1e-4)
    assert norm.var.item() == pytest.approx(data.double().var(correction=0).item(), rel=1e-2)


def test_before_any_update_it_is_the_identity() -> None:
    x = torch.linspace(-2, 2, 15).reshape(5, 3)
    torch.testing.assert_close(ObservationNorm(3)(x), x, rtol=1e-6, atol=1e-6)


def test_what_it_has_seen_comes_out_with_mean_0_and_standard_deviation_1() -> None:
    """By hand: 1, 3 and 5 have mean 3 and variance 8 / 3."""
    norm = ObservationNorm(1)
    norm.update(torch.tensor([[1.0], [3.0]]))
    norm.update(torch.tensor([[5.0]]))
    assert (norm.mean.item(), norm.var.item()) == (pytest.approx(3.0), pytest.approx(8 / 3))
    torch.testing.assert_close(norm(torch.tensor([[3.0], [3 + (8 / 3) ** 0.5]])), torch.tensor([[0.0], [1.0]]))


def test_every_network_has_its_own_statistics_and_one_call_feeds_them() -> None:
    on = {"hidden_sizes": (4,), "normalize_observations": True}
    for network in (CategoricalPolicy(3, 2, **on), GaussianPolicy(3, 1, **on), ValueNetwork(3, **on)):
        update_normalization(network, torch.ones(7, 3))
        norm = next(module for module in network.modules() if isinstance(module, ObservationNorm))
        assert norm.count == 7
        assert "norm.mean" in network.state_dict()  # saved with the weights
        assert not any("norm" in name for name, _ in network.named_parameters())  # and moved by no optimiser
    update_normalization(CategoricalPolicy(3, 2, (4,)), torch.ones(7, 3))  # nothing to feed, nothing raised
    update_normalization(None, torch.ones(7, 3))


# In a run.


def test_a_run_takes_in_each_observation_once() -> None:
    """Five rollouts of 64 rows, whatever the number of epochs: 320 rows in policy and critic alike."""
    update = Recorded(ppo.update)
    config = replace(
        ppo.CARTPOLE, num_envs=4, num_steps=16, minibatch_size=16, update_epochs=3, total_timesteps=320,
        hidden_sizes=(8,), normalize_observations=True,
    )  # fmt: skip
    result = ppo.train(config, update_fn=update)
    data = torch.cat([call.arguments[4].obs for call in update.calls])
    for norm in (result.policy.norm, result.critic.norm):  # type: ignore[union-attr]
        assert norm.count == len(data) == 320
        torch.testing.assert_close(norm.mean, data.mean(dim=0), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(norm.var, data.var(dim=0, correction=0), rtol=1e-3, atol=1e-5)


def test_evaluation_leaves_the_statistics_alone_and_uses_them() -> None:
    result = a2c.train(TINY)
    before = {name: value.clone() for name, value in result.policy.state_dict().items()}
    scores = evaluate(result.policy, "CartPole-v1", num_episodes=5, seed=0)
    for name, value in result.policy.state_dict().items():
        assert torch.equal(value, before[name])
    result.policy.norm.mean += 5.0  # type: ignore[operator,union-attr]
    moved = evaluate(result.policy, "CartPole-v1", num_episodes=5, seed=0)
    assert not np.array_equal(scores.returns, moved.returns)


def test_statistics_are_saved_and_loaded_with_the_run(tmp_path: Path) -> None:
    result = a2c.train(TINY)
    result.save(tmp_path)
    loaded = load(tmp_path)
    obs = 3 * torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
    for ours, theirs in ((result.policy, loaded.policy), (result.critic, loaded.critic)):
        assert theirs.norm.count == 320  # type: ignore[union-attr]
        assert torch.equal(ours.norm.mean, theirs.norm.mean)  # type: ignore[union-attr]
        assert torch.equal(ours.norm.var, theirs.norm.var)  # type: ignore[union-attr]
    assert torch.equal(result.policy(obs).logits, loaded.policy(obs).logits)
    assert not torch.equal(loaded.policy.norm.mean, torch.zeros(4))  # type: ignore[union-attr]


# Rewards.


def done(*numbers: int) -> Tensor:
    return torch.tensor(numbers, dtype=torch.bool)[:, None]


def test_the_scale_is_the_standard_deviation_of_the_running_discounted_return() -> None:
    """Rewards 1 1 1 | 1 with gamma 1/2, the end after the third: returns so far 1, 3/2, 7/4, and 1 again.

    Their mean is 21/16 and the variance is (25 + 9 + 49 + 25) / (4 * 256) = 27/256.
    """
    scale = ReturnScale(1, 0.5)
    scaled = scale(torch.ones(4, 1), done(0, 0, 1, 0))
    torch.testing.assert_close(scaled, torch.full((4, 1), (256 / 27) ** 0.5))


def test_two_rollouts_are_one_long_one() -> None:
    generator = torch.Generator().manual_seed(0)
    rewards = 1 + torch.randn(40, 3, generator=generator)
    ends = torch.rand(40, 3, generator=generator) < 0.1
    whole, halves = ReturnScale(3, 0.9), ReturnScale(3, 0.9)
    whole(rewards, ends)
    halves(rewards[:17], ends[:17])
    halves(rewards[17:], ends[17:])
    torch.testing.assert_close(whole.discounted, halves.discounted)
    torch.testing.assert_close(whole.norm.var, halves.norm.var)


def test_rewards_are_scaled_and_never_centred() -> None:
    """Where every step earns 1, as in CartPole, centring would leave 0 and nothing to learn from."""
    scale = ReturnScale(2, 0.99)
    ends = torch.zeros(30, 2, dtype=torch.bool)
    ends[9::10] = True
    scaled = scale(torch.ones(30, 2), ends)
    assert (scaled > 0.1).all()
    assert scaled.min() == scaled.max()
    signs = torch.tensor([[-1.0], [2.0], [0.0], [-4.0]])
    scaled = ReturnScale(1, 0.9)(signs, done(0, 0, 0, 0))
    torch.testing.assert_close(scaled / scaled[0], signs / signs[0])  # one positive factor for all
    assert scaled[0] < 0


@pytest.mark.parametrize("rewards", [torch.ones(6, 2), torch.zeros(6, 2), torch.full((1, 1), 5.0)])
def test_returns_that_do_not_vary_leave_rewards_as_they_are(rewards: Tensor) -> None:
    """One-step episodes of equal reward have a standard deviation of 0, which says nothing of their scale."""
    scaled = ReturnScale(rewards.shape[1], 0.99)(rewards, torch.ones_like(rewards, dtype=torch.bool))
    torch.testing.assert_close(scaled, rewards)


def test_a_single_observation_does_not_blow_up_the_next_one() -> None:
    """The online actor-critic takes in one row at a time: after the first, no dimension has a spread yet."""
    norm = ObservationNorm(2)
    norm.update(torch.tensor([[0.02, 1.0]]))
    assert norm(torch.tensor([[0.05, 1.0]])).abs().max() < 1
