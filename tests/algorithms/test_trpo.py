"""TRPO: the KL limit is hard, the step is a natural gradient, and where no step will do the policy stays."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from pgcourse import trpo
from pgcourse.networks import CategoricalPolicy, GaussianPolicy, ValueNetwork
from pgcourse.rollout import Batch
from tests.recording import Recorded

TINY = replace(trpo.CARTPOLE, total_timesteps=192, num_envs=4, num_steps=16, critic_steps=3, hidden_sizes=(8,))


def random_batch(continuous: bool, seed: int, rows: int = 48) -> tuple[nn.Module, Batch]:
    """A policy with large weights, and a batch of its own actions with random advantages of any scale."""
    torch.manual_seed(seed)
    policy = GaussianPolicy(3, 2, (8,)) if continuous else CategoricalPolicy(3, 4, (8,))
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(torch.rand(()) * torch.randn_like(parameter))
        obs = 2 * torch.randn(rows, 3)
        distribution = policy(obs)
        actions = distribution.sample()
        log_prob = distribution.log_prob(actions)
    return policy, Batch(obs, actions, log_prob, 10 ** (4 * torch.rand(()) - 2) * torch.randn(rows), torch.zeros(rows))


def weights(network: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(network.parameters()).detach().clone()


def kl(old: nn.Module, new: nn.Module, obs: Tensor) -> float:
    """Mean KL(old || new), summed over actions or from the formula for two normals, in float64."""
    with torch.no_grad():
        before, after = (copy.deepcopy(policy).double()(obs.double()) for policy in (old, new))
    if isinstance(before, Independent):
        assert isinstance(before.base_dist, Normal)
        m1, s1, m2, s2 = before.mean, before.stddev, after.mean, after.stddev
        return float(((s2 / s1).log() + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 0.5).sum(dim=-1).mean())
    p, q = before.probs, after.probs
    return float((p * (p.log() - q.log())).sum(dim=-1).mean())


@pytest.mark.parametrize("continuous", [False, True], ids=["discrete", "continuous"])
@pytest.mark.parametrize(
    ("max_kl", "damping"), [(0.02, 0.1), (0.5, 1e-3)], ids=["as usual", "where the quadratic model is wrong"]
)
def test_no_step_exceeds_the_kl_limit(continuous: bool, max_kl: float, damping: float) -> None:
    config = replace(TINY, max_kl=max_kl, damping=damping)
    accepted, divergences = 0, []
    for seed in range(20):
        policy, batch = random_batch(continuous, seed)
        old = copy.deepcopy(policy)
        metrics = trpo.policy_step(policy, batch, batch.advantages, config)
        divergence = kl(old, policy, batch.obs)
        assert divergence <= max_kl * 1.001
        assert metrics["losses/approx_kl"].item() == pytest.approx(divergence, rel=1e-2, abs=1e-6)
        if metrics["charts/step_accepted"]:
            accepted += 1
            divergences.append(divergence)
            with torch.no_grad():
                ratio = (policy(batch.obs).log_prob(batch.actions) - batch.log_prob).exp()
            improvement = ((ratio - 1) * batch.advantages).mean().item()
            assert improvement > 0
            scale = batch.advantages.abs().mean().item()
            assert metrics["charts/surrogate_improvement"].item() == pytest.approx(improvement, abs=1e-4 * scale)
        else:
            assert torch.equal(weights(policy), weights(old))
    assert accepted >= 15
    assert max(divergences) > max_kl / 2  # and the limit is used: the steps are not merely small


@pytest.mark.parametrize("continuous", [False, True], ids=["discrete", "continuous"])
@pytest.mark.parametrize("advantage", [0.0, torch.nan], ids=["nothing to gain", "broken"])
def test_the_policy_stays_bit_for_bit_where_no_step_qualifies(continuous: bool, advantage: float) -> None:
    policy, batch = random_batch(continuous, 0)
    before = weights(policy)
    metrics = trpo.policy_step(policy, batch, torch.full((48,), advantage), TINY)
    assert torch.equal(weights(policy), before)
    assert metrics["charts/step_accepted"] == 0
    if advantage == 0:
        assert metrics["losses/approx_kl"].item() == pytest.approx(0, abs=1e-6)


def test_a_small_step_follows_the_natural_gradient() -> None:
    """One observation and a linear policy: F and g are small enough to be inverted as matrices."""
    torch.manual_seed(0)
    policy = CategoricalPolicy(2, 3, ())
    obs = torch.randn(100, 2)
    with torch.no_grad():
        distribution = policy(obs)
        actions = distribution.sample()
    batch = Batch(obs, actions, distribution.log_prob(actions).detach(), torch.randn(100), torch.zeros(100))
    config = replace(TINY, max_kl=1e-4, damping=1e-2, cg_iterations=50, cg_tolerance=1e-10)

    def scores(actions: Tensor) -> Tensor:  # [B, P]
        rows = (
            torch.autograd.grad(log_prob, list(policy.parameters()), retain_graph=True)
            for log_prob in policy(obs).log_prob(actions)
        )
        return torch.stack([torch.cat([gradient.flatten() for gradient in row]) for row in rows])

    gradient = (scores(actions) * batch.advantages[:, None]).mean(dim=0)
    fisher = 1e-2 * torch.eye(len(gradient))
    for action in range(3):
        score = scores(torch.full((100,), action))
        fisher += (score * distribution.probs[:, action, None]).T @ score / 100
    direction = torch.linalg.solve(fisher, gradient)
    expected = (2 * 1e-4 / (direction @ fisher @ direction)).sqrt() * direction

    before = weights(policy)
    trpo.policy_step(policy, batch, batch.advantages, config)
    torch.testing.assert_close(weights(policy) - before, expected, rtol=1e-2, atol=1e-5)


def test_the_policy_needs_no_optimizer_and_the_critic_takes_its_steps() -> None:
    step = Recorded(trpo.optim.gradient_step)
    metrics = trpo.train(TINY, gradient_step_fn=step).metrics
    assert all(isinstance(call.arguments[1], ValueNetwork) for call in step.calls)
    assert all(call.keywords == {"max_grad_norm": 0.5} for call in step.calls)
    losses = np.array([call.arguments[0].item() for call in step.calls]).reshape(3, TINY.critic_steps)
    np.testing.assert_allclose(metrics["losses/value_loss"], losses.mean(axis=1), rtol=1e-5)
    assert "charts/policy_lr" not in metrics


def test_the_config_reaches_every_part_of_the_step() -> None:
    """Parts that have a setting get it as it stands in the config, none as the package would have it."""
    policy, batch = random_batch(False, 3)
    config = replace(
        TINY, damping=0.37, cg_iterations=4, cg_tolerance=1e-3, max_kl=0.013, backtracks=6, shrink=0.61
    )  # fmt: skip
    product, solve, scale, search = (
        Recorded(getattr(trpo.natural_gradient, name))
        for name in ("fisher_vector_product", "conjugate_gradient", "step_scale", "line_search")
    )
    trpo.policy_step(
        policy, batch, batch.advantages, config, fisher_vector_product_fn=product, conjugate_gradient_fn=solve,
        step_scale_fn=scale, line_search_fn=search,
    )  # fmt: skip
    assert product.calls and all(call.keywords == {"damping": 0.37} for call in product.calls)
    assert [call.keywords for call in solve.calls] == [{"iterations": 4, "tolerance": 1e-3}]
    assert [call.keywords for call in scale.calls] == [{"max_kl": 0.013}]
    assert [call.keywords for call in search.calls] == [{"max_kl": 0.013, "backtracks": 6, "shrink": 0.61}]


def test_metrics_are_of_the_step_that_was_taken_and_of_the_critic_that_acted() -> None:
    """A line search that takes a tenth of the step: what is reported is of that tenth."""
    policy, batch = random_batch(False, 3)
    batch = batch._replace(advantages=batch.advantages / batch.advantages.std())
    batch = batch._replace(returns=batch.advantages + torch.linspace(-1, 5, len(batch.obs)))
    critic, old = ValueNetwork(3, (8,)), copy.deepcopy(policy)

    def tenth(policy: nn.Module, batch: Batch, advantages: Tensor, config: trpo.TRPOConfig) -> dict[str, Tensor]:
        return trpo.policy_step(policy, batch, advantages, config, line_search_fn=lambda evaluate, step, **_: step / 10)

    losses = Recorded(trpo.optim.gradient_step)
    optimizer = torch.optim.Adam(critic.parameters(), lr=0.1)
    metrics = trpo.update(policy, critic, optimizer, batch, TINY, policy_step_fn=tenth, gradient_step_fn=losses)
    with torch.no_grad():
        ratio = (policy(batch.obs).log_prob(batch.actions) - batch.log_prob).exp()
    advantages = (batch.advantages - batch.advantages.mean()) / batch.advantages.std(correction=0)
    values = torch.linspace(-1, 5, len(batch.obs))  # what the critic said while it acted, whatever it says now
    expected = {
        "losses/approx_kl": kl(old, policy, batch.obs),
        "charts/surrogate_improvement": float(((ratio - 1) * advantages).mean()),
        "losses/value_loss": np.mean([float(call.arguments[0].detach()) for call in losses.calls]),
        "losses/critic_grad_norm": np.mean([float(call.result) for call in losses.calls]),
        "losses/explained_variance": float(1 - (batch.returns - values).var() / batch.returns.var()),
        "charts/value_mean": float(values.mean()),
        "charts/return_mean": float(batch.returns.mean()),
        "charts/advantage_mean": float(batch.advantages.mean()),
        "charts/advantage_std": float(batch.advantages.std(correction=0)),
    }
    assert expected["charts/surrogate_improvement"] > 0
    for name, number in expected.items():
        assert float(metrics[name]) == pytest.approx(
            number, rel=2e-2 if name == "losses/approx_kl" else 1e-3, abs=1e-5
        ), name


def test_advantages_come_normalised_to_the_step() -> None:
    step = Recorded(trpo.policy_step)
    trpo.train(TINY, policy_step_fn=step)
    assert len(step.calls) == 3
    for call in step.calls:
        assert call.arguments[2].mean().abs() < 1e-5
        assert call.arguments[2].std(correction=0) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
def test_the_limit_holds_through_a_whole_run(env_id: str) -> None:
    """With normalised observations too: the statistics stand still between the old and the new policy."""
    config = replace(TINY, env_id=env_id, normalize_observations=True, normalize_rewards=True, total_timesteps=64 * 8)
    metrics = trpo.train(config).metrics
    assert len(metrics["losses/approx_kl"]) == 8
    assert metrics["losses/approx_kl"].max() <= config.max_kl * 1.0001
    assert metrics["charts/step_accepted"].mean() > 0.5
    assert metrics["losses/approx_kl"].max() > config.max_kl / 5
