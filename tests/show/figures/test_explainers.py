"""Discount and returns, and one state of CartPole: the figures show the numbers that they stand for."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from pgcourse import ppo
from pgcourse.errors import InvalidInput
from pgcourse.show.figures.policies import explore_state, state_figure
from pgcourse.show.figures.returns import EPISODES, LENGTH, discount_figure, explore_discount
from pgcourse.show.figures.values import Agent


def test_the_narrow_bars_add_up_to_the_return_of_the_chosen_step() -> None:
    figure = discount_figure([1.0, 2.0, 4.0], 0.5, 1)
    top, bottom = figure.axes
    counted = [bar.get_height() for bar in top.containers[1]]
    assert counted == [2.0, 2.0]  # 2, and half of 4
    assert "G at step 1 = 4.00" in top.get_title(loc="left")
    line, point = bottom.get_lines()[:2]
    assert np.allclose(line.get_ydata(), [1 + 0.5 * 4, 4, 4])
    assert list(point.get_xdata()) == [1]


def test_episodes_have_the_same_total_and_a_discount_tells_them_apart() -> None:
    totals = [float(rewards.sum()) for rewards in EPISODES.values()]
    assert np.allclose(totals, 20) and {len(rewards) for rewards in EPISODES.values()} == {LENGTH}
    patient, hasty = (
        [discount_figure(rewards, gamma, 0).axes[0].get_title(loc="left") for rewards in EPISODES.values()]
        for gamma in (1, 0.9)
    )
    assert len(set(patient)) == 1
    assert len(set(hasty)) == 3


def test_a_step_beyond_the_episode_is_refused() -> None:
    with pytest.raises(InvalidInput, match="start=3 is not in an episode of 3 steps; use 0 to 2"):
        discount_figure([1.0, 2.0, 4.0], 0.5, 3)


@pytest.fixture(scope="module")
def agent() -> Agent:
    result = ppo.train(replace(ppo.CARTPOLE, total_timesteps=8 * 1024))
    assert result.critic is not None
    return Agent(result.policy, result.critic, torch.zeros(1, 4))


@torch.no_grad()
def test_bars_and_title_are_what_policy_and_critic_say_of_the_state(agent: Agent) -> None:
    state = torch.tensor([[0.5, -0.2, np.radians(6.0), 0.4]], dtype=torch.float32)
    figure = state_figure(agent, position=0.5, velocity=-0.2, angle=6.0, angular_velocity=0.4)
    _, bars, curve = figure.axes
    left, right = (bar.get_height() for bar in bars.patches)
    assert right == pytest.approx(float(agent.policy(state).probs[0, 1]), abs=1e-6)
    assert left + right == pytest.approx(1)
    assert bars.get_title(loc="left") == f"V(s) = {float(agent.critic(state)[0]):.1f}"
    point = curve.get_lines()[2]
    assert point.get_ydata()[1] == pytest.approx(right)


def test_an_agent_pushes_the_cart_under_a_pole_that_falls(agent: Agent) -> None:
    falling = {"position": 0.0, "velocity": 0.0, "angular_velocity": 0.0}
    chances = [state_figure(agent, angle=angle, **falling).axes[1].patches[1].get_height() for angle in (-10.0, 10.0)]
    assert chances[0] < chances[1]


def test_both_are_shown_with_sliders_for_every_number(agent: Agent, shown: list[dict[str, Any]]) -> None:
    explore_discount()
    explore_state({"8k steps": agent})
    assert "discount γ, from 0 to 1; step, from 0 to 39" in shown[0]["text/html"]
    assert all(
        f"{name}" in shown[1]["text/html"]
        for name in ("cart position", "cart velocity", "pole angle", "angular velocity")
    )
    with pytest.raises(InvalidInput, match="no agent to ask"):
        explore_state({})
