"""Whole updates with another course of events, from which the wrong answers to baseline_update are built."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from pgcourse.checks.unit_01.reinforce_update import each_episode, standardize
from pgcourse.checks.unit_02.baseline_update_parts import Optimizer, Update, build, half_mean_square, policy_loss
from pgcourse.rollout import Episode


def joint(correction: int, *, detach: bool, policy_every_step: bool) -> Update:
    """Both losses summed, one backward, both optimisers step, `critic_steps` times."""

    def update(
        policy: nn.Module, critic: nn.Module, policy_optimizer: Optimizer, critic_optimizer: Optimizer,
        episodes: list[Episode], *, gamma: float, critic_steps: int,
    ) -> Any:  # fmt: skip
        obs, actions, _ = (torch.cat(column) for column in zip(*episodes, strict=True))
        returns = torch.cat(each_episode([episode.rewards for episode in episodes], gamma))
        value_losses: list[Tensor] = []
        first: Tensor | None = None
        for number in range(critic_steps):
            values = critic(obs)
            value_loss = half_mean_square(values, returns)
            total, with_policy = value_loss, policy_every_step or number == 0
            if with_policy:
                weights = standardize(returns - (values.detach() if detach else values), correction)
                loss = policy_loss(policy, obs, actions, weights)
                first = loss if first is None or policy_every_step else first
                total = total + loss
            policy_optimizer.zero_grad()
            critic_optimizer.zero_grad()
            total.backward()
            if with_policy:
                policy_optimizer.step()
            critic_optimizer.step()
            value_losses.append(value_loss)
        assert first is not None
        return first.item(), value_losses[-1].item()

    return update


def leaking(correction: int) -> Update:
    """Values not detached, the critic's gradient cleared before the policy's backward pass and not after."""

    def update(
        policy: nn.Module, critic: nn.Module, policy_optimizer: Optimizer, critic_optimizer: Optimizer,
        episodes: list[Episode], *, gamma: float, critic_steps: int,
    ) -> Any:  # fmt: skip
        obs, actions, _ = (torch.cat(column) for column in zip(*episodes, strict=True))
        returns = torch.cat(each_episode([episode.rewards for episode in episodes], gamma))
        policy_optimizer.zero_grad()
        critic_optimizer.zero_grad()
        loss = policy_loss(policy, obs, actions, standardize(returns - critic(obs), correction))
        loss.backward()
        policy_optimizer.step()
        for _ in range(critic_steps):
            value_loss = half_mean_square(critic(obs), returns)
            value_loss.backward()
            critic_optimizer.step()
            critic_optimizer.zero_grad()
        return loss.item(), value_loss.item()

    return update


def one_backward(correction: int, *, repeat_step: bool) -> Update:
    """Both losses summed, values not detached, one backward; the critic steps once, or `critic_steps` times along it."""

    def update(
        policy: nn.Module, critic: nn.Module, policy_optimizer: Optimizer, critic_optimizer: Optimizer,
        episodes: list[Episode], *, gamma: float, critic_steps: int,
    ) -> Any:  # fmt: skip
        one_step = joint(correction, detach=False, policy_every_step=False)
        modules = policy, critic, policy_optimizer, critic_optimizer
        losses = one_step(*modules, episodes, gamma=gamma, critic_steps=1)
        for _ in range(critic_steps - 1 if repeat_step else 0):
            critic_optimizer.step()
        return losses

    return update


def each_episode_alone(correction: int, *, standardised_together: bool) -> Update:
    """A whole update for every episode, one after the other."""

    def update(
        policy: nn.Module, critic: nn.Module, policy_optimizer: Optimizer, critic_optimizer: Optimizer,
        episodes: list[Episode], *, gamma: float, critic_steps: int,
    ) -> Any:  # fmt: skip
        returns = [each_episode([episode.rewards], gamma)[0] for episode in episodes]
        values = [critic(episode.obs).detach() for episode in episodes]
        together = standardize(torch.cat(returns) - torch.cat(values), correction).split([len(r) for r in returns])
        modules = policy, critic, policy_optimizer, critic_optimizer
        answer: Any = None
        for episode, weights in zip(episodes, together, strict=True):
            changes: dict[str, Any] = (
                {"scale_fn": lambda parts, c, weights=weights: weights} if standardised_together else {}
            )
            one = build(correction, **changes)
            answer = one(*modules, [episode], gamma=gamma, critic_steps=critic_steps)
        return answer

    return update


def predicted_once(correction: int, *, retain_graph: bool) -> Update:
    """The critic is asked once, before the loop that fits it."""

    def update(
        policy: nn.Module, critic: nn.Module, policy_optimizer: Optimizer, critic_optimizer: Optimizer,
        episodes: list[Episode], *, gamma: float, critic_steps: int,
    ) -> Any:  # fmt: skip
        obs, actions, _ = (torch.cat(column) for column in zip(*episodes, strict=True))
        returns = torch.cat(each_episode([episode.rewards for episode in episodes], gamma))
        values = critic(obs)
        loss = policy_loss(policy, obs, actions, standardize(returns - values.detach(), correction))
        policy_optimizer.zero_grad()
        loss.backward()
        policy_optimizer.step()
        value_loss = half_mean_square(values, returns)
        for _ in range(critic_steps):
            critic_optimizer.zero_grad()
            value_loss.backward(retain_graph=retain_graph)
            critic_optimizer.step()
        return loss.item(), value_loss.item()

    return update
