"""Right answers to baseline_update in other styles."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pgcourse.returns import discounted_returns
from pgcourse.rollout import Episode

Optimizer = torch.optim.Optimizer


def _joined(episodes: list[Episode], gamma: float) -> tuple[Tensor, Tensor, Tensor]:
    obs, actions, _ = (torch.cat(column) for column in zip(*episodes, strict=True))
    return obs, actions, torch.cat([discounted_returns(episode.rewards, gamma=gamma) for episode in episodes])


def _standardised(x: Tensor, correction: int) -> Tensor:
    return (x - x.mean()) / (x.std(correction=correction) + 1e-8)


def unbiased(
    policy: nn.Module, critic: nn.Module, policy_optimizer: Optimizer, critic_optimizer: Optimizer,
    episodes: list[Episode], *, gamma: float, critic_steps: int,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The standard deviation divided by B - 1; losses as 0-d tensors."""
    obs, actions, returns = _joined(episodes, gamma)
    weights = _standardised(returns - critic(obs).detach(), 1)
    policy_loss = -(weights * policy(obs).log_prob(actions)).mean()
    policy_optimizer.zero_grad()
    policy_loss.backward()
    policy_optimizer.step()
    for _ in range(critic_steps):
        critic_optimizer.zero_grad()
        loss = (critic(obs) - returns).square().mean() / 2
        loss.backward()
        critic_optimizer.step()
    return policy_loss.detach(), loss.detach()


def step_by_step(
    policy: nn.Module, critic: nn.Module, policy_optimizer: Optimizer, critic_optimizer: Optimizer,
    episodes: list[Episode], *, gamma: float, critic_steps: int,
) -> tuple[float, float]:  # fmt: skip
    """Loops over Python numbers; gradients cleared after each step."""
    returns: list[float] = []
    for _, _, rewards in episodes:
        tail = rewards.tolist()
        returns += [sum(gamma**k * reward for k, reward in enumerate(tail[t:])) for t in range(len(tail))]
    observations = [obs for episode in episodes for obs in episode.obs]
    advantages = [one - critic(obs).item() for one, obs in zip(returns, observations, strict=True)]
    mean = sum(advantages) / len(advantages)
    std = (sum((one - mean) ** 2 for one in advantages) / len(advantages)) ** 0.5
    terms: list[Tensor] = []
    for episode in episodes:
        for obs, action in zip(episode.obs, episode.actions, strict=True):
            terms.append(-policy(obs).log_prob(action) * (advantages[len(terms)] - mean) / (std + 1e-8))
    policy_loss = torch.stack(terms).sum() / len(terms)
    policy_loss.backward()
    policy_optimizer.step()
    policy_optimizer.zero_grad()
    for _ in range(critic_steps):
        errors = torch.stack([critic(obs) - one for obs, one in zip(observations, returns, strict=True)])
        value_loss = 0.5 * errors.pow(2).mean()
        value_loss.backward()
        critic_optimizer.step()
        critic_optimizer.zero_grad()
    return policy_loss.item(), value_loss.item()


def accumulating(
    policy: nn.Module, critic: nn.Module, policy_optimizer: Optimizer, critic_optimizer: Optimizer,
    episodes: list[Episode], *, gamma: float, critic_steps: int,
) -> tuple[float, float]:  # fmt: skip
    """One backward pass an episode, gradients added up, in double precision where it can be."""
    returns = [discounted_returns(episode.rewards, gamma=gamma) for episode in episodes]
    with torch.no_grad():
        advantages = [
            own.double() - critic(episode.obs).double() for own, episode in zip(returns, episodes, strict=True)
        ]
    together = torch.cat(advantages)
    policy.zero_grad()
    policy_total, value_total = 0.0, 0.0
    for episode, own in zip(episodes, advantages, strict=True):
        weights = ((own - together.mean()) / together.std(correction=0)).to(episode.obs.dtype)
        loss = -(policy(episode.obs).log_prob(episode.actions) * weights).sum() / len(together)
        loss.backward()
        policy_total += loss.item()
    policy_optimizer.step()
    for _ in range(critic_steps):
        critic.zero_grad()
        value_total = 0.0
        for episode, own in zip(episodes, returns, strict=True):
            loss = torch.nn.functional.mse_loss(critic(episode.obs), own, reduction="sum") / (2 * len(together))
            loss.backward()
            value_total += loss.item()
        critic_optimizer.step()
    return policy_total, value_total


def one_loss_for_both(
    policy: nn.Module, critic: nn.Module, policy_optimizer: Optimizer, critic_optimizer: Optimizer,
    episodes: list[Episode], *, gamma: float, critic_steps: int,
) -> tuple[float, float]:  # fmt: skip
    """The first critic step from the sum of both losses: no parameter is shared, so each gets its own gradient."""
    obs, actions, returns = _joined(episodes, gamma)
    policy_loss = -(_standardised(returns - critic(obs).detach(), 0) * policy(obs).log_prob(actions)).mean()
    for step in range(critic_steps):
        value_loss = 0.5 * (critic(obs) - returns).square().mean()
        policy_optimizer.zero_grad()
        critic_optimizer.zero_grad()
        (value_loss + policy_loss if step == 0 else value_loss).backward()
        if step == 0:
            policy_optimizer.step()
        critic_optimizer.step()
    return float(policy_loss.detach()), float(value_loss.detach())


def critic_first_with_kept_values(
    policy: nn.Module, critic: nn.Module, policy_optimizer: Optimizer, critic_optimizer: Optimizer,
    episodes: list[Episode], *, gamma: float, critic_steps: int,
) -> tuple[float, float]:  # fmt: skip
    """The critic is fitted first, but the advantages are older; nothing detached, only cleared in time."""
    obs, actions, returns = _joined(episodes, gamma)
    advantages = _standardised(returns - critic(obs).clone(), 0)
    kept = advantages.detach().clone()
    for _ in range(critic_steps):
        loss = torch.nn.MSELoss()(critic(obs), returns) * 0.5
        critic_optimizer.zero_grad(set_to_none=False)
        loss.backward()
        critic_optimizer.step()
    policy_loss = torch.einsum("b,b->", policy(obs).log_prob(actions), kept).neg() / len(kept)
    policy_optimizer.zero_grad(set_to_none=False)
    policy_loss.backward()
    policy_optimizer.step()
    return policy_loss.item(), loss.item()


def by_hand(
    policy: nn.Module, critic: nn.Module, policy_optimizer: Optimizer, critic_optimizer: Optimizer,
    episodes: list[Episode], *, gamma: float, critic_steps: int,
) -> tuple[float, float]:  # fmt: skip
    """Gradients from torch.autograd.grad, written into `.grad` in place of backward."""
    obs, actions, returns = _joined(episodes, gamma)
    values = critic(obs)
    weights = torch.nn.functional.layer_norm((returns - values).detach(), returns.shape, eps=1e-12)
    policy_loss = torch.nn.functional.cross_entropy(policy(obs).logits, actions, reduction="none").mul(weights).mean()
    losses = [(policy_loss, policy, policy_optimizer)]
    for step in range(critic_steps + 1):
        loss, module, optimizer = losses[-1]
        parameters = list(module.parameters())
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        optimizer.step()
        if step < critic_steps:
            losses.append((0.5 * (critic(obs) - returns).square().mean(), critic, critic_optimizer))
    return policy_loss.item(), losses[-1][0].item()
