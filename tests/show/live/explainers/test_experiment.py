"""Experiments alive: more seeds keep those that are there, and the words hold of the bars."""

import numpy as np
import pytest

from pgcourse import InvalidInput
from pgcourse.show.live.explainers.experiment import experiment
from pgcourse.statistics import bootstrap_interval, interquartile_mean

POOLS = {"a": np.random.default_rng(5).normal(300, 20, 40), "b": np.random.default_rng(6).normal(320, 50, 40)}
EXPLAINER = experiment(POOLS, x_label="return")


def marks(kind: str, **values: float) -> list[dict]:
    return [mark for mark in EXPLAINER.at(**values)["panels"][0]["marks"] if mark["kind"] == kind]


def test_runs_come_from_the_pool_and_stay_when_seeds_are_added() -> None:
    few, many = (marks("points", seeds=seeds, experiment=3)[0]["x"] for seeds in (4, 9))
    assert len(few) == 4 and many[:4] == few and set(few) <= set(np.round(POOLS["a"], 1))
    assert marks("points", seeds=4, experiment=4)[0]["x"] != few


def test_bars_are_standard_deviation_and_bootstrap_interval() -> None:
    runs = np.array(marks("points", seeds=12, experiment=1)[0]["x"])
    truth, spread, interval = marks("line", seeds=12, experiment=1)[:3]
    assert truth["x"][0] == pytest.approx(interquartile_mean(POOLS["a"]))
    assert spread["x"] == pytest.approx([runs.mean() - runs.std(ddof=1), runs.mean() + runs.std(ddof=1)])
    width = np.ptp(bootstrap_interval(runs))
    assert interval["x"] == pytest.approx(bootstrap_interval(runs), abs=0.15 * width), "fewer resamples"
    assert f"the interval {interval['x'][1] - interval['x'][0]:.0f};" in EXPLAINER.at(seeds=12)["words"]


def test_intervals_get_shorter_and_the_spread_does_not() -> None:
    spread, interval = EXPLAINER.at(seeds=40)["panels"][1]["marks"][:2]
    assert interval["y"][-1] < 0.75 * interval["y"][8] and spread["y"][-1] > 0.9 * spread["y"][8]


def test_one_pool_is_refused() -> None:
    with pytest.raises(InvalidInput, match="1 pools"):
        experiment({"a": [1.0]}, x_label="return")
