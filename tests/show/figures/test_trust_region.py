"""How far a policy moved: the figures hold the estimators, the measured curves and each seed's numbers."""

from typing import Any

import numpy as np
import pytest
import torch

from pgcourse import diagnostics
from pgcourse.errors import InvalidInput
from pgcourse.show.figures import trust_region as trust
from pgcourse.statistics import interquartile_mean


def log_ratios(size: int = 4000) -> tuple[np.ndarray, float]:
    """Rows drawn from the old one of two policies over three actions, and the exact divergence."""
    old, new = np.array([0.5, 0.3, 0.2]), np.array([0.42, 0.33, 0.25])
    actions = np.random.default_rng(0).choice(3, size, p=old)
    return np.log(new / old)[actions], float((old * np.log(old / new)).sum())


def test_the_points_of_k3_are_never_negative_and_their_mean_is_the_packages_estimate() -> None:
    rows, exact = log_ratios()
    figure = trust.kl_estimators(rows, exact=exact, batch_size=64, num_batches=300)
    k1, k3 = (points.get_offsets()[:, 1] for points in figure.axes[0].collections)
    assert k1.min() < 0 <= k3.min()
    package = float(diagnostics.approx_kl(torch.tensor(rows), torch.zeros(len(rows), dtype=torch.float64)))
    assert k3.mean() == pytest.approx(package, rel=1e-6)
    np.testing.assert_allclose(k1, -rows)


def test_means_of_both_estimators_gather_at_the_exact_divergence() -> None:
    rows, exact = log_ratios(100_000)
    figure = trust.kl_estimators(rows, exact=exact, batch_size=64, num_batches=2000)
    k1, k3 = figure.axes[1].containers
    centres = [[patch.get_x() + patch.get_width() / 2 for patch in bars] for bars in (k1, k3)]
    counts = [np.array([patch.get_height() for patch in bars]) for bars in (k1, k3)]
    assert [count.sum() for count in counts] == [2000, 2000], "the bins hold every batch"
    means = [np.average(x, weights=count) for x, count in zip(centres, counts, strict=True)]
    np.testing.assert_allclose(means, exact, rtol=0.15)
    spread = [
        np.sqrt(np.average((np.array(x) - m) ** 2, weights=c)) for x, m, c in zip(centres, means, counts, strict=True)
    ]
    assert spread[1] < spread[0] / 3
    labels = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert "k3: 0% below 0" in labels and not any(label.startswith("k1: 0%") for label in labels)


def test_one_row_is_no_batch() -> None:
    with pytest.raises(InvalidInput, match="at least two"):
        trust.kl_estimators([0.1], exact=0.0, batch_size=4)


def test_four_panels_hold_the_measured_curves_of_both_updates() -> None:
    curves: dict[str, Any] = {}
    for number, name in enumerate(("clip", "no_clip")):
        for place, quantity in enumerate(trust.EPOCH_PANELS):
            mean = np.arange(4.0) * (number + 1) + place
            curves[f"epochs/{name}/{quantity}"] = {"x": [0, 1, 2, 3], "mean": mean, "low": mean - 1, "high": mean + 1}
    figure = trust.epoch_panels(curves, usual=2)
    for ax, (quantity, title) in zip(figure.axes, trust.EPOCH_PANELS.items(), strict=True):
        assert title in (ax.get_title(), ax.get_title(loc="left"))
        lines = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
        np.testing.assert_array_equal(lines["clip at 0.2"], curves[f"epochs/clip/{quantity}"]["mean"])
        np.testing.assert_array_equal(lines["no clip"], curves[f"epochs/no_clip/{quantity}"]["mean"])
        assert any(list(line.get_xdata()) == [2, 2] for line in ax.get_lines())


def test_each_seed_of_each_step_size_is_a_dot() -> None:
    generator = np.random.default_rng(0)
    sizes, seeds = (1, 100, 10_000), 8
    values = {
        f"step_{size}/{stage}": {"per_seed": generator.uniform(0, 500, seeds).tolist()}
        for size in sizes
        for stage in ("before", "after", "in_the_end")
    }
    ax = trust.step_sizes(values, sizes).axes[0]
    lines = {line.get_label(): line for line in ax.get_lines()}
    for label, stage in (("right after it", "after"), ("at the end of training", "in_the_end")):
        expected = [interquartile_mean(values[f"step_{size}/{stage}"]["per_seed"]) for size in sizes]
        np.testing.assert_allclose(lines[label].get_ydata(), expected)
    dots = [line.get_ydata() for line in ax.get_lines() if len(line.get_xdata()) == len(sizes) * seeds]
    assert sorted(np.concatenate(dots)) == sorted(number for entry in values.values() for number in entry["per_seed"])
