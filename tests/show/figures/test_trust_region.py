"""How far a policy moved: the figures hold the estimators and the measured curves."""

from typing import Any

import numpy as np
import pytest
import torch

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


def test_one_row_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least two"):
        trust_region.kl_estimators([0.1], exact=0.0, batch_size=4)
