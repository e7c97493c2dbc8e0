"""What bounds cut off a Gaussian agrees with samples, and with values by hand."""

import pytest
import torch

from pgcourse import InvalidInput
from pgcourse.show.live.explainers.bounds import BOUNDS, applied_mean, clipped_shares


def test_shares_by_hand() -> None:
    """A bound one standard deviation away is passed by 15.87 % of the samples."""
    below, inside, above = clipped_shares(1.0, 1.0, -2.0, 2.0)
    assert above == pytest.approx(0.1587, abs=1e-4) and below == pytest.approx(0.00135, abs=1e-5)
    assert below + inside + above == pytest.approx(1)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 0.5), (1.5, 1.0), (-3.0, 2.0)])
def test_shares_and_applied_mean_are_those_of_samples(mean: float, std: float) -> None:
    torch.manual_seed(0)
    samples = mean + std * torch.randn(400_000, dtype=torch.float64)
    below, _, above = clipped_shares(mean, std, -2.0, 2.0)
    assert float((samples < -2).double().mean()) == pytest.approx(below, abs=0.003)
    assert float((samples > 2).double().mean()) == pytest.approx(above, abs=0.003)
    applied = float(samples.clamp(-2, 2).mean())
    assert applied_mean(mean, std, -2.0, 2.0) == pytest.approx(applied, abs=0.01)


@pytest.mark.parametrize(("std", "low", "high"), [(0.0, -2.0, 2.0), (-1.0, -2.0, 2.0), (1.0, 2.0, -2.0)])
def test_what_is_no_distribution_or_no_interval_is_refused(std: float, low: float, high: float) -> None:
    with pytest.raises(InvalidInput, match="not allowed"):
        clipped_shares(0.0, std, low, high)


def test_words_and_shading_are_of_what_lies_outside() -> None:
    drawn = BOUNDS.at(mean=1.0, std=1.0)
    assert drawn["words"].startswith("0 % of the samples lie below −2 N m, 16 % above +2.")
    assert "mean sampled is +1.0 N m, the mean applied +0.92 N m" in drawn["words"]
    shades = [mark["x"] for mark in drawn["panels"][0]["marks"] if mark["kind"] == "area"]
    assert len(shades) == 2 and max(shades[0]) <= -2 and min(shades[1]) >= 2
