"""A2C: one step on fresh data, each part of it against a gradient worked out another way."""

import copy
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pgcourse import a2c, optim
from pgcourse.envs import ShortCorridorVectorEnv
from pgcourse.envs.corridor import BEST_RIGHT_PROBABILITY, exact_value
from pgcourse.networks import CategoricalPolicy, ValueNetwork
from pgcourse.rollout import Batch
from tests.recording import Recorded

TINY = replace(
    a2c.CARTPOLE, num_envs=4, num_steps=8, num_episodes=None, total_timesteps=32 * 5, hidden_sizes=(8,),
    normalize_advantages=False, anneal_lr=False,
)  # fmt: skip


def random_batch(rows: int = 40) -> tuple[CategoricalPolicy, ValueNetwork, Batch]:
    torch.manual_seed(0)
    policy, critic = CategoricalPolicy(3, 4, (5,)), ValueNetwork(3, (5,))
    with torch.no_grad():
        for parameter in policy.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
    obs = torch.randn(rows, 3)
    actions = torch.randint(0, 4, (rows,))
    log_prob = policy(obs).log_prob(actions).detach()
    return policy, critic, Batch(obs, actions, log_prob, 1 + 2 * torch.randn(rows), 3 * torch.randn(rows))


def moved(network: nn.Module, after: nn.Module) -> Tensor:
    before = nn.utils.parameters_to_vector(network.parameters())
    return (nn.utils.parameters_to_vector(after.parameters()) - before).detach()


def one_update(config: a2c.A2CConfig, batch: Batch, *networks: nn.Module, **seams: Any) -> tuple[Tensor, Tensor, dict]:
    """How far policy and critic move in one update with plain gradient descent and a rate of 1."""
    policy, critic = (copy.deepcopy(network) for network in networks)
    optimizers = (torch.optim.SGD(network.parameters(), lr=1.0) for network in (policy, critic))
    metrics = a2c.update(policy, critic, *optimizers, batch, config, **seams)  # type: ignore[misc]
    return moved(networks[0], policy), moved(networks[1], critic), metrics


@pytest.mark.parametrize("ent_coef", [0.0, 0.3])
def test_the_policy_climbs_advantage_and_entropy(ent_coef: float) -> None:
    """The gradient at the logits by hand: A (onehot - p) / B for the score, and -p (log p + H) / B for the entropy."""
    policy, critic, batch = random_batch()
    step, _, metrics = one_update(replace(TINY, ent_coef=ent_coef, max_grad_norm=None), batch, policy, critic)

    logits = policy.logits(batch.obs)
    p = logits.detach().softmax(dim=-1)
    entropy = -(p * p.log()).sum(dim=-1, keepdim=True)
    at_logits = batch.advantages[:, None] * (torch.eye(4)[batch.actions] - p) - ent_coef * p * (p.log() + entropy)
    expected = torch.autograd.grad(logits, list(policy.parameters()), grad_outputs=at_logits / len(p))
    torch.testing.assert_close(step, torch.cat([g.flatten() for g in expected]), rtol=1e-4, atol=1e-6)
    assert metrics["losses/entropy"].item() == pytest.approx(entropy.mean().item(), rel=1e-5)
    assert metrics["losses/policy_loss"].item() == pytest.approx(
        -(batch.advantages * p[torch.arange(40), batch.actions].log()).mean().item(), rel=1e-5
    )  # without the bonus, so that runs with different ones can be compared


def test_the_critic_descends_half_the_squared_error() -> None:
    policy, critic, batch = random_batch()
    _, step, metrics = one_update(replace(TINY, max_grad_norm=None), batch, policy, critic)
    values = critic(batch.obs)
    error = (batch.returns - values).detach()
    expected = torch.autograd.grad(values, list(critic.parameters()), grad_outputs=error / len(error))
    torch.testing.assert_close(step, torch.cat([g.flatten() for g in expected]), rtol=1e-4, atol=1e-6)
    assert metrics["losses/value_loss"].item() == pytest.approx(0.5 * (error**2).mean().item(), rel=1e-5)


def test_diagnostics_are_of_the_batch_as_it_came_and_of_the_critic_before_its_step() -> None:
    policy, critic, batch = random_batch()
    with torch.no_grad():
        values = critic(batch.obs)
    _, _, metrics = one_update(replace(TINY, normalize_advantages=True), batch, policy, critic)
    expected = {
        "losses/explained_variance": 1 - (batch.returns - values).var() / batch.returns.var(),
        "charts/value_mean": values.mean(),
        "charts/return_mean": batch.returns.mean(),
        "charts/advantage_mean": batch.advantages.mean(),
        "charts/advantage_std": batch.advantages.std(correction=0),
    }
    assert len({round(float(number), 3) for number in expected.values()}) == 5, "no two could be exchanged"
    for name, number in expected.items():
        assert float(metrics[name]) == pytest.approx(float(number), rel=1e-4, abs=1e-6), name


