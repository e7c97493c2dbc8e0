"""What the study of lesson 08 replaces does what it says, and nothing else."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import kl_divergence

from pgcourse import natural_gradient, trpo
from pgcourse.networks import CategoricalPolicy
from pgcourse.returns import normalize
from pgcourse.rollout import Batch
from tools.claims import trpo as study

CONFIG = replace(trpo.CARTPOLE, damping=1e-3, max_kl=0.5)


def random_batch(seed: int, rows: int = 64) -> tuple[nn.Module, Batch, Tensor]:
    torch.manual_seed(seed)
    policy = CategoricalPolicy(3, 4, (8,))
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(torch.randn_like(parameter))
        obs = 2 * torch.randn(rows, 3)
        distribution = policy(obs)
        actions = distribution.sample()
        log_prob = distribution.log_prob(actions)
    advantages = torch.randn(rows)
    return policy, Batch(obs, actions, log_prob, advantages, torch.zeros(rows)), normalize(advantages)


def divergence(old: nn.Module, new: nn.Module, obs: Tensor) -> float:
    with torch.no_grad():
        return float(kl_divergence(old(obs), new(obs)).mean())


def test_only_the_unchecked_step_breaks_the_limit_that_the_search_and_the_patients_step_keep() -> None:
    beyond = 0
    for seed in range(10):
        policy, batch, advantages = random_batch(seed)
        free, checked, ill = (copy.deepcopy(policy) for _ in range(3))
        metrics = study.unchecked_step(free, batch, advantages, CONFIG)
        reached = divergence(policy, free, batch.obs)
        assert metrics["losses/approx_kl"].item() == pytest.approx(reached, rel=1e-2, abs=1e-6)
        beyond += reached > CONFIG.max_kl
        trpo.policy_step(checked, batch, advantages, CONFIG)
        study.flat_step(ill, batch, advantages, CONFIG)
        assert max(divergence(policy, kept, batch.obs) for kept in (checked, ill)) <= CONFIG.max_kl * 1.001
    assert beyond >= 3


def test_the_patients_product_knows_only_the_damping() -> None:
    policy, batch, _ = random_batch(0)
    vector = torch.randn(sum(p.numel() for p in policy.parameters()))
    ill = study.flat_fisher_vector_product(policy, batch.obs, vector, damping=0.1)
    torch.testing.assert_close(ill, 0.1 * vector, atol=1e-6, rtol=1e-5)
    healthy = natural_gradient.fisher_vector_product(policy, batch.obs, vector, damping=0.1)
    assert (healthy - ill).norm() > 0.1 * ill.norm()


def test_looking_changes_nothing_and_reports_the_inner_steps() -> None:
    searched = 0
    for seed in range(6):
        policy, batch, advantages = random_batch(seed)
        watched, plain, whole = (copy.deepcopy(policy) for _ in range(3))
        metrics = study.observed_step(watched, batch, advantages, CONFIG)
        expected = trpo.policy_step(plain, batch, advantages, CONFIG)
        assert all(torch.equal(a, b) for a, b in zip(watched.parameters(), plain.parameters(), strict=True))
        assert expected.keys() < metrics.keys()
        study.unchecked_step(whole, batch, advantages, CONFIG)
        first = divergence(policy, whole, batch.obs)
        assert metrics["charts/first_kl"].item() == pytest.approx(first, rel=1e-3, abs=1e-6)
        if first > CONFIG.max_kl:
            assert metrics["charts/tried"] > 1
            searched += 1
        assert 0 < metrics["charts/cosine"] < 1 and 0 <= metrics["charts/cg_residual"] < 1
    assert searched >= 2


def test_clipped_steps_improve_the_surrogate_and_start_each_run_with_a_fresh_optimiser() -> None:
    step = study.ClippedSteps()
    policy, batch, advantages = random_batch(0)
    start = copy.deepcopy(policy)
    first = {key: float(value) for key, value in step(policy, batch, advantages, CONFIG).items()}
    used = step.optimizer
    assert first["charts/surrogate_improvement"] > 0
    assert first["losses/approx_kl"] == pytest.approx(divergence(start, policy, batch.obs), rel=1e-3)
    step(policy, batch, advantages, CONFIG)
    assert step.optimizer is used  # one run, one optimiser
    new_runs = []
    for stepper in (step, study.ClippedSteps()):
        torch.manual_seed(5)
        metrics = stepper(copy.deepcopy(start), batch, advantages, CONFIG)
        new_runs.append({key: float(value) for key, value in metrics.items()})
    assert new_runs[0] == new_runs[1]


@pytest.mark.parametrize("name", list(study.VARIANTS))
def test_every_variant_trains(name: str) -> None:
    config: Any = replace(study.VARIANTS[name], total_timesteps=128, num_envs=4, num_steps=16, hidden_sizes=(8,))
    metrics = trpo.train(config, **study.SEAMS.get(name, {})).metrics
    assert len(metrics["losses/approx_kl"]) == 2
    assert all(np.isfinite(values).all() for key, values in metrics.items() if key != "losses/explained_variance")
