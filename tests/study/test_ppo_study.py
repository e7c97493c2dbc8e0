"""What the study of lesson 04 changes, and that it changes nothing else."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from pgcourse import Result, ppo
from pgcourse.diagnostics import approx_kl
from pgcourse.networks import CategoricalPolicy
from tools.claims.ppo import (
    CHANGED,
    OneLargeStep,
    clip_without_min,
    default_policy,
    follow_epochs,
    large_last_layer,
    moment_of_training,
    optimist_loss,
)

KL = "losses/approx_kl"
FOUR_UPDATES = replace(ppo.CARTPOLE, seed=100, total_timesteps=4 * 1024)


def train(**seams: object) -> Result:
    return ppo.train(FOUR_UPDATES, device="cpu", **seams)  # type: ignore[arg-type]


def test_one_large_step_changes_only_the_update_it_is_about() -> None:
    usual, large = train(), train(update_fn=OneLargeStep(1000, at=3))
    np.testing.assert_array_equal(large.metrics[KL][:2], usual.metrics[KL][:2])
    assert large.metrics[KL][2] > 10 * usual.metrics[KL][2]
    assert set(large.metrics["charts/policy_lr"]) == {ppo.CARTPOLE.policy_lr}, "the learning rate is restored"
    assert len(large.metrics["charts/return_after"]) == 1


def test_a_longer_step_goes_further_and_one_object_serves_run_after_run() -> None:
    steps = [OneLargeStep(size, at=2) for size in (1, 30, 1000)]
    divergences = [train(update_fn=step).metrics[KL] for step in steps]
    assert 0 < divergences[0][1] < divergences[1][1] / 10 < divergences[2][1] / 10
    np.testing.assert_array_equal(train(update_fn=steps[1]).metrics[KL], divergences[1])


def test_before_its_update_the_kept_policy_is_the_one_that_acted() -> None:
    policy, _, _, _, batch, _ = moment_of_training(100, at_update=2)
    with torch.no_grad():
        assert float(approx_kl(policy(batch.obs).log_prob(batch.actions), batch.log_prob)) < 1e-9


def test_following_an_update_leaves_the_moment_as_it_was() -> None:
    moment = moment_of_training(100, at_update=2)
    weights = copy.deepcopy(moment[0].state_dict())
    rows = follow_epochs(moment, None)
    assert all(torch.equal(weights[name], tensor) for name, tensor in moment[0].state_dict().items())
    kl, clipfrac, surrogate, _ = rows[0]
    assert (kl, clipfrac) == (pytest.approx(0, abs=1e-9), 0.0)
    assert surrogate == pytest.approx(0, abs=1e-6)  # ratio 1, advantages of mean 0
    assert rows[-1][0] > 0.01 and rows[-1][2] > rows[1][2] > 0, "30 epochs climb the surrogate, and go far"


def test_every_variant_but_those_with_seams_changes_at_most_two_settings() -> None:
    for name, config in CHANGED.items():
        differing = {key for key, value in vars(config).items() if value != getattr(ppo.CARTPOLE, key)}
        allowed = 2 if name in ("no_clip_many_epochs", "no_clip_wide_network") else 1
        assert len(differing - {"total_timesteps"}) <= allowed, name


def test_initial_policies_differ_as_their_names_say() -> None:
    obs = torch.randn(500, 4, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    networks = {"package": CategoricalPolicy(4, 2), "large": large_last_layer(), "default": default_policy()}
    with torch.no_grad():
        spread = {name: float(policy(obs).probs[:, 0].std()) for name, policy in networks.items()}
    assert spread["package"] < 0.005
    assert min(spread["large"], spread["default"]) > 0.015, "preferences before the first update"


@pytest.mark.parametrize(
    ("loss_fn", "flowing"),
    [
        # A > 0 and A < 0, each with the ratio below and above the interval: where a gradient flows.
        (clip_without_min, [False, False, False, False]),
        (optimist_loss, [False, True, True, False]),
    ],
)
def test_spoilt_losses_flow_in_the_wrong_corners(loss_fn: object, flowing: list[bool]) -> None:
    log_prob = torch.tensor([0.5, 1.5, 0.5, 1.5]).log().requires_grad_()
    advantages = torch.tensor([1.0, 1.0, -1.0, -1.0])
    loss = loss_fn(log_prob, torch.zeros(4), advantages, clip_coef=0.2)  # type: ignore[operator]
    (gradient,) = torch.autograd.grad(loss, log_prob)
    assert (gradient != 0).tolist() == flowing