def test_advantages_are_used_as_they_are_unless_asked() -> None:
    policy, critic, batch = random_batch()
    loss = Recorded(a2c.losses.reinforce_loss)
    for normalized in (False, True):
        one_update(replace(TINY, normalize_advantages=normalized), batch, policy, critic, policy_loss_fn=loss)
    raw, normal = (call.arguments[1] for call in loss.calls)
    assert torch.equal(raw, batch.advantages)
    assert normal.mean().abs() < 1e-6 and normal.std(correction=0) == pytest.approx(1.0, abs=1e-5)


def test_an_entropy_bonus_alone_leads_to_uniform_actions() -> None:
    policy, critic, batch = random_batch()
    batch = batch._replace(advantages=torch.zeros(40))
    optimizers = [torch.optim.Adam(network.parameters(), lr=0.05) for network in (policy, critic)]
    for _ in range(100):
        metrics = a2c.update(policy, critic, *optimizers, batch, replace(TINY, ent_coef=1.0))
    assert metrics["losses/entropy"].item() == pytest.approx(np.log(4), abs=0.01)


def test_every_update_is_one_step_on_the_policy_that_acted() -> None:
    """The log-probabilities stored while collecting are those of the policy that is updated, bit for bit but rounding."""
    step = Recorded(optim.actor_critic_step)
    ratios: list[Tensor] = []

    def update(policy: nn.Module, *rest: Any, **seams: Any) -> dict[str, Tensor]:
        batch = rest[3]
        assert len(batch.obs) == TINY.batch_size == 32
        ratios.append((policy(batch.obs).log_prob(batch.actions) - batch.log_prob).exp().detach())
        return a2c.update(policy, *rest, **seams)

    result = a2c.train(replace(TINY, normalize_observations=True), gradient_step_fn=step, update_fn=update)
    assert len(step.calls) == len(ratios) == len(result.metrics["losses/policy_loss"]) == 5
    torch.testing.assert_close(torch.cat(ratios), torch.ones(5 * 32), rtol=0, atol=1e-5)


def test_online_the_advantage_is_the_one_step_td_error() -> None:
    """One environment, one step, lambda 0: A = r + gamma V(s') (1 - terminated) - V(s), and the target is A + V(s)."""
    collect, update = Recorded(a2c.collect_rollout), Recorded(a2c.update)
    config = replace(a2c.ONLINE, num_episodes=None, total_timesteps=60, hidden_sizes=(8,))
    a2c.train(config, collect_fn=collect, update_fn=update)
    rollouts, batches = [call.result[0] for call in collect.calls], [call.arguments[4] for call in update.calls]
    assert len(batches) == 60
    assert sum(bool(rollout.terminated) for rollout in rollouts) >= 1
    for rollout, batch in zip(rollouts, batches, strict=True):
        assert rollout.rewards.shape == (1, 1)
        future = 0.0 if rollout.terminated else 0.99 * rollout.next_values.item()
        assert batch.advantages.item() == pytest.approx(1 + future - rollout.values.item(), abs=1e-5)
        assert batch.returns.item() == pytest.approx(1 + future, abs=1e-5)


def test_rollouts_go_on_where_the_last_one_ended() -> None:
    """The first observation of a rollout is what follows the last row of the one before."""
    collect = Recorded(a2c.collect_rollout)
    a2c.train(TINY, collect_fn=collect)
    for before, after in pairwise(collect.calls):
        rollout, _ = after.result
        assert torch.equal(before.result[1], after.arguments[3])
        assert torch.equal(rollout.obs[0], after.arguments[3])


# Learning.


def test_in_the_corridor_it_finds_a_stochastic_policy_near_the_best() -> None:
    """From going right with probability 0.1 (a value of -42) to within 4 % of the best value, -11.66 at 0.586."""
    policy = CategoricalPolicy(1, 2, ())
    with torch.no_grad():
        policy.logits[0].weight.zero_()
        policy.logits[0].bias.copy_(torch.tensor([0.9, 0.1]).log())
    config = replace(
        a2c.CARTPOLE, num_envs=32, num_steps=16, num_episodes=None, total_timesteps=512 * 80, gamma=1.0, gae_lambda=1.0,
        ent_coef=0.0, policy_lr=2e-2, critic_lr=5e-2, normalize_advantages=True, hidden_sizes=(), env_id="ShortCorridor-v0",
    )  # fmt: skip
    result = a2c.train(config, policy=policy, envs=ShortCorridorVectorEnv(32))
    right = result.policy(torch.ones(1, 1)).probs[0, 1].item()
    assert right == pytest.approx(BEST_RIGHT_PROBABILITY, abs=0.1)
    assert exact_value(0.1) == pytest.approx(-42.2, abs=0.1)
    assert exact_value(right) > 1.04 * exact_value(BEST_RIGHT_PROBABILITY)
