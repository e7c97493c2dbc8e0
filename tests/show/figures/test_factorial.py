"""The factorial's figures show the claims' numbers: every corner once, every effect with its own interval."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from pgcourse import InvalidInput
from pgcourse.show.figures import factorial
from pgcourse.statistics import bootstrap_interval, interquartile_mean

CORNERS = ["_".join(levels) for levels in product(factorial.ROLLOUTS, factorial.CRITICS, factorial.CLIPPINGS)]


@pytest.fixture
def curves() -> dict[str, Any]:
    band = {"x": [25, 50], "x_unit": "episode", "low": [0, 0], "high": [9, 9]}
    return {f"adam_{corner}": band | {"mean": [height, height + 1]} for height, corner in enumerate(CORNERS)}


@pytest.fixture
def values() -> dict[str, Any]:
    generator = np.random.default_rng(0)
    centres = {f"effects/adam/at_1000/{key}": 10 * place for place, key in enumerate(factorial.EFFECTS)}
    centres |= {f"adam_{corner}/at_1000": 50 * place for place, corner in enumerate(CORNERS)}
    return {name: {"per_seed": (centre + generator.normal(size=10)).tolist()} for name, centre in centres.items()}


def test_each_corner_is_one_line_in_its_critics_panel(curves: dict[str, Any]) -> None:
    for ax, critic in zip(factorial.corner_curves(curves, "adam").axes, ("fast", "slow"), strict=True):
        drawn = {line.get_label(): line for line in ax.lines}
        assert len(drawn) == 4 and ax.get_title() == f"{critic} critic" and ax.get_xlabel() == "episode"
        for rollout, clipping in product(factorial.ROLLOUTS, factorial.CLIPPINGS):
            line = drawn[f"{factorial.ROLLOUTS[rollout]}, {factorial.CLIPPINGS[clipping]}"]
            assert list(line.get_ydata()) == curves[f"adam_{rollout}_{critic}_{clipping}"]["mean"]
            assert line.get_linestyle() == ("--" if clipping == "joint" else "-")


def test_each_effect_has_its_seeds_its_mean_and_its_interval(values: dict[str, Any]) -> None:
    (ax,) = factorial.effect_bars(values, "adam", "at_1000", x_label="return").axes
    assert [label.get_text() for label in ax.get_yticklabels()] == list(factorial.EFFECTS.values())
    dots = [line for line in ax.lines if line.get_marker() == "."]
    means = [line for line in ax.lines if line.get_marker() == "o"]
    bars = [line for line in ax.lines if line.get_linewidth() == 4]
    for place, key in enumerate(factorial.EFFECTS):
        numbers = np.array(values[f"effects/adam/at_1000/{key}"]["per_seed"])
        np.testing.assert_allclose(dots[place].get_xdata(), numbers)
        np.testing.assert_allclose(means[place].get_xdata(), interquartile_mean(numbers))
        np.testing.assert_allclose(bars[place].get_xdata(), bootstrap_interval(numbers))
    assert means[0].get_markerfacecolor() == "white", "its interval holds 0"
    assert means[3].get_markerfacecolor() != "white"


def test_corners_stand_at_their_number_of_traps(values: dict[str, Any]) -> None:
    (ax,) = factorial.trap_counts(values, "adam", "at_1000", y_label="return").axes
    points = [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in ax.lines if line.get_marker() == "o"]
    expected = [interquartile_mean(np.array(values[f"adam_{corner}/at_1000"]["per_seed"])) for corner in CORNERS]
    np.testing.assert_allclose([y for _, y in points], expected)
    assert [round(x) for x, _ in points] == [len(factorial.traps_in(corner)) for corner in CORNERS]
    joins = [line for line in ax.lines if line.get_linewidth() == 0.8]
    assert len(joins) == 12, "the edges of a cube"


def test_traps_of_a_corner_in_words() -> None:
    assert factorial.traps_in("32_fast_separate") == []
    assert factorial.traps_in("128_fast_joint") == ["rollouts", "clipping"]
    assert factorial.traps_in("128_slow_joint") == ["rollouts", "critic", "clipping"]


def test_a_claim_that_is_not_there_is_named(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="effects/sgd/at_1000/rollout"):
        factorial.effect_bars(values, "sgd", "at_1000", x_label="return")
