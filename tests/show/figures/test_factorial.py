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
    return {
        factorial.variant("story", corner): band | {"mean": [height, height + 1]}
        for height, corner in enumerate(CORNERS)
    }


@pytest.fixture
def values() -> dict[str, Any]:
    generator = np.random.default_rng(0)
    centres = {f"effects/course/at_1000/{key}": 10 * place for place, key in enumerate(factorial.EFFECTS)}
    centres |= {f"effects/five/at_1000/{key}": 10 * place for place, key in enumerate(factorial.FIVE_EFFECTS)}
    centres |= {factorial.variant("story", corner) + "/at_1000": 50 * place for place, corner in enumerate(CORNERS)}
    return {name: {"per_seed": (centre + generator.normal(size=10)).tolist()} for name, centre in centres.items()}


def test_each_corner_is_one_line_in_its_critics_panel(curves: dict[str, Any]) -> None:
    for ax, critic in zip(factorial.corner_curves(curves, "story").axes, ("fast", "slow"), strict=True):
        drawn = {line.get_label(): line for line in ax.lines}
        assert len(drawn) == 4 and ax.get_title() == f"{critic} critic" and ax.get_xlabel() == "episode"
        for rollout, clipping in product(factorial.ROLLOUTS, factorial.CLIPPINGS):
            line = drawn[f"{factorial.ROLLOUTS[rollout]}, {factorial.CLIPPINGS[clipping]}"]
            assert (
                list(line.get_ydata()) == curves[factorial.variant("story", f"{rollout}_{critic}_{clipping}")]["mean"]
            )
            assert line.get_linestyle() == ("--" if clipping == "joint" else "-")


@pytest.mark.parametrize(("cube", "names"), [("course", factorial.EFFECTS), ("five", factorial.FIVE_EFFECTS)])
def test_each_effect_has_its_seeds_its_mean_and_its_interval(
    values: dict[str, Any], cube: str, names: dict[str, str]
) -> None:
    (ax,) = factorial.effect_bars(values, cube, "at_1000", x_label="return").axes
    assert [label.get_text() for label in ax.get_yticklabels()] == list(names.values())
    dots = [line for line in ax.lines if line.get_marker() == "."]
    means = [line for line in ax.lines if line.get_marker() == "o"]
    bars = [line for line in ax.lines if line.get_linewidth() == 4]
    for place, key in enumerate(names):
        numbers = np.array(values[f"effects/{cube}/at_1000/{key}"]["per_seed"])
        np.testing.assert_allclose(dots[place].get_xdata(), numbers)
        np.testing.assert_allclose(means[place].get_xdata(), interquartile_mean(numbers))
        np.testing.assert_allclose(bars[place].get_xdata(), bootstrap_interval(numbers))
    assert means[0].get_markerfacecolor() == "white", "its interval holds 0"
    assert means[3].get_markerfacecolor() != "white"


def test_a_fault_added_to_the_healthy_run_and_one_present_in_the_ill_run_are_told_apart() -> None:
    """Outcome 100, less 10 for each trap, less 40 more where all three meet: alone a trap takes 10, as the last one 50."""
    values = {
        f"{factorial.variant(cube, corner)}/late": {
            "per_seed": [100.0 - 10 * count - 40 * (count == 3) + seed for seed in range(4)]
        }
        for cube in ("story", "course")
        for corner in CORNERS
        for count in [len(factorial.traps_in(corner))]
    }
    for added, present in factorial.one_fault(values, "story", "late").values():
        assert added.tolist() == [-10.0] * 4 and present.tolist() == [-50.0] * 4
    figure = factorial.one_fault_bars(values, {"story": "one", "course": "two"}, "late", x_label="return")
    assert [ax.get_title() for ax in figure.axes] == ["one", "two"]
    for ax in figure.axes:
        means = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() in ("o", "s")]
        assert means == [-10.0, -50.0] * 3


def test_the_effect_of_a_suspect_at_one_setting_is_a_mean_of_four_differences() -> None:
    """Outcome 100 less 10 for long rollouts, 20 for a slow critic, 40 for joint clipping; twice that at another setting."""
    losses = {"128": 10.0, "slow": 20.0, "joint": 40.0}
    values = {
        f"{setting}_{corner}/late": {
            "per_seed": [100.0 + seed - (1 + number) * sum(losses.get(level, 0.0) for level in corner.split("_"))
                         for seed in range(4)]
        }
        for number, setting in enumerate(factorial.SETTINGS) for corner in CORNERS
    }  # fmt: skip
    for number, setting in enumerate(factorial.SETTINGS):
        for factor, loss in zip(factorial.FACTORS, losses.values(), strict=True):
            np.testing.assert_allclose(factorial.at_setting(values, setting, factor, "late"), -(1 + number) * loss)
    axes = factorial.setting_bars(values, "late", x_label="return").axes
    assert [ax.get_title() for ax in axes] == list(factorial.SETTINGS.values())
    means = [float(line.get_xdata()[0]) for line in axes[1].lines if line.get_marker() == "o"]
    assert means == [-20.0, -40.0, -80.0]


def test_corners_stand_at_their_number_of_traps(values: dict[str, Any]) -> None:
    (ax,) = factorial.trap_counts(values, "story", "at_1000", y_label="return").axes
    points = [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in ax.lines if line.get_marker() == "o"]
    expected = [
        interquartile_mean(np.array(values[factorial.variant("story", corner) + "/at_1000"]["per_seed"]))
        for corner in CORNERS
    ]
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
    with pytest.raises(InvalidInput, match="no cube 'adam'; there are story"):
        factorial.variant("adam", "32_fast_joint")
