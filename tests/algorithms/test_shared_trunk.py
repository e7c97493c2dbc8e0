"""A policy and a critic that share their hidden layers: one optimiser, one loss, one clip, in A2C and PPO."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pgcourse import Checkpoint, load, optim
from pgcourse.networks import (
    Categorical,
    CategoricalPolicy,
    ConvolutionalCritic,
    ConvolutionalPolicy,
    GaussianPolicy,
    ValueNetwork,
    share_trunk,
)
from pgcourse.normalization import ObservationNorm
from pgcourse.rollout import collect_rollout
from tests.algorithms.test_every_algorithm import TINY, train
from tests.algorithms.test_resume import CONFIGS, same, stopped_and_resumed
from tests.recording import refused

SHARED: dict[str, Any] = {name: replace(TINY[name], shared_trunk=True, vf_coef=0.5) for name in ("a2c", "ppo")}


class TwoHeads(nn.Module):
    """A learner's own: a trunk with a normalisation, and two views of it."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(ObservationNorm(4), nn.Linear(4, 8), nn.Tanh())
        self.logits, self.values = nn.Linear(8, 2), nn.Linear(8, 1)

    def policy(self) -> nn.Module:
        return View(self.trunk, self.logits)

    def critic(self) -> nn.Module:
        return View(self.trunk, self.values)


