"""How far a policy moved: the figures hold the estimators, the measured curves, the divergence's own region and its steps."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from pgcourse import diagnostics
from pgcourse.errors import InvalidInput
from pgcourse.show.figures import trust_region
from pgcourse.statistics import interquartile_mean


def lines_of(ax: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in ax.get_lines()}


def log_ratios(size: int = 4000) -> tuple[np.ndarray, float]:
    """Rows drawn from the old one of two policies over three actions, and the exact divergence."""
    old, new = np.array([0.5, 0.3, 0.2]), np.array([0.42, 0.33, 0.25])
    actions = np.random.default_rng(0).choice(3, size, p=old)
    return np.log(new / old)[actions], float((old * np.log(old / new)).sum())


def test_the_points_of_k3_are_never_negative_and_their_mean_is_the_packages_estimate() -> None:
    rows, exact = log_ratios()
    figure = trust_region.kl_estimators(rows, exact=exact, batch_size=64, num_batches=300)
    k1, k3 = (points.get_offsets()[:, 1] for points in figure.axes[0].collections)
    assert k1.min() < 0 <= k3.min()
    package = float(diagnostics.approx_kl(torch.tensor(rows), torch.zeros(len(rows), dtype=torch.float64)))
    assert k3.mean() == pytest.approx(package, rel=1e-6)
    np.testing.assert_allclose(k1, -rows)


def test_means_of_both_estimators_gather_at_the_exact_divergence() -> None:
    rows, exact = log_ratios(100_000)
    ax = trust_region.kl_estimators(rows, exact=exact, batch_size=64, num_batches=2000).axes[1]
    spreads = []
    for bars in ax.containers:  # k1, k3
        centres = np.array([patch.get_x() + patch.get_width() / 2 for patch in bars])
        counts = np.array([patch.get_height() for patch in bars])
        assert counts.sum() == 2000, "the bins hold every batch"
        mean = np.average(centres, weights=counts)
        assert mean == pytest.approx(exact, rel=0.15)
        spreads.append(np.sqrt(np.average((centres - mean) ** 2, weights=counts)))
    assert len(spreads) == 2 and spreads[1] < spreads[0] / 3
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "k3: 0% below 0" in labels and not any(label.startswith("k1: 0%") for label in labels)


def test_four_panels_hold_the_measured_curves_of_both_updates() -> None:
    curves: dict[str, Any] = {}
    for number, name in enumerate(("clip", "no_clip")):
        for place, quantity in enumerate(trust_region.EPOCH_PANELS):
            mean = np.arange(4.0) * (number + 1) + place
            curves[f"epochs/{name}/{quantity}"] = {"x": [0, 1, 2, 3], "mean": mean, "low": mean - 1, "high": mean + 1}
    axes = trust_region.epoch_panels(curves, usual=2).axes
    for ax, (quantity, title) in zip(axes, trust_region.EPOCH_PANELS.items(), strict=True):
        assert title in (ax.get_title(), ax.get_title(loc="left"))
        for label, name in (("clip at 0.2", "clip"), ("no clip", "no_clip")):
            np.testing.assert_array_equal(lines_of(ax)[label].get_ydata(), curves[f"epochs/{name}/{quantity}"]["mean"])
        assert any(list(line.get_xdata()) == [2, 2] for line in ax.get_lines())


def test_each_seed_of_each_step_size_is_a_dot() -> None:
    generator, sizes, stages = np.random.default_rng(0), (1, 100, 10_000), ("before", "after", "in_the_end")
    seeds = {f"step_{size}/{stage}": generator.uniform(0, 500, 8).tolist() for size in sizes for stage in stages}
    ax = trust_region.step_sizes({name: {"per_seed": numbers} for name, numbers in seeds.items()}, sizes).axes[0]
    for label, stage in (("right after it", "after"), ("at the end of training", "in_the_end")):
        expected = [interquartile_mean(seeds[f"step_{size}/{stage}"]) for size in sizes]
        np.testing.assert_allclose(lines_of(ax)[label].get_ydata(), expected)
    dots = [line.get_ydata() for line in ax.get_lines() if len(line.get_xdata()) == len(sizes) * 8]
    assert sorted(np.concatenate(dots)) == sorted(number for numbers in seeds.values() for number in numbers)


@pytest.mark.parametrize(("mean", "log_std"), [(0.0, 0.0), (0.4, -0.3), (-2.0, 1.0)])
def test_the_divergence_is_that_of_the_library(mean: float, log_std: float) -> None:
    old, new = Normal(torch.tensor(0.0), torch.tensor(0.7)), Normal(torch.tensor(mean), torch.tensor(log_std).exp())
    expected = pytest.approx(kl_divergence(old, new).item(), rel=1e-4, abs=1e-7)
    assert trust_region.gaussian_kl(0.7, mean, log_std) == expected


@pytest.mark.parametrize("std", [0.2, 1.0, 2.0])
def test_both_steps_cost_the_limit_and_no_direction_gains_more_than_the_natural_one(std: float) -> None:
    max_kl = 1e-4  # where the model is the truth
    gradient = np.array([2.0, -2 * std**2])
    steps = trust_region.steps_to_the_edge(std, max_kl)
    for step in steps.values():
        assert trust_region.gaussian_kl(std, step[0], np.log(std) + step[1]) == pytest.approx(max_kl, rel=0.03)
    best = gradient @ steps["natural gradient"]
    for angle in np.linspace(0, 2 * np.pi, 60):
        direction = np.array([np.cos(angle), np.sin(angle)])
        length = np.sqrt(2 * max_kl / (direction @ np.diag([1 / std**2, 2.0]) @ direction))
        assert gradient @ direction * length <= best * (1 + 1e-9)
    assert gradient @ steps["gradient"] <= best


def test_gradient_and_distance_are_those_of_the_objective() -> None:
    std, small, distance = 0.6, 1e-6, trust_region.expected_distance
    slope_mean = distance(-small, std) - distance(small, std)
    slope_log_std = distance(0, std * np.exp(-small)) - distance(0, std * np.exp(small))
    step = trust_region.steps_to_the_edge(std, 0.1)["gradient"]
    assert step[1] / step[0] == pytest.approx(slope_log_std / slope_mean, rel=1e-4)
    draws = np.random.default_rng(0).normal(0.3, std, 200_000)
    assert distance(0.3, std) == pytest.approx(((draws - 1) ** 2).mean(), rel=0.01)


def test_region_and_policies_are_drawn() -> None:
    left, right = trust_region.trust_region(0.5, 0.1).axes
    (contour,) = left.collections
    edge = np.concatenate([path.vertices for path in contour.get_paths()])
    np.testing.assert_allclose(trust_region.gaussian_kl(0.5, edge[:, 0], np.log(0.5) + edge[:, 1]), 0.1, rtol=0.02)
    lines = lines_of(left)
    ellipse = lines["its quadratic model"].get_xydata()
    np.testing.assert_allclose(0.5 * (ellipse[:, 0] ** 2 / 0.25 + 2 * ellipse[:, 1] ** 2), 0.1)
    # The line of equal gain touches the ellipse: one point on it, all others outside.
    line = lines["equal gain, linear model"].get_xydata()
    points = line[0] + np.linspace(0, 1, 2001)[:, None] * (line[1] - line[0])
    assert (0.5 * (points[:, 0] ** 2 / 0.25 + 2 * points[:, 1] ** 2)).min() == pytest.approx(0.1, rel=1e-3)
    arrows = [text.xy for text in left.texts if text.arrow_patch is not None]
    np.testing.assert_allclose(arrows, list(trust_region.steps_to_the_edge(0.5, 0.1).values()))
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
    left, right = trust_region.along_step(scales, **values, max_kl=0.01, tried=[1.0, 0.8]).axes
    for ax, truth, name in ((left, "kl", "quadratic"), (right, "improvement", "linear")):
        lines = lines_of(ax)
        np.testing.assert_array_equal(lines["on the batch"].get_ydata(), values[truth])
        np.testing.assert_array_equal(lines[f"{name} model"].get_ydata(), values[f"{name}_{truth}"])
        assert lines["refused"].get_xdata()[0] == 1.0 and lines["taken"].get_xdata()[0] == 0.8
        assert lines["taken"].get_ydata()[0] == pytest.approx(np.interp(0.8, scales, values[truth]))
    forbidden = [patch for patch in left.patches if patch.get_label() == "not allowed"]
    assert forbidden[0].get_y() == pytest.approx(0.01)


def test_one_row_and_columns_of_another_length_are_refused() -> None:
    with pytest.raises(InvalidInput, match="at least two"):
        trust_region.kl_estimators([0.1], exact=0.0, batch_size=4)
    with pytest.raises(InvalidInput, match="scales has shape"):
        trust_region.along_step(np.linspace(0, 1, 5), **columns(), max_kl=0.01)
