"""The spreads of the two scores are those that autograd finds for samples of the policy."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from pgcourse.show.live.explainers.score import SCORE


@pytest.mark.parametrize("std", [0.05, 0.5, 2.0])
def test_the_points_of_the_right_panel_are_the_spreads_of_sampled_scores(std: float) -> None:
    generator = torch.Generator().manual_seed(0)
    # One pair of parameters for each sample, so that the gradient of the sum holds each sample's own.
    mean = torch.zeros(20_000, dtype=torch.float64, requires_grad=True)
    log_std = torch.full_like(mean, math.log(std)).detach().requires_grad_()
    action = std * torch.randn(20_000, dtype=torch.float64, generator=generator)
    log_prob = Normal(mean, log_std.exp()).log_prob(action)
    spreads = [float(score.std()) for score in torch.autograd.grad(log_prob.sum(), (mean, log_std))]
    points = SCORE.at(std=std)["panels"][1]["marks"][-1]
    np.testing.assert_allclose(points["y"], spreads, rtol=0.05)
    np.testing.assert_allclose(points["x"], std)


def test_samples_stand_at_their_scores() -> None:
    samples = SCORE.at(std=0.5)["panels"][0]["marks"][-1]
    np.testing.assert_allclose(samples["y"], np.array(samples["x"]) / 0.25)
    assert len(samples["x"]) == 80
