"""What is written down of a Gaussian policy, and the messages for what an observer can only see by looking closely."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from pgcourse.checks import run
from pgcourse.checks.exercise import get
from pgcourse.checks.observe import observe
from pgcourse.checks.observe.gaussian import GaussianFactory
from pgcourse.checks.observe.remote_networks import describe
from pgcourse.networks import GaussianPolicy


class Policy(nn.Module):
    """A right answer whose parts a test replaces."""

    def __init__(self, obs_dim: int, action_dim: int) -> None:
        super().__init__()
        last = nn.Linear(32, action_dim)
        nn.init.orthogonal_(last.weight, 0.01)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(nn.Linear(obs_dim, 32), nn.ReLU(), last)
        self.log_std = nn.Parameter(torch.zeros(action_dim))

    def mean(self, obs: Tensor) -> Tensor:
        return self.layers(obs)

    def forward(self, obs: Tensor) -> Any:
        return Independent(Normal(self.mean(obs), self.log_std.exp()), 1)


def with_mean(mean: Any) -> type[Policy]:
    return type("Changed", (Policy,), {"mean": mean})


def case() -> dict[str, Any]:
    return next(iter(get("gaussian_policy").cases(0)))


def test_the_facts_of_a_right_policy() -> None:
    arrays = observe(GaussianFactory(), GaussianPolicy, case())
    assert str(arrays["distribution"]) == "Independent(Normal, 1)"
    assert arrays["batch shape"].tolist() == [16] and arrays["event shape"].tolist() == [1]
    np.testing.assert_allclose(arrays["std"], 1.0)
    assert arrays["starting std"].shape == (5, 1)
    np.testing.assert_allclose(arrays["std of given log_std"][0], case()["log_std"].exp(), rtol=1e-6)
    assert int(arrays["unreached"]) == 0 and not arrays["log_std unreached"]
    np.testing.assert_allclose(arrays["trained mean"], case()["targets"], atol=0.5)


def test_the_given_log_std_is_taken_back_before_the_training() -> None:
    kept: list[Policy] = []

    def build(obs_dim: int, action_dim: int) -> nn.Module:
        kept.append(Policy(obs_dim, action_dim))
        return kept[-1]

    observe(GaussianFactory(), build, case())
    assert kept[0].log_std.tolist() == [0.0]


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (Policy, "✓"),
        (with_mean(lambda self, obs: self.layers(obs).squeeze()), "has shape [16], expected [16, 1]"),
        (with_mean(lambda self, obs: self.layers(obs) - self.layers(obs).mean(0)), "alone than inside its batch"),
        (with_mean(lambda self, obs: self.layers(obs) + 0.01 * torch.randn(1)), "two different means"),
        (with_mean(lambda self, obs: self.layers(obs) + 0.5), "got a mean of 0.5"),
        (with_mean(lambda self, obs: self.layers(obs).abs()), "reaches only one of them"),
        (with_mean(lambda self, obs: self.layers(obs) * torch.nan), "ValueError: Expected parameter loc"),
        (functools.cache(Policy), "policies that share parameters"),
        (lambda obs_dim, action_dim: Policy, "returned a class"),
        (lambda obs_dim, action_dim: Policy(action_dim, obs_dim), "RuntimeError"),
        (lambda obs_dim, action_dim: nn.Linear(obs_dim, action_dim), "gives a Tensor"),
    ],
)
def test_what_a_learner_reads(build: Any, words: str) -> None:
    message = run("gaussian_policy", build).message
    assert words in " ".join(message.split())
    assert "Traceback" not in message


@pytest.mark.parametrize(("low", "high", "status"), [(-5, 2, "correct"), (-20, 2, "correct"), (-1, 0.5, "not yet")])
def test_log_std_may_be_clamped_to_a_wide_range_only(low: float, high: float, status: str) -> None:
    class Clamped(Policy):
        def forward(self, obs: Tensor) -> Any:
            return Independent(Normal(self.mean(obs), self.log_std.clamp(low, high).exp()), 1)

    assert run("gaussian_policy", Clamped).status == status


def test_a_random_first_spread_is_not_right_by_luck() -> None:
    class Random(Policy):
        def __init__(self, obs_dim: int, action_dim: int) -> None:
            super().__init__(obs_dim, action_dim)
            nn.init.normal_(self.log_std, std=1.5)

    assert all(run("gaussian_policy", Random, seed).status == "not yet" for seed in (None, 1, 2))


def test_distributions_are_described_from_the_inside() -> None:
    normal = Normal(torch.zeros(2, 3), torch.ones(2, 3))
    assert describe(Independent(normal, 1)) == "Independent(Normal, 1)"
    assert describe(Independent(normal, 2)) == "Independent(Normal, 2)"
    assert (describe(normal), describe(None), describe((1, 2))) == ("Normal", "NoneType", "tuple")
