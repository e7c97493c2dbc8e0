"""Bias, noise and the error of both, by hand."""

import numpy as np
import pytest

from pgcourse.show.live.explainers.fork_error import fork_error


def test_the_error_is_the_root_of_both_squares_and_the_least_is_named() -> None:
    explainer = fork_error([0.0, 0.5, 1.0], {"10 updates": ([-0.8, 0.3, 0.0], [0.0, 2.0, 4.0])}, shown="10 updates")
    drawn = explainer.at(gae_lambda=0.5, episodes="32")
    marks = {mark["label"]: mark for mark in drawn["panels"][0]["marks"]}
    noise = np.sqrt(4 / 32) * np.array([0.0, 2.0, 4.0])
    np.testing.assert_allclose(marks["noise"]["y"], noise)
    np.testing.assert_allclose(marks["error: both together"]["y"], np.hypot([0.8, 0.3, 0.0], noise))
    assert "at λ = 0.50 is off by 0.77: bias 0.30, noise 0.71" in drawn["words"]
    assert drawn["words"].endswith("The least error is 0.77, at λ = 0.50.")
    assert marks["the least error"]["y"] == pytest.approx(marks["your λ"]["y"])
    more = explainer.at(episodes="2048", gae_lambda=0.0)["words"]
    assert "off by 0.80: bias 0.80, noise 0.00" in more and more.endswith("The least error is 0.18, at λ = 1.00.")
