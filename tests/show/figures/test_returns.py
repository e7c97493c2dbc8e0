"""Figures of returns draw the numbers that the formulas give, and each row of the data in the colour of its end."""

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from pgcourse import returns
from pgcourse.errors import InvalidInput
from pgcourse.networks import CategoricalPolicy, ValueNetwork
from pgcourse.rollout import Rollout
from pgcourse.show.figures import returns as figures
from pgcourse.show.figures.returns import (
    KINDS,
    RESET,
    STEP,
    TERMINATED,
    TRUNCATED,
    timeline,
)
from pgcourse.study import autoreset

GAMMA, GAE_LAMBDA = 0.9, 0.7
NO_FLAGS = torch.zeros(4, dtype=torch.bool)


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


def gae(rollout: Rollout, gae_lambda: float = GAE_LAMBDA) -> torch.Tensor:
    columns = rollout.rewards, rollout.values, rollout.next_values, rollout.terminated, rollout.truncated
    return returns.gae(*columns, gamma=GAMMA, gae_lambda=gae_lambda)


@pytest.mark.parametrize(("start", "expected"), [(0, [1.0, 0.25, 0.0625, 0.0]), (3, [0.0, 0.0, 0.0, 1.0])])
def test_weights_fall_by_gamma_lambda_and_stop_at_an_end(start: int, expected: list[float]) -> None:
    terminated = torch.tensor([False, False, True, False])
    weights = figures.gae_weights(terminated, NO_FLAGS, gamma=0.5, gae_lambda=0.5, start=start)
    assert weights.tolist() == expected


@pytest.mark.parametrize("column", [0, 1])
def test_the_weighted_td_errors_are_the_advantage(rollout: Rollout, column: int) -> None:
    deltas, advantages = gae(rollout, 0.0)[:, column], gae(rollout)[:, column]
    ends = rollout.terminated[:, column], rollout.truncated[:, column]
    for start in range(12):
        weights = figures.gae_weights(*ends, gamma=GAMMA, gae_lambda=GAE_LAMBDA, start=start)
        assert float((weights * deltas).sum()) == pytest.approx(float(advantages[start]), abs=1e-5)


def test_n_step_returns_by_hand() -> None:
    """Rewards 1, 2, 4, values of the next observation 10, terminated at the last step, gamma 0.5."""
    rewards = torch.tensor([[1.0], [2.0], [4.0]])
    end = torch.tensor([[False], [False], [True]])
    one = Rollout(rewards, rewards, rewards, rewards, rewards * 0, torch.full((3, 1), 10.0), end, torch.zeros_like(end))
    # 1 + 0.5 * 2 + 0.25 * 10; then 2 + 0.5 * 4, and nothing after the end.
    assert figures.n_step_returns(one, gamma=0.5, n=2)[:, 0].tolist() == [4.5, 4.0, 4.0]
    cut = one._replace(terminated=torch.zeros_like(end), truncated=end)
    assert figures.n_step_returns(cut, gamma=0.5, n=2)[:, 0].tolist() == [4.5, 4.0 + 2.5, 4.0 + 5.0]


@pytest.mark.parametrize(("n", "gae_lambda"), [(1, 0.0), (12, 1.0), (99, 1.0)])
def test_one_step_is_lambda_0_and_all_steps_are_lambda_1(rollout: Rollout, n: int, gae_lambda: float) -> None:
    advantages = figures.n_step_advantages(rollout, gamma=GAMMA, n=n)
    torch.testing.assert_close(advantages, gae(rollout, gae_lambda), rtol=1e-4, atol=1e-5)


def test_gae_is_the_average_of_all_n_step_advantages(rollout: Rollout) -> None:
    """Weights (1 - lambda) lambda^(n-1), the rest on the longest: every end makes longer windows equal to it."""
    steps = [figures.n_step_advantages(rollout, gamma=GAMMA, n=n) for n in range(1, 13)]
    average = sum((1 - GAE_LAMBDA) * GAE_LAMBDA**k * advantages for k, advantages in enumerate(steps[:-1]))
    torch.testing.assert_close(average + GAE_LAMBDA**11 * steps[-1], gae(rollout), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("column", "ends"), [(0, 3), (1, 4)])
def test_the_figure_shows_td_errors_weights_and_advantages(rollout: Rollout, column: int, ends: int) -> None:
    top, middle, bottom = figures.advantages(rollout, gamma=GAMMA, gae_lambda=GAE_LAMBDA, step=1, column=column).axes
    np.testing.assert_allclose([bar.get_height() for bar in top.patches], gae(rollout, 0.0)[:, column], rtol=1e-5)
    expected = [0] + [(GAMMA * GAE_LAMBDA) ** k for k in range(ends)] + [0] * (11 - ends)
    np.testing.assert_allclose([bar.get_height() for bar in middle.patches], expected, rtol=1e-5)
    drawn = {line.get_label(): line.get_ydata() for line in bottom.get_lines()}
    for label, gae_lambda in (("λ = 0", 0.0), ("λ = 1", 1.0), ("λ = 0.70", GAE_LAMBDA)):
        np.testing.assert_allclose(drawn[label], gae(rollout, gae_lambda)[:, column], rtol=1e-5, err_msg=label)
    assert f"{float(gae(rollout)[1, column]):+.2f}" in middle.get_title(loc="left")


