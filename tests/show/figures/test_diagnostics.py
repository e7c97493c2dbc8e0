"""Panels show the run in question over the healthy one, metric by metric, and leave out what neither has."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pgcourse import InvalidInput
from pgcourse.show.figures import diagnostics
from pgcourse.show.figures.diagnostics import HEALTHY, ILL, RETURN, VALUE
from pgcourse.statistics import interquartile_mean

KL, EXPLAINED = "losses/approx_kl", "losses/explained_variance"


def curve(*means: float) -> dict[str, Any]:
    return {"x": list(range(1, len(means) + 1)), "mean": list(means), "low": list(means), "high": list(means)}


def lines(ax: Any) -> dict[tuple[str, str], list[float]]:
    return {(line.get_color(), line.get_linestyle()): list(line.get_ydata()) for line in ax.lines}


def visible(figure: Any) -> list[Any]:
    return [ax for ax in figure.axes if ax.get_visible()]


def test_a_panel_holds_both_runs_and_no_panel_is_drawn_for_what_neither_has() -> None:
    figure = diagnostics.panels({KL: curve(1, 2)}, {KL: curve(3, 4), EXPLAINED: curve(0.1, 0.9)})
    kl, explained = visible(figure)
    assert kl.get_title() == "approximate KL" and kl.get_ylabel() == "nats"
    assert lines(kl) == {(HEALTHY, "-"): [3, 4], (ILL, "-"): [1, 2]}
    assert lines(explained) == {(HEALTHY, "-"): [0.1, 0.9]}


def test_the_means_of_values_and_returns_share_a_panel() -> None:
    ill = {VALUE: curve(0, 1), RETURN: curve(10, 20)}
    (ax,) = visible(diagnostics.panels(ill, {VALUE: curve(9, 19), RETURN: curve(10, 20)}))
    assert lines(ax) == {(HEALTHY, "--"): [9, 19], (ILL, "--"): [0, 1], (HEALTHY, "-"): [10, 20], (ILL, "-"): [10, 20]}


def test_no_panel_is_flattened_by_wild_numbers_or_hides_a_zero() -> None:
    (ax,) = visible(diagnostics.panels({EXPLAINED: curve(-500, 0.5)}, {}))
    assert ax.get_ylim() == pytest.approx((-1.05, 1.05))
    (ax,) = visible(diagnostics.panels({KL: curve(0, 0, 0)}, {}))
    assert ax.get_ylim()[0] < 0 < ax.get_ylim()[1]


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no metric to draw"):
        diagnostics.panels({"losses/policy_loss": curve(1)}, {})


def test_live_runs_become_curves() -> None:
    generator = np.random.default_rng(0)
    runs = [
        SimpleNamespace(metrics={KL: generator.random(5), "charts/env_step": np.arange(10.0, 60, 10)}) for _ in range(4)
    ]
    found = diagnostics.curves_of(runs, x="charts/env_step", every=2)[KL]
    expected = np.stack([run.metrics[KL][:4].reshape(2, 2).mean(axis=1) for run in runs])
    np.testing.assert_allclose(found["mean"], interquartile_mean(expected, axis=0))
    assert list(found["x"]) == [20, 40], "the step at which each point ends; the fifth update fills no point"
    assert (np.asarray(found["low"]) <= found["mean"]).all() and (found["mean"] <= np.asarray(found["high"])).all()
    alone = diagnostics.curves_of(runs[:1])[KL]
    assert list(alone["x"]) == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(alone["low"], alone["mean"])
