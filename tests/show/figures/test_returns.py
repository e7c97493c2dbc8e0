"""The figures of unit 03 draw the numbers that the formulas give."""

import numpy as np
import pytest
import torch

from pgcourse import returns
from pgcourse.errors import InvalidInput
from pgcourse.rollout import Rollout
from pgcourse.show.figures import returns as returns_explained

GAMMA, GAE_LAMBDA = 0.9, 0.7


@pytest.fixture
def rollout() -> Rollout:
    """12 steps of 2 environments with every kind of end; the second has both flags set at step 4."""
    generator = torch.Generator().manual_seed(0)
    rewards, values, next_values = (torch.randn(12, 2, generator=generator) for _ in range(3))
    terminated, truncated = torch.zeros(2, 12, 2, dtype=torch.bool)
    terminated[3, 0] = truncated[8, 0] = terminated[4, 1] = truncated[4, 1] = True
    # Within an episode the next value is the value of the next row.
    inside = ~(terminated | truncated)[:-1]
    next_values[:-1] = torch.where(inside, values[1:], next_values[:-1])
    return Rollout(rewards[..., None], rewards, rewards, rewards, values, next_values, terminated, truncated)


def fields(rollout: Rollout) -> tuple[torch.Tensor, ...]:
    return rollout.rewards, rollout.values, rollout.next_values, rollout.terminated, rollout.truncated


def test_weights_fall_by_gamma_lambda_and_stop_at_an_end() -> None:
    terminated = torch.tensor([False, False, True, False])
    weights = returns_explained.gae_weights(
        terminated, torch.zeros(4, dtype=torch.bool), gamma=0.5, gae_lambda=0.5, start=0
    )
    assert weights.tolist() == [1.0, 0.25, 0.0625, 0.0]
    after = returns_explained.gae_weights(
        terminated, torch.zeros(4, dtype=torch.bool), gamma=0.5, gae_lambda=0.5, start=3
    )
    assert after.tolist() == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("column", [0, 1])
def test_the_weighted_td_errors_are_the_advantage(rollout: Rollout, column: int) -> None:
    deltas = returns.gae(*fields(rollout), gamma=GAMMA, gae_lambda=0.0)[:, column]
    advantages = returns.gae(*fields(rollout), gamma=GAMMA, gae_lambda=GAE_LAMBDA)[:, column]
    for start in range(12):
        weights = returns_explained.gae_weights(
            rollout.terminated[:, column], rollout.truncated[:, column], gamma=GAMMA, gae_lambda=GAE_LAMBDA, start=start
        )
        assert float((weights * deltas).sum()) == pytest.approx(float(advantages[start]), abs=1e-5)


def test_a_step_outside_the_rollout_is_refused() -> None:
    flags = torch.zeros(4, dtype=torch.bool)
    with pytest.raises(InvalidInput, match="start=4 is not in a rollout of 4 steps"):
        returns_explained.gae_weights(flags, flags, gamma=1.0, gae_lambda=1.0, start=4)


def test_n_step_returns_by_hand() -> None:
    """Rewards 1, 2, 4, values of the next observation 10, terminated at the last step, gamma 0.5."""
    rewards = torch.tensor([[1.0], [2.0], [4.0]])
    end = torch.tensor([[False], [False], [True]])
    one = Rollout(rewards, rewards, rewards, rewards, rewards * 0, torch.full((3, 1), 10.0), end, torch.zeros_like(end))
    two = returns_explained.n_step_returns(one, gamma=0.5, n=2)[:, 0]
    # 1 + 0.5 * 2 + 0.25 * 10; then 2 + 0.5 * 4, and nothing after the end.
    assert two.tolist() == [4.5, 4.0, 4.0]
    cut = one._replace(terminated=torch.zeros_like(end), truncated=end)
    assert returns_explained.n_step_returns(cut, gamma=0.5, n=2)[:, 0].tolist() == [4.5, 4.0 + 2.5, 4.0 + 5.0]


