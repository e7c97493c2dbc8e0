"""GAE taken apart: the narrow bars are what the package's `gae` adds up, and no weight crosses an end."""

import numpy as np
import pytest
import torch

from pgcourse.returns import gae
from pgcourse.rollout import Rollout
from pgcourse.show.live.explainers.advantages import advantages_of


@pytest.fixture(scope="module")
def rollout() -> Rollout:
    """12 steps of 2 environments; the second one ends at step 4 with both flags set."""
    generator = torch.Generator().manual_seed(0)
    rewards, values, next_values = (torch.randn(12, 2, generator=generator) for _ in range(3))
    terminated, truncated = torch.zeros(2, 12, 2, dtype=torch.bool)
    terminated[3, 0] = truncated[8, 0] = terminated[4, 1] = truncated[4, 1] = True
    return Rollout(rewards[..., None], rewards, rewards, rewards, values, next_values, terminated, truncated)


@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("step", [1, 4, 11])
def test_the_narrow_bars_add_up_to_the_package_s_advantage(rollout: Rollout, column: int, step: int) -> None:
    drawn = advantages_of(rollout, column=column, step=step).at(gamma=0.9, gae_lambda=0.7)
    middle = drawn["panels"][1]
    expected = gae(*rollout[3:], gamma=0.9, gae_lambda=0.7)[:, column]
    marks = {mark.get("label"): mark for panel in drawn["panels"] for mark in panel["marks"]}
    counted = marks["what it counts: (γλ)ᵏ δ"]["y"]
    assert sum(counted) == pytest.approx(float(expected[step]), abs=1e-3)
    np.testing.assert_allclose(marks["your λ"]["y"], expected, atol=1e-3)
    assert f"A at step {step} is {sum(counted):+.2f}" in drawn["words"]
    ends = [t for t in range(step, 12) if rollout.terminated[t, column] or rollout.truncated[t, column]]
    weights = middle["marks"][0]["y"]
    assert [t for t, weight in enumerate(weights) if weight] == list(range(step, ends[0] + 1 if ends else 12))
    assert ("end of the rollout" in drawn["words"]) == (not ends)


def test_no_number_leaves_its_fixed_axis(rollout: Rollout) -> None:
    explainer = advantages_of(rollout, step=0)
    for gamma in (0.8, 0.9, 1.0):
        for gae_lambda in (0.0, 0.5, 1.0):
            top, _, bottom = explainer.at(gamma=gamma, gae_lambda=gae_lambda)["panels"]
            assert top["y"] == explainer.at()["panels"][0]["y"]
            for panel in (top, bottom):
                for mark in panel["marks"]:
                    assert all(panel["y"]["low"] <= y <= panel["y"]["high"] for y in mark.get("y", []))