def test_targets_of_one_episode_are_drawn_under_their_names(rollout: Rollout) -> None:
    episode = Rollout(*(field[:4, :1] for field in rollout))
    figure = figures.targets(episode, gamma=GAMMA, n=2, gae_lambda=GAE_LAMBDA)
    drawn = {line.get_label(): np.asarray(line.get_ydata()) for line in figure.axes[0].get_lines()}
    rewards, values, next_values = (part[:, 0] for part in (episode.rewards, episode.values, episode.next_values))
    monte_carlo = returns.discounted_returns(rewards, gamma=GAMMA)  # terminated: nothing is believed
    np.testing.assert_allclose(drawn["Monte Carlo return"], monte_carlo, rtol=1e-5)
    np.testing.assert_allclose(drawn["TD target, one step"][:3], (rewards + GAMMA * next_values)[:3], rtol=1e-5)
    np.testing.assert_allclose(drawn["critic's V"], values, rtol=1e-6)
    np.testing.assert_allclose(drawn["λ-return, λ = 0.7"], gae(episode)[:, 0] + values, rtol=1e-5)
    assert "2-step return" in drawn


FLAGS = {STEP: (False, False), TERMINATED: (True, False), TRUNCATED: (False, True)}


def rollout_of(kinds: list[list[int]]) -> Rollout:
    """A rollout whose flags are those of the kinds [T][N]."""
    flags = torch.tensor([[FLAGS[kind] for kind in row] for row in kinds])  # [T, N, 2]
    numbers = torch.zeros(flags.shape[:2])
    return Rollout(numbers[..., None], numbers, numbers, numbers, numbers, numbers, flags[..., 0], flags[..., 1])


def colour(kind: int) -> str:
    return KINDS[kind][1].upper()


def boxes(figure: Figure, panel: int) -> dict[tuple[int, int], str]:
    """(step, lane) -> colour of each box in a panel."""
    return {
        (round(box.get_x()), round(-box.get_y() - box.get_height() / 2)): to_hex(box.get_facecolor()).upper()
        for box in figure.axes[panel].patches
    }


def test_both_flags_set_is_an_end_and_an_invalid_row_is_a_reset_row() -> None:
    rollout = rollout_of([[STEP, TRUNCATED], [TERMINATED, STEP]])
    assert figures.kinds_of(rollout).tolist() == [[STEP, TRUNCATED], [TERMINATED, STEP]]
    both = rollout._replace(truncated=torch.ones_like(rollout.truncated))
    assert figures.kinds_of(both).tolist() == [[TRUNCATED, TRUNCATED], [TERMINATED, TRUNCATED]]
    valid = torch.tensor([[True, True], [True, False]])
    assert figures.kinds_of(rollout, valid)[1].tolist() == [TERMINATED, RESET]


def test_every_row_is_one_box_in_the_colour_of_its_kind() -> None:
    first, second = [[STEP, STEP], [TRUNCATED, STEP]], [[STEP, TERMINATED], [STEP, STEP], [STEP, STEP]]
    figure = timeline({"SAME_STEP": [(rollout_of(first), None), (rollout_of(second), None)]})
    rows = enumerate([*first, *second])
    assert boxes(figure, 0) == {(t, lane): colour(kind) for t, row in rows for lane, kind in enumerate(row)}
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["L", "T"]
    ends = [line.get_xdata()[0] for line in figure.axes[0].get_lines() if len(line.get_xdata())]
    assert ends == [2, 5], "the end of each rollout is a line"


def test_only_the_chosen_environments_are_drawn_in_their_order() -> None:
    figure = timeline({"SAME_STEP": [(rollout_of([[STEP, TERMINATED, TRUNCATED]]), None)]}, columns=[2, 1])
    assert boxes(figure, 0) == {(0, 0): colour(TRUNCATED), (0, 1): colour(TERMINATED)}
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["env 2", "env 1"]


def test_the_legend_names_what_is_there_and_nothing_else() -> None:
    figure = timeline({"SAME_STEP": [(rollout_of([[STEP], [TERMINATED]]), None)]}, columns=[0])
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["step within an episode", "T  terminated: no bootstrap", "end of a rollout: bootstrap"]


def test_real_data_in_next_step_mode_show_a_reset_row_after_each_end() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        policy, critic = CategoricalPolicy(4, 2), ValueNetwork(4)
        make = [lambda: gymnasium.make("CartPole-v1", max_episode_steps=8)] * 2
        envs = SyncVectorEnv(make, autoreset_mode=AutoresetMode.NEXT_STEP)
        rollout, valid, _ = autoreset.collect_next_step(policy, critic, envs, autoreset.begin(envs, seed=1), 20)
    drawn = boxes(timeline({"NEXT_STEP": [(rollout, valid)]}), 0)
    ended = (colour(TERMINATED), colour(TRUNCATED))
    ends = [(t, lane) for (t, lane), found in drawn.items() if found in ended and t < 19]
    assert len(ends) >= 4
    assert {(t + 1, lane) for t, lane in ends} == {place for place, found in drawn.items() if found == colour(RESET)}


@pytest.mark.parametrize(("draw", "message"), [
    (lambda: figures.gae_weights(NO_FLAGS, NO_FLAGS, gamma=1.0, gae_lambda=1.0, start=4), "not in a rollout of 4 steps"),
    (lambda: timeline({}), "nothing to draw; give"),
    (lambda: timeline({"SAME_STEP": []}), "nothing to draw; give"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused(draw: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        draw()
