"""A policy's figures show its own probabilities and torque, and the path that the environment takes."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from pgcourse import InvalidInput, make_envs
from pgcourse.show.figures import policies
from pgcourse.show.page.widgets import WIDGET_VIEW


class Push(nn.Module):
    """Torque proportional to the angular velocity: with it, push where the rod goes; clipped at 2 N m."""

    def forward(self, obs: Tensor) -> Distribution:
        return Independent(Normal(obs[:, 2:], torch.ones(1)), 1)


def test_the_field_is_the_policys_clipped_mode() -> None:
    angles, velocities = np.array([-1.0, 0.0, 2.0]), np.array([-8.0, -0.5, 0.0, 1.5])
    field = policies.torque_field(Push(), angles, velocities)
    assert field.shape == (4, 3)
    np.testing.assert_allclose(field, np.repeat([[-2.0], [-0.5], [0.0], [1.5]], 3, axis=1))


def test_the_course_is_that_of_the_environment() -> None:
    envs: Any = make_envs("Pendulum-v1", 1, seed=0)
    envs.state = torch.tensor([[3.0, 0.5]])
    obs, rewards = envs.observe(envs.state), []
    for _ in range(30):
        obs, reward, *_ = envs.step(obs[:, 2:])
        rewards.append(float(reward))
    course = policies.swing(Push(), 3.0, 0.5, steps=30)
    assert course.angle.shape == course.velocity.shape == (31,) and course.torque.shape == (30,)
    np.testing.assert_allclose(course.reward, rewards, rtol=1e-5)
    np.testing.assert_allclose(math.cos(course.angle[-1]), float(obs[0, 0]), rtol=1e-5)
    assert np.abs(course.angle).max() <= math.pi and np.abs(course.torque).max() <= 2


def test_the_line_is_cut_where_the_angle_passes_from_one_side_to_the_other() -> None:
    figure = policies.phase_portrait({"push": Push()}, angle=3.0, velocity=2.0, steps=20)
    (line, start, end) = figure.axes[0].lines
    x = np.asarray(line.get_xdata(), dtype=float)
    assert np.isnan(x).sum() >= 1
    assert np.nanmax(np.abs(np.diff(x))) < math.pi, "no stroke across the whole panel"
    assert start.get_xdata()[0] == pytest.approx(3.0) and start.get_marker() == "o" and end.get_marker() == "*"


def test_one_panel_for_each_policy_in_the_same_colours() -> None:
    figure = policies.phase_portrait({"before": Push(), "after": Push()}, steps=5)
    panels = [ax for ax in figure.axes if ax.get_title()]
    assert [ax.get_title() for ax in panels] == ["before", "after"]
    assert {ax.collections[0].get_clim() for ax in panels} == {(-2.0, 2.0)}
    assert all("rad" in ax.get_xlabel() for ax in panels)


def test_the_title_of_the_swing_is_its_return() -> None:
    expected = f"return {policies.swing(Push(), 1.0).reward.sum():.0f}"
    assert policies.swing_figure(Push(), 1.0, 0.0).axes[1].get_title() == expected


def test_the_explorer_offers_every_policy(shown: list[Any]) -> None:
    policies.explore_phase({"before": Push(), "after": Push()})
    assert WIDGET_VIEW in shown[0] and "image/png" in shown[0] and "before, after" in shown[0]["text/plain"]


@pytest.mark.parametrize(("draw", "message"), [
    (policies.phase_portrait, "no policy"), (policies.explore_phase, "no policy"),
])  # fmt: skip
def test_no_policy_is_refused(draw: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        draw({})


def test_the_motor_holds_the_rod_up_to_the_largest_angle_and_not_beyond() -> None:
    """At that angle gravity's torque of 5 N m x sin equals the motor's 2 N m, so the rod stays at rest."""
    envs: Any = make_envs("Pendulum-v1", 3, seed=0)
    limit = policies.largest_held_angle()
    assert math.sin(limit) == pytest.approx(0.4)
    state = torch.tensor([[limit, 0.0], [limit - 0.05, 0.0], [limit + 0.05, 0.0]])
    state, _, _ = envs.dynamics(state, torch.full((3, 1), -2.0))
    held, rising, falling = (state[:, 1]).tolist()
    assert held == pytest.approx(0, abs=1e-6) and rising < 0 < falling
