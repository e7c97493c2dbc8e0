"""Variants side by side show each seed, and an interquartile mean with its interval; nothing is left out unsaid."""

from typing import Any

import numpy as np
import pytest

from pgcourse import InvalidInput
from pgcourse.show.figures import seeds as effects
from pgcourse.statistics import interquartile_mean

GOOD, POOR = [-150.0, -155.0, -160.0, -158.0], [-900.0, -300.0, -200.0, -1200.0]


@pytest.fixture(autouse=True)
def claims(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"good/held_out": GOOD, "poor/held_out": POOR, "good/steps": [1.0, 2.0, 3.0, None], "good/up": [1.0, 2.0]}
    stored = {"values": {name: {"per_seed": numbers} for name, numbers in values.items()}}
    monkeypatch.setattr(effects, "load_claims", lambda name: stored)


def test_every_seed_is_a_dot_and_the_large_dot_is_their_interquartile_mean() -> None:
    (ax,) = effects.claimed_effects("x", {"good": "as it is", "poor": "changed"}).axes
    dots = [line for line in ax.lines if line.get_marker() == "."]
    np.testing.assert_allclose(dots[0].get_xdata(), GOOD)
    np.testing.assert_allclose(dots[1].get_xdata(), POOR)
    centres = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(centres, [interquartile_mean(np.array(row)) for row in (GOOD, POOR)])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["as it is", "changed"]
    assert ax.yaxis_inverted(), "the first row is at the top"


def test_the_axis_holds_every_seed_and_better_is_on_the_right() -> None:
    (ax,) = effects.claimed_effects("x", {"poor": "changed"}, threshold=-200.0, reference="good").axes
    low, high = ax.get_xlim()
    assert low < min(POOR) and max(POOR) < high
    assert all(low < tick < 0 for tick in ax.get_xticks())


def test_positive_numbers_stand_on_a_plain_axis() -> None:
    (ax,) = effects.claimed_effects("x", {"good": "good"}, value="up").axes
    assert ax.get_xscale() == "linear"


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ({"bad": "?"}, {}, "no values 'bad/held_out'"),
        ({"good": "g"}, {"value": "steps"}, "some seeds have no number"),
        ({}, {}, "no variants"),
    ],
)
def test_what_cannot_be_drawn_is_refused(labels: dict[str, str], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        effects.claimed_effects("x", labels, **options)