class View(nn.Module):
    def __init__(self, trunk: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head

    def forward(self, obs: Tensor) -> Any:
        out = self.head(self.trunk(obs))
        return Categorical(out) if self.head.out_features > 1 else out.squeeze(-1)


def parameters(*networks: nn.Module) -> list[nn.Parameter]:
    return list(nn.ModuleList(networks).parameters())


def tied(policy: nn.Module, critic: nn.Module) -> int:
    """How many parameters both have."""
    return len({id(p) for p in policy.parameters()} & {id(p) for p in critic.parameters()})


@pytest.fixture
def networks() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    policy, critic = CategoricalPolicy(4, 2, (8, 8)).double(), ValueNetwork(4, (8, 8)).double()
    share_trunk(policy, critic)
    return policy, critic


def losses(policy: nn.Module, critic: nn.Module) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    obs = torch.randn(16, 4, generator=generator, dtype=torch.float64)
    log_prob = policy(obs).log_prob(torch.zeros(16, dtype=torch.int64))
    weight = torch.randn(16, generator=generator, dtype=torch.float64)
    return -(log_prob * weight).mean(), 0.5 * (critic(obs) - 5).square().mean()


# The networks.


@pytest.mark.parametrize(
    ("policy", "critic", "shared", "heads"),
    [
        (CategoricalPolicy(4, 2, (8, 6)), ValueNetwork(4, (8, 6)), 4, (2, 2)),
        (GaussianPolicy(3, 1, (8,)), ValueNetwork(3, (8,)), 2, (3, 2)),  # log_std is the policy's own
        (ConvolutionalPolicy((6, 6, 1), 3), ConvolutionalCritic((6, 6, 1)), 6, (2, 2)),
    ],
    ids=["discrete", "continuous", "images"],
)
def test_all_but_the_heads_is_shared(policy: Any, critic: Any, shared: int, heads: tuple[int, int]) -> None:
    obs = torch.rand(
        5, *(policy.convolutions.obs_shape if hasattr(policy, "convolutions") else (policy.arguments["obs_dim"],))
    )
    share_trunk(policy, critic)
    assert tied(policy, critic) == shared
    assert tuple(len(list(network.parameters())) - shared for network in (policy, critic)) == heads
    assert critic(obs).shape == (5,)
    with torch.no_grad():
        before = critic(obs)
        next(policy.parameters() if heads[0] == 2 else policy.mean.parameters()).add_(1)
    assert not torch.equal(critic(obs), before)


def test_a_run_begins_with_the_policy_that_it_has_with_separate_networks() -> None:
    start = []
    for config in (SHARED["ppo"], replace(SHARED["ppo"], shared_trunk=False)):
        kept: list[Any] = []

        def collect(policy: nn.Module, critic: nn.Module, *others: Any, kept: list[Any] = kept) -> Any:
            kept.append(({k: v.clone() for k, v in policy.state_dict().items()}, critic.values[-1].weight.clone()))
            return collect_rollout(policy, critic, *others)

        train(config, collect_fn=collect, on_iteration=lambda progress: True)
        start.append(kept[0])
    assert all(torch.equal(start[0][0][name], weights) for name, weights in start[1][0].items())
    assert torch.equal(start[0][1], start[1][1])


# The step.


def test_the_step_follows_the_gradient_of_the_sum_of_both_losses(networks: Any) -> None:
    """By hand: one backward pass over the joint loss, every parameter moved once by the rate times its gradient."""
    both = parameters(*networks)
    start = [parameter.detach().clone() for parameter in both]
    policy_loss, value_loss = losses(*networks)
    (policy_loss + 0.3 * value_loss).backward()
    expected = [old - 0.1 * parameter.grad for old, parameter in zip(start, both, strict=True)]
    optimizer = torch.optim.SGD(both, lr=0.1)
    policy_loss, value_loss = losses(*networks)
    optim.actor_critic_step(policy_loss, 0.3 * value_loss, *networks, optimizer, optimizer, max_grad_norm=None)
    for parameter, value in zip(both, expected, strict=True):
        torch.testing.assert_close(parameter.detach(), value, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("limit", [1e-3, 1e6])
def test_the_whole_gradient_is_clipped_by_one_norm(networks: Any, limit: float) -> None:
    both = parameters(*networks)
    start = [parameter.detach().clone() for parameter in both]
    policy_loss, value_loss = losses(*networks)
    whole = torch.autograd.grad(policy_loss + value_loss, both, retain_graph=True)
    norm = torch.cat([gradient.flatten() for gradient in whole]).norm()
    optimizer = torch.optim.SGD(both, lr=1.0)
    optim.actor_critic_step(policy_loss, value_loss, *networks, optimizer, optimizer, max_grad_norm=limit)
    moved = torch.cat([(parameter - old).flatten() for parameter, old in zip(both, start, strict=True)])
    assert float(moved.norm()) == pytest.approx(min(limit, float(norm)), rel=1e-3)
    expected = -torch.cat([gradient.flatten() for gradient in whole]) * min(1.0, limit / float(norm))
    torch.testing.assert_close(moved, expected, rtol=1e-3, atol=1e-9)


def test_the_metrics_are_those_of_each_losss_own_gradient(networks: Any) -> None:
    both = parameters(*networks)
    trunk = len(both) - 4  # weights and biases of two heads
    policy_loss, value_loss = losses(*networks)
    own = [torch.autograd.grad(loss, both, retain_graph=True, allow_unused=True) for loss in (policy_loss, value_loss)]
    of_policy, of_value = (
        torch.cat(
            [torch.zeros_like(p).flatten() if g is None else g.flatten() for p, g in zip(both, gradients, strict=True)]
        )
        for gradients in own
    )
    inner = sum(p.numel() for p in both[:trunk])
    optimizer = torch.optim.SGD(both, lr=0.1)
    found = optim.actor_critic_step(policy_loss, value_loss, *networks, optimizer, optimizer, max_grad_norm=0.01)
    lengths = float(of_policy[:inner].norm()), float(of_value[:inner].norm())
    cosine = float(of_policy[:inner] @ of_value[:inner]) / lengths[0] / lengths[1]
    expected = [float(of_policy.norm()), float(of_value.norm()), lengths[1] / sum(lengths), cosine]
    assert [float(number) for number in found] == pytest.approx(expected, rel=1e-9)


def test_without_weight_the_value_loss_leaves_the_trunk_to_the_policy(networks: Any) -> None:
    both = parameters(*networks)
    start = [parameter.detach().clone() for parameter in both]
    steps = []
    for with_value in (False, True):
        with torch.no_grad():
            for parameter, old in zip(both, start, strict=True):
                parameter.copy_(old)
        optimizer = torch.optim.SGD(both, lr=0.1)
        policy_loss, value_loss = losses(*networks)
        if with_value:
            found = optim.actor_critic_step(
                policy_loss, 0.0 * value_loss, *networks, optimizer, optimizer, max_grad_norm=None
            )
        else:
            optim.gradient_step(policy_loss, networks[0], optimizer, max_grad_norm=None)
        steps.append([parameter.detach().clone() for parameter in both])
    assert all(torch.equal(alone, together) for alone, together in zip(*steps, strict=True))
    assert float(found[2]) == 0 and float(found[3]) == 0  # and no NaN of 0 / 0, which would end the run


@pytest.mark.parametrize("name", SHARED)
def test_the_smaller_the_weight_the_more_the_trunk_moves_as_with_the_policy_alone(name: str) -> None:
    """The first update from the same start: the distance to the update of weight 0 falls with the weight."""

    def trunk(vf_coef: float) -> Tensor:
        config = replace(SHARED[name], vf_coef=vf_coef, max_grad_norm=None)
        result = train(config, on_iteration=lambda progress: True, optimizer_fn=torch.optim.SGD)
        return torch.cat([p.detach().flatten() for p in list(result.policy.parameters())[:-2]])

    alone = trunk(0.0)
    distances = [float((trunk(weight) - alone).norm()) for weight in (1.0, 0.1, 0.01, 0.001)]
    assert all(small < 0.2 * large for large, small in pairwise(distances))


# Whole runs.


@pytest.mark.parametrize("name", SHARED)
def test_one_optimiser_has_every_parameter_once_and_the_policys_rate(name: str) -> None:
    made: list[torch.optim.Optimizer] = []

    def optimizer_fn(given: Any, learning_rate: float) -> torch.optim.Optimizer:
        made.append(optim.adam(given, learning_rate))
        return made[-1]

    config = replace(SHARED[name], anneal_lr=True, policy_lr=0.008, critic_lr=0.04)
    result = train(config, optimizer_fn=optimizer_fn)
    assert result.critic is not None and tied(result.policy, result.critic) == 2
    held = [id(parameter) for group in made[-1].param_groups for parameter in group["params"]]
    assert sorted(held) == sorted({id(p) for p in parameters(result.policy, result.critic)})
    np.testing.assert_allclose(result.metrics["charts/policy_lr"], [0.008, 0.006, 0.004, 0.002], rtol=1e-5)
    assert "charts/critic_lr" not in result.metrics


@pytest.mark.parametrize("name", SHARED)
def test_the_trunks_metrics_are_there_only_where_there_is_a_trunk(name: str) -> None:
    shared, separate = train(SHARED[name]).metrics, train(TINY[name]).metrics
    assert set(shared) - set(separate) == {"losses/trunk_value_share", "losses/trunk_cosine"}
    share, cosine = shared["losses/trunk_value_share"], shared["losses/trunk_cosine"]
    assert len(share) == 4 and (share > 0.5).all() and (share < 1).all()  # returns of 10 against advantages of 1
    assert (np.abs(cosine) <= 1).all()


@pytest.mark.parametrize("name", SHARED)
def test_a_saved_run_comes_back_with_its_trunk(name: str, tmp_path: Path) -> None:
    result = train(SHARED[name])
    again = load(result.save(tmp_path))
    assert again.critic is not None and tied(again.policy, again.critic) == 2
    obs = torch.randn(7, 4)
    assert torch.equal(again.policy(obs).logits, result.policy(obs).logits)
    assert result.critic is not None and torch.equal(again.critic(obs), result.critic(obs))
    train(SHARED[name], policy=again.policy, critic=again.critic)  # and can be trained on


@pytest.mark.parametrize("name", SHARED)
def test_a_run_goes_on_from_its_checkpoint_bit_for_bit(name: str, tmp_path: Path) -> None:
    config = replace(CONFIGS[name], shared_trunk=True, vf_coef=0.1)
    assert same(train(config), stopped_and_resumed(config, tmp_path, after=3))
    with refused("shared_trunk=False is given, but the checkpoint was made with shared_trunk=True"):
        train(replace(config, shared_trunk=False), checkpoint=Checkpoint(tmp_path, resume=True))


@pytest.mark.parametrize("name", SHARED)
def test_networks_of_ones_own_may_share_a_trunk(name: str, tmp_path: Path) -> None:
    own, steps = TwoHeads(), 64 * 4
    result = train(SHARED[name], policy=own.policy(), critic=own.critic())
    assert result.policy.trunk is own.trunk and result.critic.trunk is own.trunk
    assert int(own.trunk[0].count) == steps  # each observation once, not once a head
    fresh = TwoHeads()
    again = load(result.save(tmp_path), policy=fresh.policy(), critic=fresh.critic())
    assert torch.equal(again.policy(torch.ones(1, 4)).logits, result.policy(torch.ones(1, 4)).logits)


# What does not go together.


@pytest.mark.parametrize("name", SHARED)
def test_what_does_not_go_together_is_one_line(name: str) -> None:
    own = TwoHeads()
    with refused(
        "policy and critic share 2 parameters .*; set shared_trunk=True, or give each network layers of its own"
    ):
        train(TINY[name], policy=own.policy(), critic=own.critic())
    with refused(
        "shared_trunk=True, but policy and critic share no parameter; .* build your policy and critic on the same"
    ):
        train(SHARED[name], policy=own.policy(), critic=TwoHeads().critic())
    with refused("shared_trunk=True, but policy and critic share no parameter; give hidden_sizes at least one layer"):
        train(replace(SHARED[name], hidden_sizes=()))
    with refused(
        "shared_trunk=True with a policy of your own alone; give policy and critic, built on one trunk, or neither"
    ):
        train(SHARED[name], policy=own.policy())
    with refused("shared_trunk=True with a critic of your own alone"):
        train(SHARED[name], critic=own.critic())
    with refused("vf_coef=-0.5 is not allowed; use a number of at least 0"):
        replace(SHARED[name], vf_coef=-0.5)


def test_networks_of_their_own_with_one_optimiser_are_clipped_by_one_norm_too() -> None:
    """As in CleanRL's ppo.py, which has no trunk: its share is 0, and no division by nothing ends the run."""
    torch.manual_seed(0)
    policy, critic = CategoricalPolicy(4, 2, (8,)).double(), ValueNetwork(4, (8,)).double()
    optimizer = torch.optim.SGD(parameters(policy, critic), lr=0.1)
    found = optim.actor_critic_step(*losses(policy, critic), policy, critic, optimizer, optimizer, max_grad_norm=0.5)
    assert float(found[0]) > 0 and float(found[1]) > 0 and float(found[2]) == 0 and float(found[3]) == 0
