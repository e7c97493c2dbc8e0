"""Updates with exchangeable parts, from which the wrong answers to baseline_update are built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from pgcourse.checks.exercise import Misconception
from pgcourse.checks.unit_01.reinforce_update import each_episode, standardize
from pgcourse.rollout import Episode

Update = Callable[..., Any]
Optimizer = torch.optim.Optimizer


def over_the_batch(advantages: list[Tensor], correction: int) -> Tensor:
    """Right: all steps of all episodes together."""
    return standardize(torch.cat(advantages), correction)


def half_mean_square(values: Tensor, targets: Tensor) -> Tensor:
    """Right: the critic's loss."""
    return 0.5 * (values - targets).square().mean()


def policy_loss(policy: nn.Module, obs: Tensor, actions: Tensor, weights: Tensor) -> Tensor:
    """Right: minus the mean of weight times log-probability."""
    return -(weights * policy(obs).log_prob(actions)).mean()


def first_policy_last_value(policy_loss: Tensor, value_losses: list[Tensor], after: Tensor) -> Any:
    """Right: the policy's loss, and the loss that the critic's last step followed."""
    return policy_loss.item(), value_losses[-1].item()


def build(
    correction: int,
    *,
    returns_fn: Callable[[list[Tensor], float], list[Tensor]] = each_episode,
    advantage_fn: Callable[[Tensor, Tensor], Tensor] = lambda returns, values: returns - values,
    scale_fn: Callable[[list[Tensor], int], Tensor] = over_the_batch,
    target_fn: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda returns, advantages, weights: returns,
    policy_loss_fn: Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor] = policy_loss,
    value_loss_fn: Callable[[Tensor, Tensor], Tensor] = half_mean_square,
    critic_first: bool = False,
    clear_policy: bool = True,
    clear_critic: bool = True,
    clear_critic_once: bool = False,
    backward: bool = True,
    policy_steps: int = 1,
    steps_of_critic: Callable[[int], int] = lambda critic_steps: critic_steps,
    critic_backward: bool = True,
    critic_step: bool = True,
    max_norm: float | None = None,
    clipped: tuple[str, ...] = ("policy", "critic"),
    answer: Callable[[Tensor, list[Tensor], Tensor], Any] = first_policy_last_value,
) -> Update:
    """An update with the given parts; the defaults are right."""

    def step(loss: Tensor, module: nn.Module, optimizer: Optimizer, name: str) -> None:
        loss.backward()
        if max_norm is not None and name in clipped:
            nn.utils.clip_grad_norm_(module.parameters(), max_norm)
        optimizer.step()

    def update(
        policy: nn.Module, critic: nn.Module, policy_optimizer: Optimizer, critic_optimizer: Optimizer,
        episodes: list[Episode], *, gamma: float, critic_steps: int,
    ) -> Any:  # fmt: skip
        obs, actions, _ = (torch.cat(column) for column in zip(*episodes, strict=True))
        lengths = [len(episode.rewards) for episode in episodes]
        returns = torch.cat(returns_fn([episode.rewards for episode in episodes], gamma))
        value_losses: list[Tensor] = []

        def fit(targets: Tensor) -> None:
            if clear_critic_once:
                critic_optimizer.zero_grad()
            for _ in range(steps_of_critic(critic_steps)):
                loss = value_loss_fn(critic(obs), targets)
                value_losses.append(loss.detach())
                if clear_critic:
                    critic_optimizer.zero_grad()
                if critic_step:
                    step(loss, critic, critic_optimizer, "critic")
                elif critic_backward:
                    loss.backward()

        if critic_first:
            fit(returns)
        advantages = advantage_fn(returns, critic(obs).detach())
        weights = scale_fn(list(advantages.split(lengths)), correction)
        for _ in range(policy_steps):
            loss = policy_loss_fn(policy, obs, actions, weights)
            if clear_policy:
                policy_optimizer.zero_grad()
            if backward:
                step(loss, policy, policy_optimizer, "policy")
        if not critic_first:
            fit(target_fn(returns, advantages, weights))
        return answer(loss.detach(), value_losses, value_loss_fn(critic(obs), returns).detach())

    return update


def named(id: str, explanation: str, *makers: Callable[[int], Update]) -> Misconception:
    """A misconception from builders of updates, each for both standard deviations."""
    wrong, *variants = (make(correction) for make in makers for correction in (0, 1))
    return Misconception(id, explanation, wrong, tuple(variants))


def mistake(id: str, explanation: str, *more: dict[str, Any], **changes: Any) -> Misconception:
    """A misconception from the changed parts; `more` are further spellings."""
    return named(id, explanation, *(lambda c, change=change: build(c, **change) for change in (changes, *more)))
