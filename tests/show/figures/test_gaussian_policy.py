"""What the panels on the Gaussian policy say agrees with samples, and with the formulas of the lesson."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from pgcourse import InvalidInput
from pgcourse.show.figures import gaussian_policy


def test_shares_by_hand() -> None:
    """A bound one standard deviation away is passed by 15.87 % of the samples."""
    below, inside, above = gaussian_policy.clipped_shares(1.0, 1.0, -2.0, 2.0)
    assert above == pytest.approx(0.1587, abs=1e-4) and below == pytest.approx(0.00135, abs=1e-5)
    assert below + inside + above == pytest.approx(1)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.5), (1.5, 1.0), (-3.0, 2.0)])
def test_shares_and_applied_mean_are_those_of_samples(mean: float, std: float) -> None:
    torch.manual_seed(0)
    samples = mean + std * torch.randn(400_000, dtype=torch.float64)
    below, _, above = gaussian_policy.clipped_shares(mean, std, -2.0, 2.0)
    assert float((samples < -2).double().mean()) == pytest.approx(below, abs=0.003)
    assert float((samples > 2).double().mean()) == pytest.approx(above, abs=0.003)
    applied = float(samples.clamp(-2, 2).mean())
    assert gaussian_policy.applied_mean(mean, std, -2.0, 2.0) == pytest.approx(applied, abs=0.01)


@pytest.mark.parametrize(("std", "low", "high"), [(0.0, -2.0, 2.0), (-1.0, -2.0, 2.0), (1.0, 2.0, -2.0)])
def test_what_is_no_distribution_or_no_interval_is_refused(std: float, low: float, high: float) -> None:
    with pytest.raises(InvalidInput, match="not allowed"):
        gaussian_policy.clipped_shares(0.0, std, low, high)


def test_the_bars_are_the_shares_and_the_shading_lies_outside() -> None:
    left, right = gaussian_policy.bounds_figure(1.0, 1.0).axes
    heights = [bar.get_height() for bar in right.patches]
    np.testing.assert_allclose(heights, gaussian_policy.clipped_shares(1.0, 1.0, -2.0, 2.0))
    assert left.get_title().startswith("16%") and "+0.92" in right.get_title()
    for shade in left.collections:
        x = shade.get_paths()[0].vertices[:, 0]
        assert x.max() <= -2 or x.min() >= 2


def test_the_means_score_spreads_like_one_over_std_and_log_stds_does_not() -> None:
    of_mean, of_log_std = gaussian_policy.score_spread([0.05, 0.5, 2.0])
    np.testing.assert_allclose(of_mean, [20.0, 2.0, 0.5], rtol=0.03)
    np.testing.assert_allclose(of_log_std, math.sqrt(2), rtol=0.05)


def test_the_dots_stand_on_their_lines() -> None:
    left, right, twin = gaussian_policy.score_figure(0.5).axes
    dots = right.lines[-1]
    np.testing.assert_allclose(dots.get_xdata(), 0.5)
    np.testing.assert_allclose(dots.get_ydata(), [2.0, math.sqrt(2)])
    u, score = twin.lines[0].get_data()
    np.testing.assert_allclose(np.asarray(score), np.asarray(u) / 0.25)
    assert right.get_xscale() == right.get_yscale() == "log" and left.get_xlabel()


def test_both_have_sliders(shown: list[Any]) -> None:
    gaussian_policy.explore_bounds()
    gaussian_policy.explore_score()
    assert all("image/png" in bundle for bundle in shown) and len(shown) == 2
