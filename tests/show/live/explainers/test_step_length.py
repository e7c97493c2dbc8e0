"""A line search alive: the length that is taken is the first that is allowed, and the picture says so."""

import numpy as np
import pytest

from pgcourse import InvalidInput
from pgcourse.show.live.explainer import Explainer
from pgcourse.show.live.explainers.step_length import step_length

LENGTHS = np.linspace(0, 11, 221)


def made(improvement: np.ndarray = LENGTHS, lengths: np.ndarray = LENGTHS) -> Explainer:
    kl = 0.01 * lengths**2
    return step_length(
        lengths, kl=kl, improvement=improvement, curvature=0.02, slope=1.0, max_kl=0.01, backtracks=10, shrink=0.8
    )


def test_a_step_that_is_too_long_is_shortened_until_it_is_allowed() -> None:
    # KL is the limit at length 1: 1.5 and 1.2 are refused, 0.96 is taken.
    drawing = made().at(first=1.5)
    left, right = ([mark for mark in panel["marks"] if mark["kind"] == "points"] for panel in drawing["panels"])
    np.testing.assert_allclose(left[0]["x"], [1.5, 1.2])
    np.testing.assert_allclose(left[0]["y"], [2.25, 1.44], atol=1e-3)
    assert left[1]["x"] == pytest.approx([0.96]) and left[1]["y"] == pytest.approx([0.9216], abs=1e-3)
    assert right[1]["y"] == pytest.approx([0.96]), "the linear model is the truth here"
    assert drawing["words"].startswith("Refused 2 times, then taken: length 0.96")


def test_where_the_model_is_exact_the_whole_step_is_taken_at_every_limit() -> None:
    for max_kl in (0.02, 0.3):
        assert made().at(max_kl=max_kl, first=0.9)["words"].startswith("Taken at once: length 0.90")


def test_a_direction_that_never_improves_leaves_the_policy_where_it_was() -> None:
    assert "stays where it was" in made(improvement=-LENGTHS).at()["words"]


def test_columns_of_another_length_and_a_short_walk_are_refused() -> None:
    with pytest.raises(InvalidInput, match="lengths has shape"):
        made(improvement=np.zeros(5))
    with pytest.raises(InvalidInput, match=r"go from 0 to 10\.95"):
        made(lengths=np.linspace(0, 3, 20), improvement=np.zeros(20))
