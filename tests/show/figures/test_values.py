"""The maps show what critic and policy say of each state; the panels what a diagnostic can and cannot see."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.collections import QuadMesh
from torch import nn

from pgcourse.errors import InvalidInput
from pgcourse.networks import Categorical
from pgcourse.show.figures import values as figures
from pgcourse.show.figures.values import CELLS, Agent, critic_panels, offset_panels, value_fit, value_map


class Linear(nn.Module):
    """A critic that is a known function: 50 + 10 position + 100 angle."""

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        return 50 + 10 * obs[:, 0] + 100 * obs[:, 2]


class Lean(nn.Module):
    """A policy that pushes right the more, the more the pole leans to the right: logit 20 angle + velocity."""

    def forward(self, obs: torch.Tensor) -> Categorical:
        logit = 20 * obs[:, 2] + obs[:, 1]
        return Categorical(torch.stack([torch.zeros_like(logit), logit], dim=1))


VISITED = torch.tensor([[0.0, 0.0, 0.1, -0.5], [1.0, 0.0, -0.05, 0.25]])
AGENT = Agent(Lean(), Linear(), VISITED)


def meshes(figure: Any) -> list[np.ndarray]:
    found = [part for ax in figure.axes for part in ax.collections if isinstance(part, QuadMesh)]
    return [np.asarray(mesh.get_array()).reshape(CELLS, CELLS) for mesh in found if mesh.get_array().size == CELLS**2]


def test_rows_of_the_map_are_angular_velocities_and_columns_angles() -> None:
    states, angles, speeds = figures.map_states(position=0.5, velocity=-1.0)
    table = states.reshape(CELLS, CELLS, 4)
    assert torch.all(states[:, 0] == 0.5) and torch.all(states[:, 1] == -1.0)
    np.testing.assert_allclose(np.degrees(table[7, :, 2].numpy()), angles, rtol=1e-5)
    np.testing.assert_allclose(table[:, 7, 3], speeds, rtol=1e-5)
    assert angles[0] == pytest.approx(-12) and angles[-1] == pytest.approx(12)


def test_the_maps_hold_the_values_and_the_probabilities() -> None:
    values, right = meshes(value_map(AGENT, position=1.0, velocity=0.5))
    angles = np.radians(np.linspace(-12, 12, CELLS))
    np.testing.assert_allclose(values, np.tile(60 + 100 * angles, (CELLS, 1)), rtol=1e-4)
    np.testing.assert_allclose(right, np.tile(1 / (1 + np.exp(-20 * angles - 0.5)), (CELLS, 1)), rtol=1e-4)


@pytest.mark.parametrize("place", [-2.0, 2.0])
def test_colours_mean_the_same_wherever_the_cart_is(place: float) -> None:
    parts = [part for ax in value_map(AGENT, position=place).axes[:2] for part in ax.collections]
    assert [part.get_clim() for part in parts if isinstance(part, QuadMesh)] == [(0.0, 100.0), (0.0, 1.0)]


def test_the_widget_stands_as_a_picture_and_names_its_sliders(shown: list[Any]) -> None:
    figures.explore_value_map(
        {"60 episodes": AGENT, "300 episodes": AGENT}, alt="Two maps.", caption="Look at the dots."
    )
    assert "Two maps." in shown[0]["text/html"]
    assert "cart position [m]" in shown[0]["text/html"] and "cart velocity [m/s]" in shown[0]["text/html"]
    assert "one of 60 episodes, 300 episodes" in shown[0]["text/html"] and "data:image/png" in shown[0]["text/html"]


def test_visited_states_are_dots_on_both_maps() -> None:
    for ax in value_map(AGENT).axes[:2]:
        (dots,) = [line for line in ax.get_lines() if len(line.get_xdata()) == 2]
        np.testing.assert_allclose(dots.get_xdata(), np.degrees([0.1, -0.05]), rtol=1e-5)
        np.testing.assert_allclose(dots.get_ydata(), [-0.5, 0.25])


def bars(figure: Any) -> dict[str, float]:
    ax = figure.axes[1]
    names = [label.get_text() for label in ax.get_xticklabels()]
    return dict(zip(names, [patch.get_height() for patch in ax.patches], strict=True))


def test_an_offset_moves_the_mean_and_the_error_and_not_the_explained_variance() -> None:
    returns = torch.tensor([10.0, 20.0, 30.0, 40.0])
    values = torch.tensor([12.0, 18.0, 33.0, 37.0])
    near, far = offset_panels(values, returns, 0.0), offset_panels(values, returns, 50.0)
    assert near.axes[0].get_title(loc="left") == far.axes[0].get_title(loc="left") == "explained variance 0.95"
    assert bars(near) == pytest.approx({"mean of G": 25.0, "mean of V": 25.0, "typical error": math.sqrt(6.5)})
    assert bars(far)["mean of V"] == pytest.approx(75.0)
    assert bars(far)["typical error"] == pytest.approx(math.sqrt(2506.5))
    points = far.axes[0].get_lines()[0]
    np.testing.assert_allclose(points.get_xdata(), values + 50)
    np.testing.assert_allclose(points.get_ydata(), returns)


def curve(level: float) -> dict[str, Any]:
    return {"x": [5, 10], "x_unit": "update", "mean": [level, level], "low": [level - 1] * 2, "high": [level + 1] * 2}


def test_each_critic_has_its_means_above_its_explained_variance() -> None:
    columns = {
        name: ([(curve(80.0), "mean of G", "#000000"), (curve(level), "mean of V", "pg:blue")], curve(explained))
        for name, level, explained in (("healthy", 79.0, 0.4), ("slow", 20.0, 0.1))
    }
    top_left, top_right, bottom_left, bottom_right = critic_panels(columns).axes
    assert top_right.get_title(loc="left") == "slow"
    assert [list(line.get_ydata()) for line in top_right.get_lines()] == [[80.0, 80.0], [20.0, 20.0]]
    assert list(bottom_left.get_lines()[0].get_ydata()) == [0.4, 0.4]
    assert list(bottom_right.get_lines()[0].get_ydata()) == [0.1, 0.1]
    assert top_left.get_ylim() == top_right.get_ylim() and bottom_left.get_xlim() == (0, 10)
    assert bottom_left.get_xlabel() == "update"


def test_dots_means_and_explained_variance_of_each_critic() -> None:
    returns = torch.tensor([1.0, 2.0, 3.0, 4.0])
    critics = {"perfect": returns, "30 lower": returns - 30, "constant": torch.full((4,), 2.5)}
    axes = value_fit({name: (values, returns) for name, values in critics.items()}).axes
    for ax, (name, values), words in zip(axes, critics.items(), ("+1.00", "+1.00", "+0.00"), strict=True):
        _, dots, means = ax.get_lines()
        np.testing.assert_allclose(dots.get_xdata(), values)
        np.testing.assert_allclose(dots.get_ydata(), returns)
        assert (means.get_xdata()[0], means.get_ydata()[0]) == (values.mean(), 2.5)
        assert ax.get_title(loc="left").startswith(name) and f"variance {words}" in ax.get_title(loc="left")
    assert "V -27.5, G 2.5" in axes[1].get_title(loc="left")


def test_many_rows_are_thinned_and_the_numbers_are_of_all() -> None:
    values = torch.arange(1000.0)
    _, dots, means = value_fit({"many": (values, 2 * values)}, points=100).axes[0].get_lines()
    assert len(dots.get_xdata()) == 100 and means.get_ydata()[0] == pytest.approx(999.0)


@pytest.mark.parametrize(("draw", "message"), [
    (lambda: figures.explore_value_map({}, alt="Nothing."), "no agent"),
    (lambda: offset_panels(torch.zeros(4, 1), torch.zeros(4), 0.0), r"two of shape \[B\]"),
    (lambda: critic_panels({}), "no critic"),
    (lambda: value_fit({}), "no critic to draw"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused(draw: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        draw()
