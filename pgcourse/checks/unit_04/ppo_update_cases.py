"""Inputs of ppo_update: values with SGD and one full batch, properties with several minibatches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from pgcourse.checks.cases import generator, integers, normal
from pgcourse.checks.observe.networks import LinearCritic, LinearPolicy
from pgcourse.checks.observe.record import Case
from pgcourse.diagnostics import approx_kl
from pgcourse.rollout import Batch

SETTINGS: Case = {
    "clip_coef": 0.2,
    "ent_coef": 0.0,
    "update_epochs": 4,
    "target_kl": None,
    "max_grad_norm": 0.5,
    "learning_rate": 1.0,
    "critic_learning_rate": 0.1,
}
STOPPING_SEED = 21  # of a batch on which the plain KL estimate is negative while the policy moves away steadily


def cases_for(update: Callable[..., Any]) -> Callable[[int], Iterator[Case]]:
    """The exercise's cases. `update`: a right one, asked for the divergence after each epoch of the stopping case."""

    def cases(seed: int) -> Iterator[Case]:
        yield _by_hand()
        source = generator(seed)
        # Steps long enough to leave the interval, and gradients of both networks above max_grad_norm. A fixed batch: on
        # some the rows leave an interval of 0.1 and one of 0.2 alike, and clip_coef would not show.
        yield _random(generator(0), 12, ent_coef=0.1, max_grad_norm=0.25, learning_rate=6.0, clip_coef=0.1)
        yield _random(source, 9, dtype=torch.float64, ent_coef=0.3, max_grad_norm=50.0, update_epochs=3)
        yield _stopping(update)
        # With an entropy bonus every row has a gradient, clipped or not.
        several: Case = {"minibatch_size": 3, "look_at": "rows", "ent_coef": 0.01, "update_epochs": 3}
        yield _random(source, 8, learning_rate=0.1, **several)
        yield _random(source, 8, learning_rate=3.0, max_grad_norm=5.0, target_kl=1e-4, **several)
        yield _equal_rows(source)
        yield _frozen(source, above=True)
        yield _frozen(generator(2), above=False)

    return cases


def _by_hand() -> Case:
    return {
        **SETTINGS,
        "update_epochs": 1,
        "minibatch_size": 2,
        "max_grad_norm": 10.0,
        "policy_weight": torch.zeros(2, 1),
        "policy_bias": torch.zeros(2),
        "critic_weight": torch.zeros(1),
        "critic_bias": torch.tensor(0.0),
        "obs": torch.tensor([[1.0], [2.0]]),
        "actions": torch.tensor([0, 1]),
        "log_prob": torch.full((2,), 0.5).log(),
        "advantages": torch.tensor([1.0, 3.0]),
        "returns": torch.tensor([1.0, 3.0]),
        "seed": 0,
        "look_at": "weights",
    }


def _random(source: torch.Generator, size: int, *, dtype: torch.dtype = torch.float32, **changes: Any) -> Case:
    obs_dim, num_actions = 2, 3
    weight, bias = (
        normal(source, num_actions, obs_dim, dtype=dtype) * 0.5,
        normal(source, num_actions, dtype=dtype) * 0.5,
    )
    obs, actions = normal(source, size, obs_dim, dtype=dtype), integers(source, num_actions, size)
    return {
        **SETTINGS,
        "minibatch_size": size,
        "policy_weight": weight,
        "policy_bias": bias,
        "critic_weight": normal(source, obs_dim, dtype=dtype),
        "critic_bias": normal(source, 1, dtype=dtype)[0],
        "obs": obs,
        "actions": actions,
        "log_prob": _log_prob(weight, bias, obs, actions),
        "advantages": normal(source, size, dtype=dtype) * 3 + 1,
        "returns": normal(source, size, dtype=dtype) * 2 + 4,
        "seed": int(integers(source, 2**31)),
        "look_at": "weights",
        **changes,
    }


def _log_prob(weight: Tensor, bias: Tensor, obs: Tensor, actions: Tensor) -> Tensor:
    with torch.no_grad():
        return LinearPolicy(weight, bias)(obs).log_prob(actions)


def _stopping(update: Callable[..., Any]) -> Case:
    """A target between the divergences after the second and after the third of six epochs."""
    case = _random(generator(STOPPING_SEED), 12, update_epochs=6, learning_rate=0.5, max_grad_norm=5.0, clip_coef=0.3)
    after = [divergence(update, case, epochs) for epochs in (2, 3)]
    return {**case, "target_kl": float((after[0] * after[1]) ** 0.5)}


def divergence(update: Callable[..., Any], case: Case, epochs: int) -> float:
    """KL estimate of the whole batch after so many epochs of a right update."""
    policy = LinearPolicy(case["policy_weight"], case["policy_bias"])
    critic = LinearCritic(case["critic_weight"], case["critic_bias"])
    optimizers = (
        torch.optim.SGD(policy.parameters(), lr=case["learning_rate"]),
        torch.optim.SGD(critic.parameters(), lr=case["critic_learning_rate"]),
    )
    batch = Batch(*(case[name] for name in Batch._fields))
    names = ("clip_coef", "ent_coef", "minibatch_size", "max_grad_norm")
    settings = {name: case[name] for name in names} | {"update_epochs": epochs, "target_kl": None}
    update(policy, critic, *optimizers, batch, **settings, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return float(approx_kl(policy(batch.obs).log_prob(batch.actions), batch.log_prob))


def _equal_rows(source: torch.Generator) -> Case:
    """Rows that differ in nothing but the advantage.

    Their scores are equal, so advantages of mean 0 cancel: normalised within each minibatch, they leave the policy
    where it is, whatever the shuffle.
    """
    case = _random(source, 8, minibatch_size=4, look_at="stillness", update_epochs=2, max_grad_norm=5.0)
    case |= {"policy_weight": torch.zeros_like(case["policy_weight"]), "policy_bias": torch.zeros(3)}
    obs, actions = case["obs"][:1].expand(8, -1).clone(), case["actions"][:1].expand(8).clone()
    advantages = 2.0 ** torch.arange(8)  # no four of them have the mean of all eight
    log_prob = _log_prob(case["policy_weight"], case["policy_bias"], obs, actions)
    return {**case, "obs": obs, "actions": actions, "log_prob": log_prob, "advantages": advantages}


def _frozen(source: torch.Generator, *, above: bool) -> Case:
    """A policy that has moved already and stays put; one row carries most of the divergence.

    `above`: whether the target lies above the batch's divergence (all epochs run) or below (the first is the last).
    """
    case = _random(source, 12, minibatch_size=3, look_at="metrics", clip_coef=0.3, learning_rate=0.0)
    # As factors of the old probability: none on the interval's edge.
    ratio = torch.tensor([1.0, 1.1, 0.85, 1.5, 0.95, 1.2, 0.5, 1.05, 1.0, 0.9, 1.15, 8.0])
    log_prob = case["log_prob"] - ratio[torch.randperm(12, generator=source)].log()
    target = float(approx_kl(case["log_prob"], log_prob)) * (1.1 if above else 0.9)
    epochs = 2 if above else 4
    return {**case, "log_prob": log_prob, "critic_learning_rate": 0.0, "target_kl": target, "update_epochs": epochs}
