"""A trust region alive: the divergence is the library's, its edge costs the limit, the natural step gains most."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from pgcourse.show.live.explainers.trust_region import expected_distance, gaussian_kl, region, steps_to_the_edge


@pytest.mark.parametrize(("mean", "log_std"), [(0.0, 0.0), (0.4, -0.3), (-2.0, 1.0)])
def test_the_divergence_is_that_of_the_library(mean: float, log_std: float) -> None:
    old, new = Normal(torch.tensor(0.0), torch.tensor(0.7)), Normal(torch.tensor(mean), torch.tensor(log_std).exp())
    expected = pytest.approx(kl_divergence(old, new).item(), rel=1e-4, abs=1e-7)
    assert gaussian_kl(0.7, mean, log_std) == expected


@pytest.mark.parametrize("std", [0.2, 1.0, 2.0])
def test_both_steps_cost_the_limit_and_no_direction_gains_more_than_the_natural_one(std: float) -> None:
    max_kl = 1e-4  # where the model is the truth
    gradient = np.array([2.0, -2 * std**2])
    steps = steps_to_the_edge(std, max_kl)
    for step in steps.values():
        assert gaussian_kl(std, step[0], np.log(std) + step[1]) == pytest.approx(max_kl, rel=0.03)
    best = gradient @ steps["natural gradient"]
    for angle in np.linspace(0, 2 * np.pi, 60):
        direction = np.array([np.cos(angle), np.sin(angle)])
        length = np.sqrt(2 * max_kl / (direction @ np.diag([1 / std**2, 2.0]) @ direction))
        assert gradient @ direction * length <= best * (1 + 1e-9)
    assert gradient @ steps["gradient"] <= best


def test_gradient_and_distance_are_those_of_the_objective() -> None:
    std, small, distance = 0.6, 1e-6, expected_distance
    slope_mean = distance(-small, std) - distance(small, std)
    slope_log_std = distance(0, std * np.exp(-small)) - distance(0, std * np.exp(small))
    step = steps_to_the_edge(std, 0.1)["gradient"]
    assert step[1] / step[0] == pytest.approx(slope_log_std / slope_mean, rel=1e-4)
    draws = np.random.default_rng(0).normal(0.3, std, 200_000)
    assert distance(0.3, std) == pytest.approx(((draws - 1) ** 2).mean(), rel=0.01)


@pytest.mark.parametrize(("std", "max_kl"), [(0.4, 0.02), (2.0, 0.1), (1.0, 0.4)])
def test_every_point_of_the_edge_costs_the_limit(std: float, max_kl: float) -> None:
    mean, log_std = region(std, max_kl)
    np.testing.assert_allclose(gaussian_kl(std, mean, np.log(std) + log_std), max_kl, rtol=1e-6)
    assert (mean[0], log_std[0]) == pytest.approx((mean[-1], log_std[-1]), abs=1e-6), "a closed curve"
    assert mean.max() == pytest.approx(-mean.min()) and log_std.min() < 0 < log_std.max()