def test_one_step_is_lambda_0_and_all_steps_are_lambda_1(rollout: Rollout) -> None:
    for n, gae_lambda in ((1, 0.0), (12, 1.0), (99, 1.0)):
        torch.testing.assert_close(
            returns_explained.n_step_advantages(rollout, gamma=GAMMA, n=n),
            returns.gae(*fields(rollout), gamma=GAMMA, gae_lambda=gae_lambda),
            rtol=1e-4,
            atol=1e-5,
        )


def test_gae_is_the_average_of_all_n_step_advantages(rollout: Rollout) -> None:
    """Weights (1 - lambda) lambda^(n-1), the rest on the longest: every end makes longer windows equal to it."""
    longest = 12
    average = sum(
        (1 - GAE_LAMBDA) * GAE_LAMBDA ** (n - 1) * returns_explained.n_step_advantages(rollout, gamma=GAMMA, n=n)
        for n in range(1, longest)
    ) + GAE_LAMBDA ** (longest - 1) * returns_explained.n_step_advantages(rollout, gamma=GAMMA, n=longest)
    torch.testing.assert_close(
        average, returns.gae(*fields(rollout), gamma=GAMMA, gae_lambda=GAE_LAMBDA), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("column", [0, 1])
def test_the_figure_shows_td_errors_weights_and_advantages(rollout: Rollout, column: int) -> None:
    figure = returns_explained.advantages(rollout, gamma=GAMMA, gae_lambda=GAE_LAMBDA, step=1, column=column)
    top, middle, bottom = figure.axes
    deltas = returns.gae(*fields(rollout), gamma=GAMMA, gae_lambda=0.0)[:, column]
    np.testing.assert_allclose([bar.get_height() for bar in top.patches], deltas, rtol=1e-5)
    weights = [bar.get_height() for bar in middle.patches]
    ends = {0: 3, 1: 4}[column]
    np.testing.assert_allclose(
        weights, [0] + [(GAMMA * GAE_LAMBDA) ** k for k in range(ends)] + [0] * (11 - ends), rtol=1e-5
    )
    drawn = {line.get_label(): line.get_ydata() for line in bottom.get_lines()}
    for label, gae_lambda in (("λ = 0", 0.0), ("λ = 1", 1.0), ("λ = 0.70", GAE_LAMBDA)):
        expected = returns.gae(*fields(rollout), gamma=GAMMA, gae_lambda=gae_lambda)[:, column]
        np.testing.assert_allclose(drawn[label], expected, rtol=1e-5, err_msg=label)
    marked = float(returns.gae(*fields(rollout), gamma=GAMMA, gae_lambda=GAE_LAMBDA)[1, column])
    assert f"{marked:+.2f}" in middle.get_title(loc="left")


def test_targets_of_one_episode_are_drawn_under_their_names(rollout: Rollout) -> None:
    episode = Rollout(*(field[:4, :1] for field in rollout))
    figure = returns_explained.targets(episode, gamma=GAMMA, n=2, gae_lambda=GAE_LAMBDA)
    drawn = {line.get_label(): np.asarray(line.get_ydata()) for line in figure.axes[0].get_lines()}
    rewards = episode.rewards[:, 0]
    np.testing.assert_allclose(
        drawn["Monte Carlo return"], returns.discounted_returns(rewards, gamma=GAMMA), rtol=1e-5
    )  # terminated: nothing is believed
    np.testing.assert_allclose(
        drawn["TD target, one step"][:3], (rewards + GAMMA * episode.next_values[:, 0])[:3], rtol=1e-5
    )
    np.testing.assert_allclose(drawn["critic's V"], episode.values[:, 0], rtol=1e-6)
    smooth = returns.gae(*fields(episode), gamma=GAMMA, gae_lambda=GAE_LAMBDA)[:, 0] + episode.values[:, 0]
    np.testing.assert_allclose(drawn["λ-return, λ = 0.7"], smooth, rtol=1e-5)
    assert "2-step return" in drawn
