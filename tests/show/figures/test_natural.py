"""The pictures of the trust region: the drawn region is the divergence's own, the steps end on its model's edge."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from pgcourse.errors import InvalidInput
from pgcourse.show.figures import trust_region as natural


@pytest.mark.parametrize(("mean", "log_std"), [(0.0, 0.0), (0.4, -0.3), (-2.0, 1.0)])
def test_the_divergence_is_that_of_the_library(mean: float, log_std: float) -> None:
    old, new = Normal(torch.tensor(0.0), torch.tensor(0.7)), Normal(torch.tensor(mean), torch.tensor(log_std).exp())
    assert natural.gaussian_kl(0.7, mean, log_std) == pytest.approx(kl_divergence(old, new).item(), rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("std", [0.2, 1.0, 2.0])
def test_both_steps_cost_the_limit_and_no_direction_gains_more_than_the_natural_one(std: float) -> None:
    max_kl = 1e-4  # where the model is the truth
    gradient = np.array([2.0, -2 * std**2])
    steps = natural.steps_to_the_edge(std, max_kl)
    for step in steps.values():
        assert natural.gaussian_kl(std, step[0], np.log(std) + step[1]) == pytest.approx(max_kl, rel=0.03)
    best = gradient @ steps["natural gradient"]
    for angle in np.linspace(0, 2 * np.pi, 60):
        direction = np.array([np.cos(angle), np.sin(angle)])
        length = np.sqrt(2 * max_kl / (direction @ np.diag([1 / std**2, 2.0]) @ direction))
        assert gradient @ direction * length <= best * (1 + 1e-9)
    assert gradient @ steps["gradient"] <= best


def test_gradient_and_distance_are_those_of_the_objective() -> None:
    std, small = 0.6, 1e-6
    slope_mean = -(natural.expected_distance(small, std) - natural.expected_distance(-small, std)) / (2 * small)
    up, down = std * np.exp(small), std * np.exp(-small)
    slope_log_std = -(natural.expected_distance(0, up) - natural.expected_distance(0, down)) / (2 * small)
    step = natural.steps_to_the_edge(std, 0.1)["gradient"]
    assert step[1] / step[0] == pytest.approx(slope_log_std / slope_mean, rel=1e-4)
    draws = np.random.default_rng(0).normal(0.3, std, 200_000)
    assert natural.expected_distance(0.3, std) == pytest.approx(((draws - 1) ** 2).mean(), rel=0.01)


def test_region_and_policies_are_drawn() -> None:
    figure = natural.trust_region(0.5, 0.1)
    left, right = figure.axes
    (contour,) = left.collections
    edge = np.concatenate([path.vertices for path in contour.get_paths()])
    np.testing.assert_allclose(natural.gaussian_kl(0.5, edge[:, 0], np.log(0.5) + edge[:, 1]), 0.1, rtol=0.02)
    lines = {line.get_label(): line for line in left.get_lines()}
    ellipse = lines["its quadratic model"].get_xydata()
    np.testing.assert_allclose(0.5 * (ellipse[:, 0] ** 2 / 0.25 + 2 * ellipse[:, 1] ** 2), 0.1)
    # The line of equal gain touches the ellipse: one point on it, all others outside.
    line = lines["equal gain, linear model"].get_xydata()
    points = line[0] + np.linspace(0, 1, 2001)[:, None] * (line[1] - line[0])
    assert (0.5 * (points[:, 0] ** 2 / 0.25 + 2 * points[:, 1] ** 2)).min() == pytest.approx(0.1, rel=1e-3)
    arrows = [text.xy for text in left.texts if text.arrow_patch is not None]
    np.testing.assert_allclose(arrows, list(natural.steps_to_the_edge(0.5, 0.1).values()))
    areas = [np.trapezoid(curve.get_ydata(), curve.get_xdata()) for curve in right.get_lines()[:3]]
    np.testing.assert_allclose(areas, 1, atol=0.01)


def columns(size: int = 11) -> dict[str, np.ndarray]:
    scales = np.linspace(0, 2, size)
    return {
        "kl": 0.012 * scales**2,
        "quadratic_kl": 0.01 * scales**2,
        "improvement": 0.02 * scales - 0.008 * scales**2,
        "linear_improvement": 0.02 * scales,
    }


def test_a_step_is_drawn_with_its_models_and_the_lengths_that_were_tried() -> None:
    scales, values = np.linspace(0, 2, 11), columns()
    figure = natural.along_step(scales, **values, max_kl=0.01, tried=[1.0, 0.8])
    for ax, truth, model, name in zip(
        figure.axes, ("kl", "improvement"), ("quadratic_kl", "linear_improvement"), ("quadratic", "linear"), strict=True
    ):
        lines = {line.get_label(): line for line in ax.get_lines()}
        np.testing.assert_array_equal(lines["on the batch"].get_ydata(), values[truth])
        np.testing.assert_array_equal(lines[f"{name} model"].get_ydata(), values[model])
        assert lines["refused"].get_xdata()[0] == 1.0
        assert lines["taken"].get_xdata()[0] == 0.8
        assert lines["taken"].get_ydata()[0] == pytest.approx(np.interp(0.8, scales, values[truth]))
    forbidden = [patch for patch in figure.axes[0].patches if patch.get_label() == "not allowed"]
    assert forbidden[0].get_y() == pytest.approx(0.01)


def test_columns_of_another_length_are_refused() -> None:
    with pytest.raises(InvalidInput, match="scales has shape"):
        natural.along_step(np.linspace(0, 1, 5), **columns(), max_kl=0.01)
