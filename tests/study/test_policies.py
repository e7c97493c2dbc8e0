"""The policies that lesson 05 compares: each is the law it says it is, and trains like the package's own."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal, TanhTransform, TransformedDistribution
from torch.distributions.transforms import AffineTransform

from pgcourse import evaluate, ppo
from pgcourse.networks import GaussianPolicy
from pgcourse.study.policies import BinnedPolicy, Bins, StateDependentGaussian, TanhGaussianPolicy, TanhNormal

POLICIES: dict[str, Callable[[], nn.Module]] = {
    "state-dependent": lambda: StateDependentGaussian(3, 1),
    "tanh": lambda: TanhGaussianPolicy(3, 1, limit=2.0),
    "binned": lambda: BinnedPolicy(3, 5, limit=2.0),
}
each_policy = pytest.mark.parametrize("make", POLICIES.values(), ids=POLICIES)
ACTIONS = torch.linspace(-2, 2, 200_001, dtype=torch.float64)[1:-1]


@pytest.fixture(autouse=True)
def fixed_seed() -> None:
    torch.manual_seed(0)


def tanh_normal(mean: list[float], std: float, limit: float = 2.0) -> TanhNormal:
    centre = torch.tensor([mean], dtype=torch.float64)  # [1, A]
    return TanhNormal(Independent(Normal(centre, torch.full_like(centre, std)), 1), limit)


@each_policy
def test_each_meets_the_contract_of_a_policy(make: Callable[[], nn.Module]) -> None:
    distribution = make()(torch.randn(6, 3))
    actions = distribution.sample()
    assert actions.shape == distribution.mode.shape == (6, 1)
    assert distribution.log_prob(actions).shape == distribution.entropy().shape == (6,)
    assert not actions.requires_grad and distribution.log_prob(actions).requires_grad


@each_policy
def test_each_starts_where_the_packages_policy_starts(make: Callable[[], nn.Module]) -> None:
    """Near the middle of the range, and as undecided: a difference after training is then no difference at the start."""
    obs = torch.randn(2000, 3)
    ours, packages = (policy(obs).sample().clamp(-2, 2) for policy in (make(), GaussianPolicy(3, 1)))
    assert abs(float(ours.mean())) < 0.1
    assert 0.5 < float(ours.std()) < 1.6 and 0.5 < float(packages.std()) < 1.6


@each_policy
def test_each_trains_and_can_be_evaluated(make: Callable[[], nn.Module]) -> None:
    result = ppo.train(replace(ppo.PENDULUM, total_timesteps=3200, num_envs=8, num_steps=200), policy=make())
    assert len(result.episodes) == 16
    assert evaluate(result.policy, "Pendulum-v1", num_episodes=2, seed=0).lengths.tolist() == [200, 200]


def test_the_state_dependent_policy_starts_with_the_width_it_is_told_and_can_vary_it() -> None:
    policy = StateDependentGaussian(3, 2, initial_std=0.3)
    obs = torch.randn(50, 3)
    torch.testing.assert_close(policy(obs).stddev, torch.full((50, 2), 0.3), rtol=0.05, atol=0)
    nn.init.normal_(policy.mean_and_log_std[-1].weight)
    assert policy(obs).stddev.std(dim=0).min() > 0.1


def test_tanh_density_integrates_to_one_and_its_entropy_is_right_on_average() -> None:
    law = tanh_normal([0.4], 0.7)
    log_density = law.log_prob(ACTIONS[:, None])
    assert float(torch.trapezoid(log_density.exp(), ACTIONS)) == pytest.approx(1, abs=1e-4)
    exact = float(torch.trapezoid(-log_density.exp() * log_density, ACTIONS))
    wide = TanhNormal(law.normal.expand(torch.Size([100_000])), 2.0)
    assert float(wide.entropy().mean()) == pytest.approx(exact, abs=0.01)


def test_tanh_log_prob_is_that_of_torchs_transformed_distribution() -> None:
    ours = tanh_normal([0.3, -1.0], 0.5)
    theirs = TransformedDistribution(ours.normal, [TanhTransform(), AffineTransform(0.0, 2.0, event_dim=1)])
    actions = ours.sample((50,)).squeeze(1)
    torch.testing.assert_close(ours.log_prob(actions), theirs.log_prob(actions), rtol=1e-6, atol=1e-6)


def test_tanh_by_hand_at_the_bounds_and_far_out() -> None:
    """At u = 0 the slope of 2 tanh is 2, so the density is half that of the normal: 0.3989 / 2."""
    law = tanh_normal([0.0], 1.0)
    assert float(law.log_prob(torch.zeros(1, 1).double()).exp()) == pytest.approx(0.19947, abs=1e-4)
    assert torch.isfinite(law.log_prob(torch.tensor([[2.0], [-2.0]]).double())).all()
    assert torch.isfinite(law.log_prob_of(torch.tensor([[30.0], [-30.0]]).double())).all()


def test_squashing_does_not_change_the_ratio() -> None:
    """The Jacobian is of the sample, not of the policy: it cancels in the ratio of two policies."""
    u = torch.randn(20, 2, dtype=torch.float64)
    new, old = tanh_normal([0.3, 0.1], 0.6), tanh_normal([0.0, 0.0], 0.8)
    squashed = new.log_prob_of(u) - old.log_prob_of(u)
    torch.testing.assert_close(squashed, new.normal.log_prob(u) - old.normal.log_prob(u))


def test_bins_are_evenly_spaced_and_their_probabilities_are_the_categoricals() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, 1.0, 0.0]])
    levels = torch.tensor([[-2.0], [-1.0], [0.0], [1.0], [2.0]])
    torch.testing.assert_close(Bins(logits.expand(5, 5), 2.0).log_prob(levels).exp(), logits.softmax(-1)[0])
    assert Bins(logits, 2.0).mode.tolist() == [[0.0]]
    assert float(Bins(torch.zeros(1, 5), 2.0).entropy()) == pytest.approx(math.log(5))


def test_the_log_prob_of_a_sampled_bin_is_that_of_its_index() -> None:
    bins = Bins(torch.randn(1000, 11), 2.0)
    actions = bins.sample()
    index = torch.linspace(-2, 2, 11).sub(actions).abs().argmin(dim=-1)
    torch.testing.assert_close(bins.log_prob(actions), bins.levels.log_prob(index))
